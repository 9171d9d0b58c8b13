"""How a picture file is laid out, read from its headers and markers before any decoder sees it.

What a decoder would find out by allocating or looping is found here by arithmetic: declared sizes, pages that loop,
tables that point outside the file, where the picture ends and what follows it.

Sources: ITU-T T.81 (JPEG), ISO/IEC 15948 (PNG), ISO/IEC 15444-1 (JPEG 2000), TIFF 6.0 with its BigTIFF extension.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vault.foundation.errors import N_
from vault.intake.checks.explanations import ENDS_EARLY, LARGER, NO_PICTURE, NO_SENSE, NOT_UNPACKABLE, TOO_MANY_PARTS

PNG_CHUNKS_MAX = 200_000
JPEG_PICTURES_MAX = 16
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BASELINE = frozenset({0xC0, 0xC1})
_BOX_HEADER = struct.Struct(">I4s")


class Broken(Exception):
    """The layout contradicts itself or the file ends too early; the words are English msgids."""


@dataclass(frozen=True)
class Outline:
    """A picture's declared size, and where it ends. `pictures` counts those one behind the other in the file."""

    width: int
    height: int
    end: int
    components: int = 3
    is_baseline: bool = False
    scans: int = 1
    pictures: int = 1


def jpeg_outline(data: bytes) -> Outline:
    """The layout of a JPEG, up to the end marker of the last picture of a multi-picture file (CIPA DC-007).

    Raises:
        Broken: a marker is not where it must be, or there is no end.
    """
    first, end = _one_jpeg(data, 0)
    pictures = 1
    while pictures < JPEG_PICTURES_MAX and b"MPF\0" in data[: 1 << 16]:
        following = data.find(b"\xff\xd8\xff", end, end + (1 << 16))
        if following < 0 or data[end:following].strip(b"\0"):
            break
        _, end = _one_jpeg(data, following)
        pictures += 1
    return Outline(first.width, first.height, end, first.components, first.is_baseline, first.scans, pictures)


def _one_jpeg(data: bytes, start: int) -> tuple[Outline, int]:
    place, width, height, components, process, scans = start + 2, 0, 0, 0, 0, 0
    while True:
        while data[place : place + 2] == b"\xff\xff":
            place += 1
        head = data[place : place + 4]
        if len(head) < 2 or head[0] != 0xFF:
            raise Broken(N_("a marker is missing"))
        marker = head[1]
        if marker == 0xD9:
            break
        if len(head) < 4:
            raise Broken(ENDS_EARLY)
        length = int.from_bytes(head[2:4])
        if marker in _FRAMES:
            frame = data[place + 4 : place + 10]
            if width or len(frame) < 6:
                raise Broken(N_("it declares more than one frame"))
            height, width, components, process = *struct.unpack(">HH", frame[1:5]), frame[5], marker
        place += 2 + length
        if marker == 0xDA:
            scans += 1
            found = _MARKER.search(data, place)
            if found is None:
                raise Broken(ENDS_EARLY)
            place = found.start()
        elif length < 2 or place >= len(data):
            raise Broken(ENDS_EARLY)
    if not width or not height or not scans:
        raise Broken(NO_PICTURE)
    return Outline(width, height, place + 2, components, process in _BASELINE, scans), place + 2


def png_outline(source: BinaryIO, size_bytes: int, pixels_max: int) -> Outline:
    """The layout of a PNG. `pictures` is 2 when it is animated. The lines are counted, because decoders forgive.

    Raises:
        Broken: a chunk reaches beyond the file, there is no end, or lines are missing or too many.
    """
    place, width, height, pictures, lines = 8, 0, 0, 1, _Lines(0)
    for _ in range(PNG_CHUNKS_MAX):
        source.seek(place)
        head = source.read(16)
        if width:
            source.seek(place + 8)
        if len(head) < 8:
            raise Broken(ENDS_EARLY)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        place += 12 + length
        if place > size_bytes:
            raise Broken(ENDS_EARLY)
        if not width:
            if kind != b"IHDR" or len(head) < 16:
                raise Broken(N_("it has no header"))
            width, height = struct.unpack(">II", head[8:16])
            if not width or not height:
                raise Broken(NO_PICTURE)
            lines = _Lines(_png_bytes(width, height, source.read(5)) if width * height <= pixels_max else None)
        elif kind == b"IDAT":
            lines.take(source, length)
        elif kind == b"acTL":
            pictures = 2
        elif kind == b"IEND":
            lines.finish()
            return Outline(width, height, place, pictures=pictures)
    raise Broken(TOO_MANY_PARTS)


# The seven passes of Adam7: first column and line, distance of columns and lines.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_SAMPLES_OF_KIND = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_SLICE_BYTES, _UNPACKED_SLICE_BYTES = 1 << 18, 4 << 20


