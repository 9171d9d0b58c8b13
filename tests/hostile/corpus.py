"""Five hundred files that somebody might send to break the examiner, the same on every run.

Each names the outcomes that are right for it: codes of findings that may refuse it, and `ACCEPTED` where taking it
whole is right too. What is wrong for every file is a crash, a hang, memory without bound, or half a file taken.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hostile import documents, good, pictures

COUNT = 500
ACCEPTED = "accepted"
ANYTHING = frozenset({"*"})
_MUTATED_SEED = 20261124


@dataclass(frozen=True)
class HostileFile:
    """`outcomes` holds codes that may refuse the file, `ACCEPTED`, or "*" for any refusal with a reason."""

    name: str
    data: bytes
    outcomes: frozenset[str]

    @property
    def may_be_accepted(self) -> bool:
        return ACCEPTED in self.outcomes


def corpus() -> list[HostileFile]:
    """All files."""
    made = [*_cut_off(), *_built(), *_of_other_types(), *_noise()]
    files = [*made, *itertools.islice(_mutated(), COUNT - len(made))]
    assert len(files) == COUNT == len({file.name for file in files})
    return files


def _cut_off() -> Iterator[HostileFile]:
    """Every kind of file ends somewhere before its end: never accepted."""
    for name, data in good.files().items():
        stem, extension = name.rsplit(".", 1)
        places = [16, 100, 600, len(data) // 4, len(data) // 2, len(data) * 3 // 4, len(data) - 400, len(data) - 9]
        for place in sorted({place for place in places if 8 < place < len(data)}):
            yield HostileFile(f"cut-{stem}-at-{place}.{extension}", data[:place], ANYTHING)


def _built() -> Iterator[HostileFile]:
    for name, data, outcomes in itertools.chain(pictures.hostile(), documents.hostile()):
        yield HostileFile(name, data, frozenset(outcomes))


def _of_other_types() -> Iterator[HostileFile]:
    heads = {
        "a.exe": b"MZ\x90\0" + bytes(200),
        "a.docx": b"PK\x03\x04" + bytes(200),
        "a.zip": b"PK\x05\x06" + bytes(18),
        "a.html": b"<!doctype html><script>alert(1)</script>",
        "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "a.gif": b"GIF89a\x01\0\x01\0\x80\0\0",
        "a.bmp": b"BM" + bytes(60),
        "a.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20),
        "a.psd": b"8BPS\0\1" + bytes(30),
        "a.elf": b"\x7fELF\2\1\1" + bytes(60),
        "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n(x) run\n",
        "a.txt": "业务单\n".encode(),
        "a.tar.gz": b"\x1f\x8b\x08\0" + bytes(40),
        "a.rar": b"Rar!\x1a\7\1\0" + bytes(40),
    }
    for name, data in heads.items():
        yield HostileFile(f"other-{name}", data, frozenset({"unsupported-type"}))
    for claimed in ("tif", "jpg", "png", "jp2", "pdf"):
        yield HostileFile(f"program-called-scan.{claimed}", heads["a.exe"], frozenset({"unsupported-type"}))
        yield HostileFile(f"page-called-scan.{claimed}", heads["a.html"], frozenset({"unsupported-type"}))
        yield HostileFile(f"empty.{claimed}", b"", frozenset({"zero-bytes"}))
    for name, data in good.files().items():
        stem, extension = name.rsplit(".", 1)
        wrong = "png" if extension != "png" else "pdf"
        yield HostileFile(f"honest-{stem}-as-{extension}.{wrong}", data, frozenset({ACCEPTED}))


def _noise() -> Iterator[HostileFile]:
    """Random bytes, bare and behind the first bytes of each type."""
    draw = random.Random(7)
    magics = {
        "tif": b"II*\0\x08\0\0\0",
        "tiff": b"MM\0+\0\x08\0\0",
        "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
        "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
        "j2k": b"\xff\x4f\xff\x51",
        "pdf": b"%PDF-1.7\n",
    }
    for extension, magic in magics.items():
        for size in (1, 64, 4_000, 60_000):
            yield HostileFile(f"noise-{size}.{extension}", magic + draw.randbytes(size), ANYTHING)
    for size in (1, 2, 500, 20_000):
        yield HostileFile(f"noise-{size}.bin", b"\x01" + draw.randbytes(size), frozenset({"unsupported-type"}))


def _mutated() -> Iterator[HostileFile]:
    """Good files with some bits turned, a stretch zeroed, doubled, moved or cut out."""
    draw = random.Random(_MUTATED_SEED)
    files = good.files()
    for number in itertools.count():
        name = list(files)[number % len(files)]
        data = bytearray(files[name])
        kind = ("flipped", "flipped-head", "zeroed", "doubled", "cut-out", "shuffled")[number // len(files) % 6]
        start = draw.randrange(12, len(data) - 64)
        length = draw.randrange(1, min(4_000, len(data) - start))
        if kind == "flipped":
            for _ in range(draw.randrange(1, 30)):
                data[draw.randrange(12, len(data))] ^= 1 << draw.randrange(8)
        elif kind == "flipped-head":
            for _ in range(draw.randrange(1, 6)):
                data[draw.randrange(8, min(400, len(data)))] ^= 1 << draw.randrange(8)
        elif kind == "zeroed":
            data[start : start + length] = bytes(length)
        elif kind == "doubled":
            data[start:start] = data[start : start + length]
        elif kind == "cut-out":
            del data[start : start + length]
        else:
            part = bytearray(data[start : start + length])
            draw.shuffle(part)
            data[start : start + length] = part
        yield HostileFile(f"{kind}-{number}-{name}", bytes(data), frozenset({ACCEPTED, "*"}))


def write(directory: Path) -> None:
    """The corpus as a folder, to be sent by hand."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in corpus():
        (directory / file.name).write_bytes(file.data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
