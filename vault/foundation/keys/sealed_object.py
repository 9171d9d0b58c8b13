"""Sealed objects, format 1 (`docs/formats/sealed-object.md`).

While sealing, the SHA-256 of the sealed bytes is taken on the way; the plain text's digest is known before, because
it is taken when the bytes arrive.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.keys.errors import (
    Damaged,
    NotSealed,
    SealBroken,
    TrailingData,
    Truncated,
    UnsupportedFormat,
    WrongIdentity,
    WrongKey,
)
from vault.foundation.keys.plain_tag import BytesChanged, PlainTag, Tagging
from vault.foundation.keys.record_key import RecordKey

MAGIC = b"slipvlt"
FORMAT = 1
SUITE = 1
SEGMENT_EXPONENT = 20
SEGMENT_EXPONENT_MIN, SEGMENT_EXPONENT_MAX = 12, 24
HEADER_BYTES = 148
TAG_BYTES = 16
SHA256_BYTES = 32
# What comes before salt and commitment: the payload key is derived from all of it, and the salt.
_HEADER_START = struct.Struct(">7sBBBH16s16s16s40s")
_HEADER = struct.Struct(_HEADER_START.format + "16s32s")


@dataclass(frozen=True)
class Header:
    """The fields of a header, as they are: nothing of it is authenticated before a segment has opened."""

    segment_exponent: int
    record_id: UUID
    component_id: UUID
    group_id: UUID
    wrapped: bytes
    salt: bytes
    commitment: bytes

    @property
    def segment_bytes(self) -> int:
        """Plain bytes of a full segment."""
        return 1 << self.segment_exponent


def read_header(head: bytes) -> Header:
    """The header at the start of a sealed object.

    Raises:
        NotSealed, Truncated, UnsupportedFormat: it is none that format 1 allows.
    """
    if head[: len(MAGIC)] != MAGIC[: len(head)]:
        raise NotSealed
    if len(head) > len(MAGIC) and head[len(MAGIC)] != FORMAT:
        # Before the length: whole objects of another format may be shorter than any of this one.
        raise UnsupportedFormat(field="format", found=head[len(MAGIC)])
    if len(head) < HEADER_BYTES + TAG_BYTES:
        raise Truncated
    _, _, suite, exponent, length, record, component, group, wrapped, salt, commitment = _HEADER.unpack_from(head)
    for name, found, allowed in (
        ("suite", suite, range(SUITE, SUITE + 1)),
        ("segment exponent", exponent, range(SEGMENT_EXPONENT_MIN, SEGMENT_EXPONENT_MAX + 1)),
        ("header length", length, range(HEADER_BYTES, HEADER_BYTES + 1)),
    ):
        if found not in allowed:
            raise UnsupportedFormat(field=name, found=found)
    return Header(exponent, UUID(bytes=record), UUID(bytes=component), UUID(bytes=group), wrapped, salt, commitment)


def identity_of(head: bytes) -> Header | None:
    """The header of what may be a sealed object, or nothing."""
    try:
        return read_header(head)
    except (NotSealed, Truncated, UnsupportedFormat):
        return None


@dataclass(frozen=True)
class Sealed:
    """A sealed object in memory with its SHA-256."""

    data: bytes
    sha256: bytes


@dataclass(frozen=True)
class SealedStream:
    """What was written by `seal_stream`."""

    sealed_size_bytes: int
    sha256: bytes


def sealed_size(size_bytes: int, segment_exponent: int = SEGMENT_EXPONENT) -> int:
    """The size of the sealed object of so many plain bytes."""
    return HEADER_BYTES + size_bytes + TAG_BYTES * max(1, -(-size_bytes >> segment_exponent))


def seal_bytes(
    record_key: RecordKey,
    component_id: UUID,
    data: bytes,
    plain_sha256: bytes,
    segment_exponent: int = SEGMENT_EXPONENT,
) -> Sealed:
    """Seals bytes in memory. `plain_sha256` is their digest; a wrong one would risk a repeated nonce."""
    header, sealer, digest = _begin(record_key, component_id, plain_sha256, segment_exponent)
    aad = digest.digest()
    buffer = io.BytesIO(bytes(sealed_size(len(data), segment_exponent)))  # gives its bytes out uncopied
    position, step = HEADER_BYTES, 1 << segment_exponent
    last = max(0, (len(data) - 1) // step)
    with buffer.getbuffer() as view, memoryview(data) as plain:
        view[:HEADER_BYTES] = header
        for index in range(last + 1):
            piece = plain[index * step : (index + 1) * step]
            with view[position : position + len(piece) + TAG_BYTES] as target:
                sealer.encrypt_into(_nonce(index, is_last=index == last), piece, aad, target)
                digest.update(target)
            position += len(piece) + TAG_BYTES
    return Sealed(buffer.getvalue(), digest.digest())


def seal_stream(
    record_key: RecordKey,
    component_id: UUID,
    reader: BinaryIO,
    size_bytes: int,
    plain_sha256: bytes,
    writer: IO[bytes],
    segment_exponent: int = SEGMENT_EXPONENT,
    *,
    tag: PlainTag | None = None,
) -> SealedStream:
    """Seals exactly `size_bytes` from `reader` into `writer` with the memory of two segments.

    That the bytes are those of the digest is shown by `tag`, which was taken with it, or by hashing them again.

    Raises:
        BytesChanged: the reader has fewer bytes, or others; what was written is to be discarded.
    """
    header, sealer, digest = _begin(record_key, component_id, plain_sha256, segment_exponent)
    aad = digest.digest()
    again: Any = hashlib.sha256() if tag is None else Tagging(tag)
    step = 1 << segment_exponent
    writer.write(header)
    last = max(0, (size_bytes - 1) // step)
    for index in range(last + 1):
        piece = _read_exactly(reader, min(step, size_bytes - index * step))
        again.update(piece)
        sealed = sealer.encrypt(_nonce(index, is_last=index == last), piece, aad)
        digest.update(sealed)
        writer.write(sealed)
    if tag is not None:
        tag.require(again)
    elif again.digest() != plain_sha256:
        raise BytesChanged("the bytes changed between arriving and being sealed")
    return SealedStream(sealed_size(size_bytes, segment_exponent), digest.digest())


def open_bytes(record_key: RecordKey, component_id: UUID, sealed: bytes) -> bytes:
    """The plain bytes of a sealed object in memory.

    Raises:
        SealBroken: a subclass that names what is wrong.
    """
    header, opener, aad = accept(record_key, component_id, sealed[: HEADER_BYTES + TAG_BYTES])
    step = header.segment_bytes + TAG_BYTES
    last, plain_size = shape_of(len(sealed), header)
    buffer = io.BytesIO(bytes(plain_size))
    with buffer.getbuffer() as view, memoryview(sealed)[HEADER_BYTES:] as source:
        for index in range(last + 1):
            piece = source[index * step : (index + 1) * step]
            start = index * header.segment_bytes
            _require_shape(index, piece)
            try:
                with view[start : start + len(piece) - TAG_BYTES] as target:
                    opener.decrypt_into(_nonce(index, is_last=index == last), piece, aad, target)
            except InvalidTag:
                raise _refusal(opener, index, piece, aad, is_last=index == last) from None
    return buffer.getvalue()


def open_chunks(record_key: RecordKey, component_id: UUID, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of a sealed object that arrives in chunks of any size, segment by segment.

    Raises:
        SealBroken: a subclass that names what is wrong; everything yielded before it did authenticate.
    """
    source = iter(chunks)
    held = bytearray()

    def fill(wanted: int) -> None:
        """Takes chunks until so many bytes are held or nothing is left."""
        while len(held) < wanted:
            chunk = next(source, None)
            if chunk is None:
                return
            held.extend(chunk)

    fill(HEADER_BYTES + TAG_BYTES)
    header, opener, aad = accept(record_key, component_id, bytes(held[: HEADER_BYTES + TAG_BYTES]))
    del held[:HEADER_BYTES]
    step = header.segment_bytes + TAG_BYTES
    index = 0
    while True:
        fill(step + 1)  # one byte more than a segment tells whether it is the last
        is_last = len(held) <= step
        with memoryview(held) as view:
            piece = bytes(view[:step])
        del held[:step]
        yield open_segment(opener, index, piece, aad, is_last=is_last)
        if is_last:
            return
        index += 1


