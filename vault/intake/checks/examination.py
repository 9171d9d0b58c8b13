"""The examination of one file, from its first bytes to its last page. Runs in a decoder process for most types."""

from __future__ import annotations

from typing import BinaryIO

from vault.intake.checks import media_types
from vault.intake.checks.model import CheckPolicy, Examination, Notes

_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES, _ZIP_COMMENT_BYTES_MAX = 22, 65_535


def examine_here(source: BinaryIO, size_bytes: int, policy: CheckPolicy, declared_name: str | None) -> Examination:
    """Examines in this process."""
    notes = Notes()
    if size_bytes == 0:
        notes.refuse("zero-bytes")
        return Examination(media_types.OTHER, 0, tuple(notes.findings))
    source.seek(0)
    head = source.read(media_types.HEAD_BYTES)
    media_type = media_types.media_type_of(head)
    extension = media_types.contradicting_extension(declared_name, media_type)
    if extension is not None:
        notes.warn("extension-mismatch", extension=extension, found=media_type)
    if media_type not in media_types.OPENED:
        if not policy.keep_unopened:
            notes.refuse("unsupported-type", found=media_type)
    else:
        _second_type(source, size_bytes, media_type, head, notes)
        if media_type == media_types.PDF:
            from vault.intake.checks.pdfs import examine_pdf

            examine_pdf(source, size_bytes, policy, notes)
        else:
            from vault.intake.checks.images import examine_image

            examine_image(source, size_bytes, media_type, policy, notes)
    return Examination(media_type, len(notes.pages), tuple(notes.findings), notes.slip_number, tuple(notes.pages))


def _second_type(source: BinaryIO, size_bytes: int, media_type: str, head: bytes, notes: Notes) -> None:
    """A file that is valid as two types shows one thing to the examiner and another to somebody else's program."""
    if media_type != media_types.PDF and b"%PDF-" in head[:1024]:
        notes.refuse("two-types", first=media_type, second=media_types.PDF)
    start = max(0, size_bytes - _ZIP_END_BYTES - _ZIP_COMMENT_BYTES_MAX)
    source.seek(start)
    tail = source.read()
    place = tail.rfind(_ZIP_END)
    if place >= 0 and place + _ZIP_END_BYTES + int.from_bytes(tail[place + 20 : place + 22], "little") == len(tail):
        notes.refuse("two-types", first=media_type, second="application/zip")