def _png_bytes(width: int, height: int, told: bytes) -> int:
    """How many bytes the lines of a PNG unpack into, with the filter byte of each."""
    if len(told) < 5 or told[1] not in _SAMPLES_OF_KIND or told[0] not in {1, 2, 4, 8, 16}:
        raise Broken(NO_SENSE)
    bits = told[0] * _SAMPLES_OF_KIND[told[1]]
    passes = _PASSES if told[4] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


class _Lines:
    """Unpacks the lines of a PNG slice by slice, only to count them. Without a number nothing is unpacked."""

    def __init__(self, expected: int | None) -> None:
        self._expected = expected
        self._count = 0
        self._unpacker = zlib.decompressobj()

    def take(self, source: BinaryIO, length: int) -> None:
        """The next `length` bytes of the source."""
        while length > 0 and self._expected is not None and self._count <= self._expected:
            part = source.read(min(length, _SLICE_BYTES))
            length -= len(part)
            try:
                while part and self._count <= self._expected:
                    self._count += len(self._unpacker.decompress(part, _UNPACKED_SLICE_BYTES))
                    part = self._unpacker.unconsumed_tail
            except zlib.error:
                raise Broken(NOT_UNPACKABLE) from None

    def finish(self) -> None:
        """Compares."""
        if self._expected is not None and self._count < self._expected:
            raise Broken(ENDS_EARLY)
        if self._expected is not None and self._count > self._expected:
            raise Broken(LARGER)


def jpeg2000_outline(source: BinaryIO, size_bytes: int) -> Outline:
    """The layout of a JPEG 2000 file or bare codestream. The decoder takes cut-off files in silence; this does not.

    Raises:
        Broken: a box or tile part reaches beyond the file, or there is no end.
    """
    source.seek(0)
    if source.read(2) == b"\xff\x4f":
        return _codestream(source, 0, size_bytes)
    place, outline = 0, None
    while place + 8 <= size_bytes:
        source.seek(place)
        head = source.read(16)
        length, kind = _BOX_HEADER.unpack_from(head)
        if kind == b"jP  " and place:
            break  # another file begins
        if kind == b"jp2c":
            header = 16 if length == 1 else 8
            outline = _codestream(source, place + header, size_bytes)
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:16])
        if length == 0:
            place = size_bytes
        elif length < 8 or place + length > size_bytes:
            if outline is not None:
                break
            raise Broken(ENDS_EARLY)
        else:
            place += length
    if outline is None:
        raise Broken(NO_PICTURE)
    return Outline(outline.width, outline.height, max(place, outline.end), outline.components)


def _codestream(source: BinaryIO, start: int, size_bytes: int) -> Outline:
    place, width, height, components = start + 2, 0, 0, 0
    while True:
        source.seek(place)
        head = source.read(40)
        if head[:2] == b"\xff\xd9":
            break
        if len(head) < 4 or head[0] != 0xFF:
            raise Broken(ENDS_EARLY)
        if head[1] == 0x51 and len(head) == 40:
            across, down, left, top = struct.unpack_from(">IIII", head, 6)
            tile_width, tile_height = struct.unpack_from(">II", head, 22)
            width, height, components = across - left, down - top, int.from_bytes(head[38:40])
            if min(width, height, tile_width, tile_height, components) <= 0 or components > 8:
                raise Broken(NO_SENSE)
            if -(-across // tile_width) * -(-down // tile_height) > 65_535:
                raise Broken(TOO_MANY_PARTS)
        if head[1] == 0x90 and len(head) >= 12:
            part = struct.unpack_from(">I", head, 6)[0]
            if part == 0:  # the last part reaches to the end
                source.seek(size_bytes - 2)
                if source.read(2) != b"\xff\xd9":
                    raise Broken(ENDS_EARLY)
                place = size_bytes - 2
                break
            if part < 14:
                raise Broken(NO_SENSE)
            place += part
        else:
            place += 2 + max(2, int.from_bytes(head[2:4]))
        if place > size_bytes:
            raise Broken(ENDS_EARLY)
    if not width:
        raise Broken(NO_PICTURE)
    return Outline(width, height, place + 2, components)


@dataclass(frozen=True)
class TiffPage:
    """One page of a TIFF as its directory declares it."""

    width: int
    height: int
    bytes_per_pixel: int


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES, _CHROMA = 256, 257, 258, 259, 277, 284, 530
_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES, _TILE_WIDTH, _TILE_HEIGHT = 273, 279, 324, 325, 322, 323
_WANTED = {
    _WIDTH,
    _HEIGHT,
    _BITS,
    _COMPRESSION,
    _SAMPLES,
    _PLANES,
    _CHROMA,
    _STRIP_OFFSETS,
    _STRIP_SIZES,
    _TILE_OFFSETS,
    _TILE_SIZES,
} | {
    _TILE_WIDTH,
    _TILE_HEIGHT,
}
_ENTRIES_MAX = 2_000
_PARTS_MAX = 200_000


def tiff_pages(source: BinaryIO, size_bytes: int) -> Iterator[TiffPage]:
    """The pages of a TIFF, in order.

    Raises:
        Broken: directories loop, tables or pictures reach beyond the file.
    """
    source.seek(0)
    head = source.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = struct.unpack_from(order + "H", head, 2)[0] == 43
    if len(head) < (16 if is_big else 8):
        raise Broken(ENDS_EARLY)
    place = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)[0]
    seen: set[int] = set()
    while place:
        if place in seen:
            raise Broken(N_("its pages run in a circle"))
        seen.add(place)
        tags, place = _directory(source, size_bytes, place, order, is_big=is_big)
        yield _tiff_page(tags, size_bytes)
    if not seen:
        raise Broken(NO_PICTURE)


