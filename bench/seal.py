"""Sealing and opening beside bare SHA-256 and bare AES-256-GCM on the same buffer, one thread, in one run.

The ways take turns, so that a noisy moment of the machine falls on all of them. Bare AES-256-GCM writes into a buffer
that is already there, which is the fastest it can do; ours also allocates what it returns, derives keys, and hashes
the sealed bytes. The goal compares with the slower of the two bare rates.
"""

from __future__ import annotations

import hashlib
import io
import os
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from vault.foundation.keys.record_key import RecordKey
from vault.foundation.keys.sealed_object import open_bytes, open_chunks, seal_bytes, seal_stream

GOAL_SHARE_MIN = 0.70
SIZES_BYTES = {"scan_100kB": 100_000, "scan_1MiB": 1 << 20, "scan_8MiB": 8 << 20}
STREAM_BYTES = 64 << 20
BYTES_A_WAY = 1 << 30
BYTES_A_WAY_QUICK = 64 << 20
_COMPONENT = UUID(int=3)
_CHUNK_BYTES = 1 << 20


def run(quick: bool = False) -> dict[str, Any]:
    """Rates in MB/s (10^6 bytes of plain text), least, median and most over the rounds, and shares of the bare rate."""
    budget = BYTES_A_WAY_QUICK if quick else BYTES_A_WAY
    figures: dict[str, Any] = {"goal_share_min": GOAL_SHARE_MIN, "sha256": _sha256_provider()}
    for name, size in SIZES_BYTES.items():
        figures[name] = _compare(_ways_in_memory(os.urandom(size)), size, budget)
    with Path(os.devnull).open("wb", buffering=0) as nowhere:
        ways = _ways_of_streams(os.urandom(STREAM_BYTES), cast("IO[bytes]", nowhere))
        figures["stream_64MiB"] = _compare(ways, STREAM_BYTES, budget)
    figures["note"] = (
        "seal_stream hashes the plain text a second time, to be certain of the digest that its key follows from:"
        " two SHA-256 passes bound it to about half of the bare rate."
    )
    return figures


def _ways_in_memory(plain: bytes) -> dict[str, Callable[[], object]]:
    key, digest = _record_key(), hashlib.sha256(plain).digest()
    sealed = seal_bytes(key, _COMPONENT, plain, digest).data
    return {
        **_bare(plain),
        "seal": lambda: seal_bytes(key, _COMPONENT, plain, digest),
        "open": lambda: open_bytes(key, _COMPONENT, sealed),
    }


def _ways_of_streams(plain: bytes, nowhere: IO[bytes]) -> dict[str, Callable[[], object]]:
    key, digest = _record_key(), hashlib.sha256(plain).digest()
    sealed = seal_bytes(key, _COMPONENT, plain, digest).data
    return {
        **_bare(plain),
        "seal": lambda: seal_stream(key, _COMPONENT, io.BytesIO(plain), len(plain), digest, nowhere),
        "open": lambda: _exhaust(open_chunks(key, _COMPONENT, _chunks(sealed))),
    }


def _bare(plain: bytes) -> dict[str, Callable[[], object]]:
    aes, nonce = AESGCM(os.urandom(32)), os.urandom(12)
    sealed, opened = bytearray(len(plain) + 16), bytearray(len(plain))
    aes.encrypt_into(nonce, plain, None, sealed)
    return {
        "bare_sha256": lambda: hashlib.sha256(plain).digest(),
        # A nonce is used again here because nothing is kept secret by it: only the time counts.
        "bare_gcm_encrypt": lambda: aes.encrypt_into(nonce, plain, None, sealed),
        "bare_gcm_decrypt": lambda: aes.decrypt_into(nonce, sealed, None, opened),
    }


def _compare(ways: dict[str, Callable[[], object]], size: int, budget: int) -> dict[str, Any]:
    rounds = max(5, min(2000, budget // size))
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # first calls load code and memory
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            made = way()
            rates[name].append(size / (time.perf_counter() - started) / 1e6)
            del made  # before the clock starts again: giving memory back belongs to nobody's time
    median = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "size_bytes": size,
        "rounds": rounds,
        "mb_per_s": {
            name: {"min": round(min(values)), "median": round(median[name]), "max": round(max(values))}
            for name, values in rates.items()
        },
        "seal_share": round(median["seal"] / min(median["bare_sha256"], median["bare_gcm_encrypt"]), 3),
        "open_share": round(median["open"] / min(median["bare_sha256"], median["bare_gcm_decrypt"]), 3),
    }


def _record_key() -> RecordKey:
    secret = os.urandom(32)
    return RecordKey(UUID(int=1), UUID(int=2), aes_key_wrap(os.urandom(32), secret), secret)


def _chunks(data: bytes) -> Iterable[bytes]:
    return (data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES))


def _exhaust(pieces: Iterable[bytes]) -> int:
    return sum(len(piece) for piece in pieces)


def _sha256_provider() -> str:
    return f"{type(hashlib.sha256()).__module__}.{type(hashlib.sha256()).__qualname__}"
