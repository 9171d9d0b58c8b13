"""Tree, tiles, checkpoints: against a naive reading of RFC 9162, and against other people's tools."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.ledger import make_export
from vault.foundation.ledger.checkpoint import BadCheckpoint, open_note
from vault.foundation.ledger.entry import SYSTEM, Entry, canonical_json
from vault.foundation.ledger.merkle import (
    consistency_proof,
    fold,
    inclusion_proof,
    is_consistent,
    root_of_inclusion,
)
from vault.foundation.ledger.tiles import BundleDamaged, decode_bundle, encode_bundle, tile_name
from vault.foundation.ledger.verify import verify_export

ROOT = Path(__file__).resolve().parents[3]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def subtree_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda start, length: fold(leaves[start : start + length])


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 300), data=st.data())
def test_proofs_lead_to_the_naive_root_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    leaves = [hashlib.sha256(bytes([0, n % 256, n // 256])).digest() for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, subtree_of(leaves))
    assert root_of_inclusion(leaves[index], index, size, proof) == naive_root(leaves)
    assert root_of_inclusion(b"x" * 32, index, size, proof) != naive_root(leaves)
    old = data.draw(st.integers(1, size))
    steps = consistency_proof(old, size, subtree_of(leaves))
    assert is_consistent(old, size, naive_root(leaves[:old]), naive_root(leaves), steps)
    if old < size:
        assert not is_consistent(old, size, naive_root(leaves[1 : old + 1]), naive_root(leaves), steps)


@pytest.mark.parametrize(
    ("level", "index", "width", "name"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1, 3, "tile/0/001.p/3"),
        (2, 1234067, 256, "tile/2/x001/x234/067"),
        ("entries", 999, 255, "tile/entries/999.p/255"),
    ],
)
def test_tiles_are_named_as_c2sp_says(level: int | str, index: int, width: int, name: str) -> None:
    assert tile_name(level, index, width) == name


def test_bundles_come_back_and_cut_ones_are_refused() -> None:
    entries = [b"", b"a", b"b" * 65535]
    assert decode_bundle(encode_bundle(entries)) == entries
    for cut in (1, 3, 5, 100):
        with pytest.raises(BundleDamaged):
            decode_bundle(encode_bundle(entries)[:-cut])


def test_an_entry_has_one_form_of_bytes() -> None:
    entry = Entry(
        UUID(int=1),
        datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        "a:b:c",
        SYSTEM,
        "record",
        UUID(int=2),
        None,
        {"b": 1, "a": "中"},
    )
    assert entry.to_bytes() == canonical_json(json.loads(entry.to_bytes()))
    assert '"details":{"a":"中","b":1}'.encode() in entry.to_bytes()
    for bad in (1.5, 2**60, {"ключ": 1}, b"x"):
        with pytest.raises((ValueError, TypeError)):
            canonical_json(bad)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    make_export(tmp_path, 700)
    return tmp_path


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_good_exports_of_every_shape_are_clean(tmp_path: Path, size: int) -> None:
    root, _ = make_export(tmp_path, size)
    verdict = verify_export(tmp_path)
    assert verdict.is_clean, verdict.findings
    assert (verdict.size, verdict.root) == (size, root)


@pytest.mark.invariant("L2")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda e: e.__setitem__(5, e[5].replace(b"person", b"porson")), [("entry-altered", "261")]),
        (lambda e: e.pop(5), [("entry-removed", "261")]),
        (lambda e: e.insert(5, b"{}"), [("entry-inserted", "261")]),
        (lambda e: e.__setitem__(slice(5, 7), [e[6], e[5]]), [("entries-reordered", "261-262")]),
    ],
    ids=["altered", "removed", "inserted", "reordered"],
)
def test_what_was_done_to_entries_is_named(
    exported: Path, change: Callable[[list[bytes]], object], expected: list[tuple[str, str]]
) -> None:
    bundle = exported / tile_name("entries", 1)
    entries = decode_bundle(bundle.read_bytes())
    change(entries)
    bundle.write_bytes(encode_bundle(entries))
    assert [(f.code, f.subject) for f in verify_export(exported).findings] == expected


def test_what_was_done_to_tiles_bundles_and_notes_is_named(exported: Path) -> None:
    def findings() -> set[str]:
        return {finding.code for finding in verify_export(exported).findings}

    tile = exported / tile_name(1, 0, 2)
    good = tile.read_bytes()
    tile.write_bytes(good[:32] + bytes(32))
    assert "tile-altered" in findings()
    tile.write_bytes(good)
    bundle = exported / tile_name("entries", 0)
    kept = bundle.read_bytes()
    bundle.write_bytes(kept[:-1])
    assert findings() == {"bundle-damaged"}
    bundle.unlink()
    assert findings() == {"bundle-missing"}
    bundle.write_bytes(kept)
    note = exported / "checkpoint"
    text = note.read_text(encoding="utf-8")
    note.write_text(text.replace("\n700\n", "\n699\n"), encoding="utf-8")
    assert findings() == {"signature-wrong"}


@pytest.mark.invariant("L2")
def test_an_older_checkpoint_shows_roll_back_and_fork(tmp_path: Path) -> None:
    small, large, other = tmp_path / "small", tmp_path / "large", tmp_path / "other"
    make_export(small, 300)
    make_export(large, 700)
    make_export(other, 700)
    older = (small / "checkpoint").read_text(encoding="utf-8")
    newer = (large / "checkpoint").read_text(encoding="utf-8")
    assert verify_export(large, older_note=older).is_clean
    assert [f.code for f in verify_export(small, older_note=newer).findings] == ["rolled-back"]


def test_another_key_is_not_believed(exported: Path) -> None:
    assert [f.code for f in verify_export(exported, public_key=bytes(range(32))).findings] == ["signature-wrong"]
    with pytest.raises(BadCheckpoint):
        open_note("nothing", bytes(32))


def test_a_second_implementation_accepts_and_refuses_the_same(exported: Path) -> None:
    key = (exported / "public-key").read_text(encoding="ascii").strip()

    def ask(given: str) -> subprocess.CompletedProcess[str]:
        script = ROOT / "docs" / "formats" / "verify_ledger.py"
        return subprocess.run(
            [sys.executable, str(script), "export", str(exported), given],
            capture_output=True,
            text=True,
            check=False,
        )

    done = ask(key)
    assert done.returncode == 0, done.stderr
    assert "700 entries" in done.stdout
    assert ask(base64.b64encode(bytes(32)).decode()).returncode == 1
    note = exported / "checkpoint"
    note.write_text(note.read_text(encoding="utf-8").replace("\n700\n", "\n701\n"), encoding="utf-8")
    assert ask(key).returncode == 1


def test_random_damage_is_never_called_clean(exported: Path) -> None:
    draw = random.Random(7)
    files = [file for file in exported.rglob("*") if file.is_file() and file.name != "public-key"]
    for _ in range(60):
        file = draw.choice(files)
        good = file.read_bytes()
        damaged = bytearray(good)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        file.write_bytes(bytes(damaged))
        assert not verify_export(exported).is_clean, file
        file.write_bytes(good)
