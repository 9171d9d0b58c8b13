"""Every vector through every way of opening, slipvault's three and the stand-alone reader: one outcome, the named one."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.keys import errors
from vault.foundation.keys.record_key import RecordKey
from vault.foundation.keys.sealed_object import open_bytes, open_chunks, read_header, seal_bytes
from vault.foundation.keys.sealed_reader import SealedReader

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests/vectors/sealed_object"
READER = ROOT / "docs/formats/read_sealed_object.py"
OUTCOMES: dict[str, type[errors.SealBroken]] = {
    "not sealed": errors.NotSealed,
    "unsupported": errors.UnsupportedFormat,
    "truncated": errors.Truncated,
    "wrong identity": errors.WrongIdentity,
    "wrong key": errors.WrongKey,
    "trailing data": errors.TrailingData,
    "damaged": errors.Damaged,
}
NAMES = sorted(path.stem for path in VECTORS.glob("*.json"))


@cache
def vector(name: str) -> dict[str, Any]:
    body = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    body["sealed"] = base64.b64decode(body["sealed"])
    return body


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


reader = loaded(READER)


def key_of(body: dict[str, Any]) -> RecordKey:
    # Group and wrapped key do not matter for opening; those of the header are bound by the key itself.
    return RecordKey(UUID(body["record_id"]), UUID(int=0), bytes(40), bytes.fromhex(body["record_key"]))


def by_whole(body: dict[str, Any]) -> bytes:
    return open_bytes(key_of(body), UUID(body["component_id"]), body["sealed"])


def by_stream(size: int) -> Callable[[dict[str, Any]], bytes]:
    def open_it(body: dict[str, Any]) -> bytes:
        sealed = body["sealed"]
        chunks = (sealed[at : at + size] for at in range(0, len(sealed), size))
        return b"".join(open_chunks(key_of(body), UUID(body["component_id"]), chunks))

    return open_it


def by_range(body: dict[str, Any]) -> bytes:
    sealed = body["sealed"]

    def open_range(offset: int, length: int) -> io.BytesIO:
        return io.BytesIO(sealed[offset : offset + length])

    return SealedReader(open_range, len(sealed), key_of(body), UUID(body["component_id"])).read()


WAYS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "whole": by_whole,
    "stream-by-1": by_stream(1),
    "stream-by-4096": by_stream(4096),
    "stream-at-once": by_stream(1 << 20),
    "range": by_range,
}


def test_the_vectors_cover_every_outcome() -> None:
    assert {vector(name)["outcome"] for name in NAMES} == {"opens", *OUTCOMES}
    assert len(NAMES) > 80


def test_the_vectors_are_what_their_script_makes(tmp_path: Path) -> None:
    loaded(VECTORS / "make.py").main(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert made == {path.name: path.read_bytes() for path in VECTORS.glob("*.json")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_outcome_in_slipvault(name: str, way: str) -> None:
    body = vector(name)
    if body["outcome"] == "opens":
        plain = WAYS[way](body)
        assert (len(plain), hashlib.sha256(plain).hexdigest()) == (body["plain_size_bytes"], body["plain_sha256"])
        return
    with pytest.raises(errors.SealBroken) as caught:
        WAYS[way](body)
    assert type(caught.value) is OUTCOMES[body["outcome"]]


@pytest.mark.parametrize("name", [name for name in NAMES if vector(name)["outcome"] == "opens"])
def test_slipvault_seals_the_same_bytes(name: str) -> None:
    body = vector(name)
    plain, head = by_whole(body), read_header(body["sealed"])
    record_key = RecordKey(UUID(body["record_id"]), head.group_id, head.wrapped, bytes.fromhex(body["record_key"]))
    sealed = seal_bytes(record_key, head.component_id, plain, hashlib.sha256(plain).digest(), head.segment_exponent)
    if name == "two-keys-committed":
        # The forger's header is for other bytes than its payload: no writer makes it.
        assert sealed.data != body["sealed"]
        return
    assert sealed.data == body["sealed"]
    assert sealed.sha256 == hashlib.sha256(body["sealed"]).digest()


@pytest.mark.parametrize("key", ["record", "group"])
@pytest.mark.parametrize("name", NAMES)
def test_outcome_in_the_stand_alone_reader(
    name: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = vector(name)
    if key == "group" and name in {"wrong-key", "two-keys-other"}:
        body = {**body, "group_key": body["record_key"]}  # the right group key would open them
    (tmp_path / "sealed").write_bytes(body["sealed"])
    (tmp_path / "key").write_text(body[f"{key}_key"], encoding="ascii")
    output = tmp_path / "plain"
    status = reader.main(
        [
            *(str(tmp_path / "sealed"), str(output), f"--{key}-key", str(tmp_path / "key")),
            *("--record", body["record_id"], "--component", body["component_id"]),
        ]
    )
    told = capsys.readouterr().err.strip()
    if body["outcome"] == "opens":
        assert (status, told) == (0, "")
        assert hashlib.sha256(output.read_bytes()).hexdigest() == body["plain_sha256"]
    else:
        assert (status, told) == (1, body["outcome"])
        assert not output.exists()
    assert not output.with_name("plain.unfinished").exists()


def test_the_reader_runs_alone(tmp_path: Path) -> None:
    """As a stranger would run it: no slipvault in sight, a binary key file, and no ids known."""
    body, hostile = vector("opens-08197"), vector("truncated-after-segment-2")
    (tmp_path / "key").write_bytes(bytes.fromhex(body["record_key"]))
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    for case, status in ((body, 0), (hostile, 1)):
        (tmp_path / "sealed").write_bytes(case["sealed"])
        done = subprocess.run(
            [sys.executable, str(READER), "sealed", "plain", "--record-key", "key"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr.strip()) == (status, "" if status == 0 else "truncated")
        assert (tmp_path / "plain").exists() == (status == 0)
        (tmp_path / "plain").unlink(missing_ok=True)


def test_the_reader_is_short_and_stands_alone() -> None:
    lines = READER.read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert len(lines) < 150
    assert imported - sys.stdlib_module_names == {"cryptography"}


def test_without_commitment_the_forged_payload_opens_under_both_keys() -> None:
    """What the commitment is for: AES-GCM by itself takes the same bytes under two keys and gives two texts."""
    one, other = vector("two-keys-committed"), vector("two-keys-other")
    assert one["sealed"] == other["sealed"]
    head, payload = one["sealed"][:148], one["sealed"][148:]
    texts = set()
    for body in (one, other):
        key, _ = key_of(body).component_keys(head[:100], head[100:116])
        texts.add(AESGCM(key).decrypt(bytes(11) + b"\1", payload, hashlib.sha256(head).digest()))
    assert len(texts) == 2
