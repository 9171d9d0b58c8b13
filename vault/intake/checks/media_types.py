"""What a file is, by its content. Names are only compared with it."""

from __future__ import annotations

from pathlib import PurePath

HEAD_BYTES = 1_100
TIFF, JPEG, PNG, JPEG2000, PDF = "image/tiff", "image/jpeg", "image/png", "image/jp2", "application/pdf"
OTHER = "application/octet-stream"
IMAGES = frozenset({TIFF, JPEG, PNG, JPEG2000})
OPENED = IMAGES | {PDF}

_EXTENSIONS = {
    TIFF: {".tif", ".tiff"},
    JPEG: {".jpg", ".jpeg", ".jpe", ".jfif"},
    PNG: {".png"},
    JPEG2000: {".jp2", ".j2k", ".jpf", ".jpx", ".j2c"},
    PDF: {".pdf"},
}


def media_type_of(head: bytes) -> str:
    """The media type of a file that begins with `head` (at least `HEAD_BYTES`, unless it is shorter)."""
    if head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return TIFF
    if head[:3] == b"\xff\xd8\xff":
        return JPEG
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return PNG
    if head[:12] == b"\0\0\0\x0cjP  \r\n\x87\n" or head[:4] == b"\xff\x4f\xff\x51":
        return JPEG2000
    if b"%PDF-" in head[:1024]:
        return PDF
    return OTHER


def contradicting_extension(name: str | None, media_type: str) -> str | None:
    """The extension of `name` when it belongs to another of the types that are opened."""
    extension = PurePath(name or "").suffix.lower()
    owners = {kind for kind, extensions in _EXTENSIONS.items() if extension in extensions}
    return extension if owners and media_type not in owners else None
