"""Verifying a large export offline, beside a bare loop that hashes the same bytes; an inclusion proof from tiles."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.statistics import milliseconds
from vault.foundation.ledger.checkpoint import Checkpoint, origin_of, signed_note
from vault.foundation.ledger.entry import Actor, Entry
from vault.foundation.ledger.merkle import fold, inclusion_proof, join, perfect_parts, root_of_inclusion
from vault.foundation.ledger.tiles import WIDTH, encode_bundle, split, subtree_reader, tile_name
from vault.foundation.ledger.verify import verify_export


def run(quick: bool = False, rows: int = 1_000_000) -> dict[str, Any]:
    """Makes an export of `rows` entries and checks it on one core."""
    rows = 20_000 if quick else rows
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as base:
        directory = Path(base)
        root, body_bytes = make_export(directory, rows)
        started = time.perf_counter()
        verdict = verify_export(directory)
        seconds = time.perf_counter() - started
        assert verdict.is_clean, verdict.findings[:3]
        assert verdict.root == root
        started = time.perf_counter()
        bare_hashes(directory, rows)
        bare_seconds = time.perf_counter() - started
        return {
            "entries": rows,
            "entry_bytes_mean": round(body_bytes / rows),
            "verified_per_second": round(rows / seconds),
            "bare_hashing_per_second": round(rows / bare_seconds),
            "ratio_to_bare": round(bare_seconds / seconds, 3),
            "inclusion_proof": milliseconds(_proofs(directory, rows, root)),
        }


def make_export(directory: Path, rows: int) -> tuple[bytes, int]:
    """An export of that many entries as the service writes it; returns the root and the bytes of all entries."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    level: list[bytes] = []
    total = 0
    at = datetime(2026, 1, 1, tzinfo=UTC)
    template = Entry(
        UUID(int=1), at, "catalogue:record:register", Actor("person", UUID(int=2)), "record", UUID(int=3)
    ).to_bytes()
    marker = str(UUID(int=3)).encode()
    for start in range(0, rows, WIDTH):
        entries = [
            template.replace(marker, str(UUID(int=n + 10)).encode()) for n in range(start, min(rows, start + WIDTH))
        ]
        total += sum(map(len, entries))
        _write(directory / tile_name("entries", start // WIDTH, len(entries)), encode_bundle(entries))
        level += [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    leaves, number = level, 0
    while level:
        for start in range(0, len(level), WIDTH):
            part = level[start : start + WIDTH]
            _write(directory / tile_name(number, start // WIDTH, len(part)), b"".join(part))
        level = [fold(level[i : i + WIDTH]) for i in range(0, len(level) - WIDTH + 1, WIDTH)]
        number += 1
    root = join([fold(leaves[s : s + n]) for s, n in perfect_parts(rows)])
    import base64

    _write(directory / "public-key", base64.b64encode(public) + b"\n")
    note = signed_note(Checkpoint(origin_of(public), rows, root), public, key.sign)
    _write(directory / "checkpoint", note.encode())
    return root, total


def bare_hashes(directory: Path, rows: int) -> None:
    """What nobody can go below: every entry and every inner node hashed once, nothing compared."""
    sha256 = hashlib.sha256
    for start in range(0, rows, WIDTH):
        width = min(WIDTH, rows - start)
        data = (directory / tile_name("entries", start // WIDTH, width)).read_bytes()
        size = len(data) // width
        fold_all = [sha256(b"\0" + data[i * size : (i + 1) * size]).digest() for i in range(width)]
        while len(fold_all) > 1:
            fold_all = [sha256(b"\1" + fold_all[i] + fold_all[i - 1]).digest() for i in range(1, len(fold_all), 2)]


def _proofs(directory: Path, rows: int, root: bytes) -> list[float]:
    draw = random.Random(1)

    def read(level: int, index: int) -> bytes:
        width = min(WIDTH, (rows >> 8 * level) - index * WIDTH)
        return (directory / tile_name(level, index, width)).read_bytes()

    seconds = []
    for _ in range(200):
        index = draw.randrange(rows)
        started = time.perf_counter()
        proof = inclusion_proof(index, rows, subtree_reader(read))
        seconds.append(time.perf_counter() - started)
        leaf = split(read(0, index // WIDTH))[index % WIDTH]
        assert root_of_inclusion(leaf, index, rows, proof) == root
    return seconds


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