def _begin(
    record_key: RecordKey, component_id: UUID, plain_sha256: bytes, segment_exponent: int
) -> tuple[bytes, AESGCM, hashlib._Hash]:
    """The header, what seals its segments, and the running digest of the object, so far of the header alone."""
    if not SEGMENT_EXPONENT_MIN <= segment_exponent <= SEGMENT_EXPONENT_MAX or len(plain_sha256) != SHA256_BYTES:
        raise ValueError("a segment exponent or digest that the format does not allow")
    salt = record_key.salt_for(component_id, plain_sha256)
    start = _HEADER_START.pack(
        MAGIC,
        FORMAT,
        SUITE,
        segment_exponent,
        HEADER_BYTES,
        record_key.record_id.bytes,
        component_id.bytes,
        record_key.group_id.bytes,
        record_key.wrapped,
    )
    payload_key, commitment = record_key.component_keys(start, salt)
    header = start + salt + commitment
    return header, AESGCM(payload_key), hashlib.sha256(header)


def accept(record_key: RecordKey, component_id: UUID, head: bytes) -> tuple[Header, AESGCM, bytes]:
    """The header, what opens its segments, and their associated data, when the object is this component's.

    Raises:
        NotSealed, Truncated, UnsupportedFormat, WrongIdentity, WrongKey.
    """
    header = read_header(head)
    if (header.record_id, header.component_id) != (record_key.record_id, component_id):
        raise WrongIdentity
    payload_key, commitment = record_key.component_keys(head[: _HEADER_START.size], header.salt)
    if not hmac.compare_digest(commitment, header.commitment):
        raise WrongKey
    return header, AESGCM(payload_key), hashlib.sha256(head[:HEADER_BYTES]).digest()


