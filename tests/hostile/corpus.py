"""Five hundred hostile files, the same every time: each with what may become of it.

`python -m tests.hostile.corpus DIR` writes them, to be sent at a running service.
"""

from __future__ import annotations

import functools
import io
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from PIL import Image

from tests.support.archive import jpeg, page, pdf, tiff

COUNT = 500


@dataclass(frozen=True)
class Hostile:
    """A file. `must_refuse` holds one of the codes that its refusal must name; empty when it may be accepted whole."""

    name: str
    data: bytes
    must_refuse: tuple[str, ...] = ()


def corpus() -> Iterator[Hostile]:
    """All of them."""
    made = [*crafted(), *pdfs_with_intent()]
    yield from made
    yield from mutations(COUNT - len(made))


@functools.cache
def good_files() -> dict[str, bytes]:
    """One good file of each kind."""
    files = {"g4.tif": tiff(2), "scan.jpg": jpeg(), "scan.pdf": pdf()}
    for name, kind, options in (
        ("lzw.tif", "TIFF", {"compression": "tiff_lzw"}),
        ("deflate.tif", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("jpeg.tif", "TIFF", {"compression": "jpeg"}),
        ("scan.png", "PNG", {}),
        ("scan.jp2", "JPEG2000", {}),
    ):
        out = io.BytesIO()
        # JPEG 2000 states no resolution: it is judged as if the page were A4.
        picture = page(seed=9) if kind == "JPEG2000" else page(seed=9).resize((500, 700))
        picture.save(out, kind, dpi=(120, 120), **options)
        files[name] = out.getvalue()
    return files


def mutations(count: int) -> Iterator[Hostile]:
    """Good files cut, flipped, doubled, stretched and shuffled, by a fixed seed."""
    draw = random.Random(20260101)
    names = sorted(good_files())
    for number in range(count):
        name = names[number % len(names)]
        data = bytearray(good_files()[name])
        kind = draw.choice(("cut", "flip", "flip-many", "zero", "insert", "shuffle", "header"))
        if kind == "cut":
            del data[draw.randrange(1, len(data)) :]
        elif kind == "flip":
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif kind == "flip-many":
            for _ in range(draw.randrange(5, 200)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        elif kind == "zero":
            start = draw.randrange(len(data))
            size = min(draw.randrange(1, 4000), len(data) - start)
            data[start : start + size] = bytes(size)
        elif kind == "insert":
            data[draw.randrange(len(data)) :][:0] = draw.randbytes(draw.randrange(1, 3000))
        elif kind == "shuffle":
            cut = draw.randrange(1, len(data))
            data = data[cut:] + data[:cut]
        else:
            for place in range(min(64, len(data))):
                if draw.random() < 0.3:
                    data[place] = draw.randrange(256)
        yield Hostile(f"{number:03d}-{kind}-{name}", bytes(data))


def crafted() -> list[Hostile]:
    """Made by hand: each attack by its name."""
    damaged = ("damaged", "breaks-decoder", "takes-too-long")
    bounds = ("too-many-pixels", "absurd-dimensions", *damaged)
    return [
        Hostile("empty.tif", b"", ("zero-bytes",)),
        Hostile("one-byte.jpg", b"\xff", ("unsupported-type",)),
        Hostile("text.pdf", b"this is no pdf", ("unsupported-type",)),
        Hostile("script.jpg", b"#!/bin/sh\nrm -rf /\n", ("unsupported-type",)),
        Hostile("page.tif", b"<html><script>alert(1)</script></html>", ("unsupported-type",)),
        Hostile("program.png", b"\x7fELF" + bytes(2000), ("unsupported-type",)),
        Hostile("archive.pdf", b"PK\x03\x04" + bytes(2000), ("unsupported-type",)),
        Hostile("entities.tif", _entity_bomb(), ("unsupported-type",)),
        Hostile("only-magic.jpg", b"\xff\xd8\xff", damaged),
        Hostile("only-magic.png", b"\x89PNG\r\n\x1a\n", damaged),
        Hostile("only-magic.pdf", b"%PDF-1.7\n", damaged),
        Hostile("only-magic.tif", b"II*\0", damaged),
        Hostile("only-magic.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", damaged),
        Hostile("huge.png", png(60_000, 60_000), bounds),
        Hostile("wide.png", png(2_000_000, 20), bounds),
        Hostile("bomb.png", png_bomb(), bounds),
        Hostile("huge-declared.jpg", _jpeg_with_size(65_500, 65_500), bounds),
        Hostile("ifd-loop.tif", _tiff_loop(), damaged),
        Hostile("far-ifd.tif", b"II*\0" + struct.pack("<I", 0x7FFFFFFF), damaged),
        Hostile("html-behind.jpg", jpeg() + b"<html><script>alert(1)</script>" * 100, ("trailing-data",)),
        Hostile("zip-behind.png", good_files()["scan.png"] + b"PK\x03\x04" + bytes(5000), ("trailing-data",)),
        Hostile("html-before.pdf", b"<html><script>1</script></html>\n" + pdf(), ("leading-data", "damaged")),
        Hostile("blank.jpg", _blank(), ("all-blank",)),
        Hostile("tiny.png", png(4, 4), bounds),
        Hostile("low-resolution.jpg", _low(), ("dpi-too-low",)),
    ]


def pdfs_with_intent() -> list[Hostile]:
    """PDFs that would do something, or hide something."""
    runs = {
        "javascript": {"/S": pikepdf.Name("/JavaScript"), "/JS": "app.alert(1)"},
        "launch": {"/S": pikepdf.Name("/Launch"), "/F": "calc.exe"},
        "submit": {"/S": pikepdf.Name("/SubmitForm"), "/F": "http://127.0.0.1/"},
        "import": {"/S": pikepdf.Name("/ImportData"), "/F": "x.fdf"},
    }
    made = []
    for name, action in runs.items():
        with pikepdf.open(io.BytesIO(pdf())) as document:
            document.Root.OpenAction = pikepdf.Dictionary(action)
            made.append(Hostile(f"open-{name}.pdf", _saved(document), ("active-content",)))
        with pikepdf.open(io.BytesIO(pdf())) as document:
            note = pikepdf.Dictionary(
                {"/Type": pikepdf.Name.Annot, "/Subtype": pikepdf.Name.Link, "/Rect": [0, 0, 9, 9]}
            )
            note.A = pikepdf.Dictionary(action)
            document.pages[0].Annots = pikepdf.Array([document.make_indirect(note)])
            made.append(Hostile(f"link-{name}.pdf", _saved(document), ("active-content",)))
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.attachments["evil.exe"] = b"MZ" + bytes(100)
        made.append(Hostile("attachment.pdf", _saved(document), ("embedded-files",)))
    with pikepdf.open(io.BytesIO(pdf())) as document:
        made.append(
            Hostile("encrypted.pdf", _saved(document, encryption=pikepdf.Encryption("u", "o")), ("encrypted",))
        )
        made.append(
            Hostile("owner-locked.pdf", _saved(document, encryption=pikepdf.Encryption("", "o")), ("encrypted",))
        )
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.Root.AcroForm = pikepdf.Dictionary({"/XFA": document.make_stream(b"<xdp/>"), "/Fields": []})
        made.append(Hostile("xfa.pdf", _saved(document), ("active-content",)))
    made.append(Hostile("deep.pdf", _deep_pdf(), ("damaged", "breaks-decoder", "takes-too-long", "no-pages")))
    made.append(Hostile("stream-bomb.pdf", _stream_bomb()))
    made.append(Hostile("page-loop.pdf", _page_loop(), ("damaged", "breaks-decoder", "takes-too-long", "no-pages")))
    return made


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG that claims a size, with the image data given."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", body or zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def png_bomb() -> bytes:
    """A few kilobytes that would be 1.6 gigabytes of pixels."""
    squeezer = zlib.compressobj(9)
    row = bytes(40_001)
    parts = [squeezer.compress(row * 100) for _ in range(20)]
    return png(40_000, 39_000, b"".join(parts) + squeezer.flush())


def _entity_bomb() -> bytes:
    lines = [f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 30)]
    return ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">' + "".join(lines) + "]><x>&e29;</x>").encode()


