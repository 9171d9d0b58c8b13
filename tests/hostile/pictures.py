"""Pictures built to break decoders: bombs, loops, lies in headers, two files in one."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.hostile import good

Built = tuple[str, bytes, set[str]]
_CONTENT_AT = 8 + 2 + 9 * 12 + 4  # behind the header and a directory of nine entries
_TOO_LARGE = {"too-many-pixels", "absurd-dimensions"}
_DAMAGED = {"damaged"}


def hostile() -> Iterator[Built]:
    yield from _pngs()
    yield from _jpegs()
    yield from _tiffs()
    yield from _jpeg2000s()
    yield from _two_in_one()


def png(width: int, height: int, lines: bytes, *, bits: int = 8, kind: int = 0, before: bytes = b"") -> bytes:
    """A PNG with a header of our own and `lines`, packed, as its content."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


@functools.cache
def zeros(size: int) -> bytes:
    """So many zero bytes, packed: a thousandth of their size."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    made = [packer.compress(block) for _ in range(size >> 20)]
    made.append(packer.compress(bytes(size & 0xFFFFF)))
    return b"".join(made) + packer.flush()


def _pngs() -> Iterator[Built]:
    yield "png-declares-4-gigapixels.png", png(65_535, 65_535, zeros(1000)), _TOO_LARGE
    yield "png-declares-2-to-31.png", png(2**31 - 1, 2**31 - 1, zeros(1000)), _TOO_LARGE
    yield "png-bomb-1-bit.png", png(36_000, 36_000, zeros(36_000 * 4_501), bits=1), _TOO_LARGE
    yield "png-bomb-line.png", png(1_000_000, 100, zeros(1_000_001 * 100)), _TOO_LARGE
    yield "png-empty-picture.png", png(0, 0, zeros(10)), _DAMAGED
    yield "png-one-pixel.png", png(1, 1, zeros(2)), {"absurd-dimensions"}
    yield "png-too-few-lines.png", png(800, 1100, zeros(801 * 500)), _DAMAGED
    yield "png-far-too-many-lines.png", png(800, 1100, zeros(300 << 20)), {"*", "accepted"}
    yield "png-bad-depth.png", png(800, 1100, zeros(801 * 1100), bits=7), _DAMAGED
    yield "png-bad-kind.png", png(800, 1100, zeros(801 * 1100), kind=5), _DAMAGED
    text = chunk(b"zTXt", b"Comment\0\0" + zeros(300 << 20))
    yield "png-text-bomb.png", png(800, 1100, zeros(801 * 1100), before=text), {"*"}
    profile = chunk(b"iCCP", b"p\0\0" + zeros(300 << 20))
    yield "png-profile-bomb.png", png(800, 1100, zeros(801 * 1100), before=profile), {"*"}
    many = chunk(b"tEXt", b"a\0b") * 150_000
    yield "png-many-parts.png", png(800, 1100, zeros(801 * 1100), before=many), {"*"}
    whole = good.files()["colour.png"]
    yield "png-wrong-checksum.png", whole[:60] + b"\xff\xff" + whole[62:], {"*"}
    yield "png-no-header.png", whole[:8] + whole[33:], _DAMAGED
    frame = chunk(b"acTL", struct.pack(">II", 1_000_000, 0))
    yield "png-animated.png", whole[:33] + frame + whole[33:], {"*", "accepted"}


def _jpegs() -> Iterator[Built]:
    whole = good.files()["baseline.jpg"]
    frame = whole.index(b"\xff\xc0")

    def sized(width: int, height: int) -> bytes:
        return whole[: frame + 5] + struct.pack(">HH", height, width) + whole[frame + 9 :]

    yield "jpeg-declares-4-gigapixels.jpg", sized(65_500, 65_500), _TOO_LARGE
    yield "jpeg-declares-a-line.jpg", sized(65_500, 20), {"absurd-dimensions"}
    yield "jpeg-declares-nothing.jpg", sized(0, 0), _DAMAGED
    yield "jpeg-declares-more-lines.jpg", sized(827, 9_000), {"*", "accepted"}
    yield "jpeg-two-frames.jpg", whole[:frame] + whole[frame : frame + 19] + whole[frame:], _DAMAGED
    yield "jpeg-20-components.jpg", whole[: frame + 9] + b"\x14" + whole[frame + 10 :], _DAMAGED
    scan = whole.index(b"\xff\xda")
    yield "jpeg-no-scan.jpg", whole[:scan] + b"\xff\xd9", _DAMAGED
    yield "jpeg-no-tables.jpg", whole[:2] + whole[frame:], {"*", "accepted"}
    yield "jpeg-lengths-of-zero.jpg", b"\xff\xd8" + b"\xff\xe0\0\0" * 5_000, _DAMAGED
    yield "jpeg-markers-only.jpg", b"\xff\xd8" + b"\xff\xfe\0\2" * 100_000 + b"\xff\xd9", _DAMAGED
    yield "jpeg-fill-bytes.jpg", b"\xff\xd8" + b"\xff" * 200_000, _DAMAGED
    refined = good.files()["progressive.jpg"]
    last = refined.rindex(b"\xff\xda")
    again = refined[last:-2] * 3_000
    yield "jpeg-thousands-of-scans.jpg", refined[:-2] + again[: 6 << 20] + b"\xff\xd9", {"*"}
    large = refined.index(b"\xff\xc2")
    huge = refined[: large + 5] + struct.pack(">HH", 9_900, 9_900) + refined[large + 9 :]
    yield "jpeg-progressive-98-megapixels.jpg", huge, {"*", "accepted"}
    profile = b"".join(
        b"\xff\xe2" + (65_000 + 16).to_bytes(2) + b"ICC_PROFILE\0" + bytes([n + 1, 100]) + bytes(65_000)
        for n in range(100)
    )
    yield "jpeg-6-megabytes-of-profile.jpg", whole[:2] + profile + whole[2:], {"*", "accepted"}
    exif = b"\xff\xe1\0\x40Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(46)
    yield "jpeg-broken-exif.jpg", whole[:2] + exif + whole[2:], {"*", "accepted"}


def tiff(
    entries: list[tuple[int, int, int, int]], following: int = 0, content: bytes = b"", order: str = "<"
) -> bytes:
    """A TIFF of one directory at byte 8, with `content` behind it."""
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    table = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return head + struct.pack(order + "H", len(entries)) + table + struct.pack(order + "I", following) + content


def _plain(width: int, height: int, at: int, size: int) -> list[tuple[int, int, int, int]]:
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, at),
        (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, size),
    ]  # fmt: skip


def _lzw(width: int, height: int, at: int) -> list[tuple[int, int, int, int]]:
    return [
        (tag, kind, count, 5 if tag == 259 else value) for tag, kind, count, value in _plain(width, height, at, 10)
    ]


def endless_tiff() -> bytes:
    """Every page is the same 64 megapixels of nothing: cheap to send, and there is no end to decoding it."""
    packed = zeros(8_000 * 8_000)
    heavy = [(t, k, c, {259: 8, 279: len(packed)}.get(t, v)) for t, k, c, v in _plain(8_000, 8_000, _CONTENT_AT, 0)]
    start, table = _CONTENT_AT + len(packed), b"".join(struct.pack("<HHII", *entry) for entry in heavy)
    endless = bytearray(tiff(heavy, start, packed))
    for number in range(2_000):
        following = start + (number + 1) * (2 + len(table) + 4) if number < 1_999 else 0
        endless += struct.pack("<H", 9) + table + struct.pack("<I", following)
    return bytes(endless)


def _tiffs() -> Iterator[Built]:
    content, at = bytes(200 * 280), _CONTENT_AT
    plain = _plain(200, 280, at, len(content))
    yield "tiff-circle-of-one.tif", tiff(plain, 8, content), _DAMAGED
    second = at + len(content)
    table = b"".join(struct.pack("<HHII", *entry) for entry in plain)
    circle = tiff(plain, second, content) + struct.pack("<H", 9) + table + struct.pack("<I", 8)
    yield "tiff-circle-of-two.tif", circle, _DAMAGED
    yield "tiff-next-page-outside.tif", tiff(plain, 1 << 30, content), _DAMAGED
    yield "tiff-next-page-in-picture.tif", tiff(plain, at + 3, content), _DAMAGED
    chain = bytearray(tiff(plain, second, content))
    for number in range(4_000):
        start = second + number * (2 + len(table) + 4)
        chain += struct.pack("<H", 9) + table + struct.pack("<I", start + 2 + len(table) + 4 if number < 3_999 else 0)
    yield "tiff-four-thousand-pages.tif", bytes(chain), {"too-many-pages"}
    yield "tiff-directory-of-65535.tif", b"II*\0\x08\0\0\0\xff\xff" + bytes(1_000), _DAMAGED
    yield "tiff-directory-of-none.tif", b"II*\0\x08\0\0\0" + bytes(100), _DAMAGED
    yield "tiff-no-directory.tif", b"II*\0" + bytes(100), _DAMAGED
    yield "tiff-declares-16-exapixels.tif", tiff(_lzw(2**32 - 1, 2**32 - 1, at), 0, content), _TOO_LARGE
    yield "tiff-declares-bomb.tif", tiff(_lzw(39_000, 39_000, at), 0, content), _TOO_LARGE
    yield "tiff-picture-outside.tif", tiff(_plain(200, 280, 1 << 30, 10), 0, content), _DAMAGED
    yield "tiff-picture-too-short.tif", tiff(_plain(200, 280, at, 100), 0, content), _DAMAGED
    for tag, value, name in (
        (258, 255, "bits-of-255"), (277, 60_000, "samples-of-60000"), (259, 34_712, "unknown-compression"),
        (262, 999, "unknown-colours"), (278, 0, "strips-of-no-rows"),
    ):  # fmt: skip
        changed = [(t, k, c, value if t == tag else v) for t, k, c, v in plain]
        yield f"tiff-{name}.tif", tiff(changed, 0, content), {"*", "accepted"} if tag == 278 else {"*"}
    many = [(t, k, 2**31 if t in {273, 279} else c, v) for t, k, c, v in plain]
    yield "tiff-two-billion-strips.tif", tiff(many, 0, content), _DAMAGED
    tiles = [entry for entry in plain if entry[0] not in {273, 278, 279}]
    tiles += [(322, 4, 1, 1 << 30), (323, 4, 1, 1 << 30), (324, 4, 1, at), (325, 4, 1, 100)]
    yield "tiff-gigantic-tiles.tif", tiff(tiles, 0, content), _DAMAGED
    packed = zeros(60 << 20)
    deflated = [(t, k, c, {259: 8, 279: len(packed)}.get(t, v)) for t, k, c, v in _plain(9_000, 9_000, at, 0)]
    yield "tiff-deflate-81-megapixels.tif", tiff(deflated, 0, packed), {"*"}
    yield "tiff-endless-pages.tif", endless_tiff(), {"takes-too-long", "all-blank"}
    big = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", 2**60) + bytes(100)
    yield "bigtiff-directory-of-exabytes.tif", big, _DAMAGED
    big = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", 0) + struct.pack("<Q", 16)
    yield "bigtiff-circle.tif", big, _DAMAGED
    yield "tiff-motorola-circle.tif", tiff(plain, 8, content, ">"), _DAMAGED
    yield "tiff-eight-bytes.tif", b"II*\0\x08\0\0\0", _DAMAGED


def _jpeg2000s() -> Iterator[Built]:
    whole = good.files()["bare.j2k"]

    def sized(width: int, height: int, tile_width: int, tile_height: int, components: int = 1) -> bytes:
        numbers = struct.pack(">IIIIIIII", width, height, 0, 0, tile_width, tile_height, 0, 0)
        return whole[:8] + numbers + components.to_bytes(2) + whole[42:]

    yield "jpeg2000-declares-10-gigapixels.j2k", sized(100_000, 100_000, 100_000, 100_000), _TOO_LARGE
    yield "jpeg2000-declares-2-to-32.j2k", sized(2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1), {"*"}
    yield "jpeg2000-a-million-tiles.j2k", sized(9_000, 9_000, 1, 1), _DAMAGED
    yield "jpeg2000-no-tiles.j2k", sized(827, 1169, 0, 0), _DAMAGED
    yield "jpeg2000-16384-components.j2k", sized(827, 1169, 827, 1169, 16_384), _DAMAGED
    yield "jpeg2000-larger-than-its-tiles.j2k", sized(9_900, 9_900, 827, 1169), {"*"}
    boxed = good.files()["boxed.jp2"]
    yield "jpeg2000-box-without-end.jp2", boxed[:12] + b"\xff\xff\xff\xffftyp" + boxed[20:], _DAMAGED
    yield "jpeg2000-box-of-length-2.jp2", boxed[:12] + b"\0\0\0\2ftyp" + boxed[20:], _DAMAGED
    yield "jpeg2000-no-codestream.jp2", boxed[:32], _DAMAGED
    nested = boxed[:12] + (b"\x00\x00\x00\x08jp2h") * 20_000 + boxed[12:]
    yield "jpeg2000-twenty-thousand-boxes.jp2", nested, {"*", "accepted"}


def _two_in_one() -> Iterator[Built]:
    archive = b"PK\x03\x04" + bytes(1_500) + b"PK\x05\x06" + bytes(18)
    page = b"<html><script>alert(document.cookie)</script></html>" * 40
    program = b"MZ\x90\0" + bytes(3_000)
    for name in ("baseline.jpg", "colour.png", "boxed.jp2"):
        whole, (stem, extension) = good.files()[name], name.split(".")
        yield f"{stem}-then-archive.{extension}", whole + archive, {"trailing-data", "two-types"}
        yield f"{stem}-then-page.{extension}", whole + page, {"trailing-data"}
        yield f"{stem}-then-program.{extension}", whole + program, {"trailing-data"}
        yield f"{stem}-twice.{extension}", whole + whole, {"trailing-data"}
    for name in ("g4.tif", "lzw.tif"):
        yield f"archive-behind-{name}", good.files()[name] + archive, {"two-types"}
    jpeg = good.files()["baseline.jpg"]
    for inside, code in ((b"%PDF-1.4\n1 0 obj<<>>endobj\n", "two-types"),):
        yield "pdf-in-comment.jpg", jpeg[:2] + b"\xff\xfe" + (len(inside) + 2).to_bytes(2) + inside + jpeg[2:], {code}
    # The end marker again at the very end: whoever looks only at the tail sees a picture that ends as it should.
    yield "page-between-two-ends.jpg", jpeg + page + b"\xff\xd9", {"trailing-data"}
    whole = good.files()["colour.png"]
    yield "page-between-two-ends.png", whole + page + whole[-12:], {"trailing-data"}
    blank = good.encoded(Image.new("L", (827, 1169), 255), "JPEG", quality=60, dpi=(100, 100))
    yield "blank.jpg", blank, {"all-blank"}
    low = good.encoded(Image.new("L", (300, 420), 255), "JPEG", quality=60, dpi=(36, 36))
    yield "thirty-six-dpi.jpg", low, {"dpi-too-low", "all-blank"}
