#!/usr/bin/env python3
"""Opens one sealed object of slipvault (format 1, sealed-object.md) with nothing of slipvault: only `cryptography`.

    read_sealed_object.py OBJECT OUTPUT (--record-key FILE | --group-key FILE) [--record UUID] [--component UUID]

A key file holds 32 bytes, or 64 hexadecimal digits. With a group key the record key is unwrapped from the header. OUTPUT
appears only when everything authenticated. Exit 0, or 1 with one of the outcomes of the format on standard error.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

HEADER = struct.Struct(">7sBBBH16s16s16s40s16s32s")
KEYED_BYTES, TAG_BYTES = 100, 16


class RefusedError(Exception):
    """The object does not open; the text is the outcome."""


def open_sealed(
    source: BinaryIO,
    record_key: bytes | None,
    group_key: bytes | None = None,
    record_id: UUID | None = None,
    component_id: UUID | None = None,
) -> Iterator[bytes]:
    """The plain text, segment by segment; each has authenticated when it is given out."""
    header, piece = source.read(HEADER.size), source.read(TAG_BYTES)
    exponent, payload_key = accept(header + piece, record_key, group_key, record_id, component_id)
    aes, associated, step = AESGCM(payload_key), hashlib.sha256(header).digest(), (1 << exponent) + TAG_BYTES
    index, piece = 0, piece + source.read(step - TAG_BYTES)
    while True:
        following = source.read(step) if len(piece) == step else b""
        if len(piece) < TAG_BYTES or (index > 0 and len(piece) == TAG_BYTES):
            raise RefusedError("damaged")
        yield open_segment(aes, index, piece, associated, is_last=not following)
        if not following:
            return
        index, piece = index + 1, following


def accept(
    head: bytes,
    record_key: bytes | None,
    group_key: bytes | None,
    record_id: UUID | None,
    component_id: UUID | None,
) -> tuple[int, bytes]:
    """The segment exponent and the payload key, once every rule about the header holds."""
    if head[:7] != b"slipvlt"[: len(head)]:
        raise RefusedError("not sealed")
    if len(head) > 7 and head[7] != 1:
        raise RefusedError("unsupported")
    if len(head) < HEADER.size + TAG_BYTES:
        raise RefusedError("truncated")
    _, _, suite, exponent, length, record, component, _, wrapped, salt, commitment = HEADER.unpack_from(head)
    if suite != 1 or not 12 <= exponent <= 24 or length != HEADER.size:
        raise RefusedError("unsupported")
    if (record_id and record_id.bytes != record) or (component_id and component_id.bytes != component):
        raise RefusedError("wrong identity")
    if record_key is None:
        try:
            record_key = aes_key_unwrap(group_key or b"", wrapped)
        except (InvalidUnwrap, ValueError):
            raise RefusedError("wrong key") from None
    info = b"slipvault/1/component" + head[:KEYED_BYTES]
    material = HKDF(SHA256(), 64, salt, info).derive(record_key)
    if not hmac.compare_digest(material[32:], commitment):
        raise RefusedError("wrong key")
    return exponent, material[:32]


def open_segment(aes: AESGCM, index: int, piece: bytes, associated: bytes, *, is_last: bool) -> bytes:
    """The segment's plain text, or the reason why it does not open in its place."""
    for flag, refusal in ((is_last, ""), (not is_last, "truncated" if is_last else "trailing data")):
        try:
            plain = aes.decrypt(index.to_bytes(11, "big") + bytes([flag]), piece, associated)
        except InvalidTag:
            continue
        if refusal:
            raise RefusedError(refusal)
        return plain
    raise RefusedError("damaged")


def key_from(path: Path | None) -> bytes | None:
    """The 32 bytes in a key file."""
    if path is None:
        return None
    data = path.read_bytes()
    return data if len(data) == 32 else bytes.fromhex(data.decode("ascii"))


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Opens one sealed object of slipvault.")
    parser.add_argument("object", type=Path)
    parser.add_argument("output", type=Path)
    keys = parser.add_mutually_exclusive_group(required=True)
    keys.add_argument("--record-key", type=Path, metavar="FILE")
    keys.add_argument("--group-key", type=Path, metavar="FILE")
    parser.add_argument("--record", type=UUID)
    parser.add_argument("--component", type=UUID)
    asked = parser.parse_args(arguments)
    unfinished = asked.output.with_name(asked.output.name + ".unfinished")
    try:
        with asked.object.open("rb") as source, unfinished.open("wb") as target:
            keys_given = key_from(asked.record_key), key_from(asked.group_key)
            for plain in open_sealed(source, *keys_given, asked.record, asked.component):
                target.write(plain)
        unfinished.replace(asked.output)
    except RefusedError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    finally:
        unfinished.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