def _directory(
    source: BinaryIO, size_bytes: int, place: int, order: str, *, is_big: bool
) -> tuple[dict[int, tuple[int, ...]], int]:
    count_form, entry_form, next_form = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    count_size, entry = struct.calcsize("<" + count_form), struct.Struct(order + entry_form)
    source.seek(place)
    told = source.read(count_size)
    if len(told) < count_size:
        raise Broken(ENDS_EARLY)
    count = struct.unpack(order + count_form, told)[0]
    if not 0 < count <= _ENTRIES_MAX:
        raise Broken(NO_SENSE)
    table = source.read(count * entry.size + struct.calcsize("<" + next_form))
    if len(table) < count * entry.size + struct.calcsize("<" + next_form):
        raise Broken(ENDS_EARLY)
    tags: dict[int, tuple[int, ...]] = {}
    for number in range(count):
        tag, kind, items, value = entry.unpack_from(table, number * entry.size)
        if tag not in _WANTED or kind not in _NUMBERS:
            continue
        if items > _PARTS_MAX:
            raise Broken(TOO_MANY_PARTS)
        size = items * _SIZES[kind]
        if size > len(value):
            offset = struct.unpack(order + next_form, value)[0]
            if offset + size > size_bytes:
                raise Broken(ENDS_EARLY)
            source.seek(offset)
            value = source.read(size)
        tags[tag] = struct.unpack(f"{order}{items}{_NUMBERS[kind]}", value[:size])
    return tags, struct.unpack_from(order + next_form, table, count * entry.size)[0]


def _tiff_page(tags: dict[int, tuple[int, ...]], size_bytes: int) -> TiffPage:
    def number(tag: int, otherwise: int) -> int:
        values = tags.get(tag) or (otherwise,)
        return values[0]

    width, height, samples = number(_WIDTH, 0), number(_HEIGHT, 0), number(_SAMPLES, 1)
    bits = max(tags.get(_BITS) or (1,))
    if not width or not height or not 1 <= samples <= 6 or not 1 <= bits <= 64:
        raise Broken(NO_SENSE)
    if number(_TILE_WIDTH, 1) > 2 * width + 4_096 or number(_TILE_HEIGHT, 1) > 2 * height + 4_096:
        raise Broken(NO_SENSE)
    offsets = tags.get(_TILE_OFFSETS) or tags.get(_STRIP_OFFSETS) or ()
    sizes = tags.get(_TILE_SIZES) or tags.get(_STRIP_SIZES) or ()
    if not offsets:
        raise Broken(NO_PICTURE)
    if any(offset >= size_bytes for offset in offsets):
        raise Broken(ENDS_EARLY)
    is_plain = number(_COMPRESSION, 1) == 1 and _TILE_OFFSETS not in tags
    if is_plain and sum(sizes) < _plain_bytes(tags, width, height, samples):
        raise Broken(ENDS_EARLY)
    if any(offset + size > size_bytes for offset, size in zip(offsets, sizes, strict=False)):
        raise Broken(ENDS_EARLY)
    return TiffPage(width, height, samples * -(-bits // 8))


def _plain_bytes(tags: dict[int, tuple[int, ...]], width: int, height: int, samples: int) -> int:
    """How many bytes an uncompressed picture takes at least; with halved colours (YCbCr) a third of the full."""
    bits = tags.get(_BITS) or (1,)
    per_pixel = sum(bits) if len(bits) == samples else bits[0] * samples
    if (tags.get(_PLANES) or (1,))[0] == 2:
        return height * sum(-(-width * bits[min(n, len(bits) - 1)] // 8) for n in range(samples))
    full = height * -(-width * per_pixel // 8)
    return full // 3 if _CHROMA in tags else full