def _jpeg_with_size(width: int, height: int) -> bytes:
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _tiff_loop() -> bytes:
    data = bytearray(tiff(2))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + entries * 12, first)
    return bytes(data)


def _blank() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (827, 1169), "white").save(out, "JPEG", dpi=(100, 100))
    return out.getvalue()


def _low() -> bytes:
    out = io.BytesIO()
    page(seed=3).resize((400, 560)).save(out, "JPEG", dpi=(48, 48))
    return out.getvalue()


def _saved(document: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    document.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _deep_pdf() -> bytes:
    nested = b"[" * 60_000 + b"]" * 60_000
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/X " + nested + b">>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


def _stream_bomb() -> bytes:
    """Flate in Flate in Flate: small outside, a gigabyte inside, on a page that never draws it."""
    inner = zlib.compress(bytes(50_000_000), 9)
    for _ in range(2):
        inner = zlib.compress(inner, 9)
    with pikepdf.open(io.BytesIO(pdf())) as document:
        bomb = pikepdf.Stream(document, inner)
        bomb.Filter = pikepdf.Array([pikepdf.Name.FlateDecode] * 3)
        document.Root.Bomb = document.make_indirect(bomb)
        return _saved(document, stream_decode_level=pikepdf.StreamDecodeLevel.none, recompress_flate=False)


def _page_loop() -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99>>endobj\n"
        b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000053 00000 n \n"
        b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n114\n%%EOF\n"
    )


def main() -> None:
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for hostile in corpus():
        (directory / hostile.name).write_bytes(hostile.data)


if __name__ == "__main__":
    main()