def open_segment(opener: AESGCM, index: int, piece: bytes, aad: bytes, *, is_last: bool) -> bytes:
    """The plain bytes of a segment in its place. Raises Damaged, Truncated, TrailingData."""
    _require_shape(index, piece)
    try:
        return opener.decrypt(_nonce(index, is_last=is_last), piece, aad)
    except InvalidTag:
        raise _refusal(opener, index, piece, aad, is_last=is_last) from None


def _refusal(opener: AESGCM, index: int, piece: bytes | memoryview, aad: bytes, *, is_last: bool) -> SealBroken:
    """Why a segment does not open in its place: whole, but the end is missing or something follows it; or altered."""
    try:
        opener.decrypt(_nonce(index, is_last=not is_last), piece, aad)
    except InvalidTag:
        return Damaged(segment=index)
    return Truncated() if is_last else TrailingData(segment=index)


def shape_of(sealed_size_bytes: int, header: Header) -> tuple[int, int]:
    """The index of the last segment and the size of the plain text."""
    if sealed_size_bytes < HEADER_BYTES + TAG_BYTES:
        raise Truncated
    body = sealed_size_bytes - HEADER_BYTES
    step = header.segment_bytes + TAG_BYTES
    segments = -(-body // step)
    last_body = body - (segments - 1) * step
    plain_size = (segments - 1) * header.segment_bytes + max(0, last_body - TAG_BYTES)
    return segments - 1, plain_size


def _require_shape(index: int, piece: bytes | memoryview) -> None:
    """Refuses what no writer writes: less than a tag, or an empty segment after others."""
    if len(piece) < TAG_BYTES or (len(piece) == TAG_BYTES and index > 0):
        raise Damaged(segment=index)


def _nonce(index: int, *, is_last: bool) -> bytes:
    return index.to_bytes(11) + (b"\x01" if is_last else b"\x00")


def _read_exactly(reader: BinaryIO, size: int) -> bytes:
    data = read_up_to(reader, size)
    if len(data) != size:
        raise BytesChanged(f"{size - len(data)} bytes are missing")
    return data


def read_up_to(reader: BinaryIO, size: int) -> bytes:
    """So many bytes, or all that are left, however the reader cuts them."""
    data = reader.read(size)
    if len(data) == size:
        return data
    parts = [data]
    have = len(data)
    while data and have < size:
        data = reader.read(size - have)
        parts.append(data)
        have += len(data)
    return b"".join(parts)
