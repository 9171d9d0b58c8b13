"""The examination of one file, from its first bytes to its last page. Runs in a decoder process for most types."""

from __future__ import annotations

from typing import BinaryIO

from vault.intake.checks import media_types
from vault.intake.checks.model import CheckPolicy, Examination, Notes

_TAIL_BYTES = 1 << 16


def examine_here(source: BinaryIO, size_bytes: int, policy: CheckPolicy, declared_name: str | None) -> Examination:
    """Examines in this process."""
    notes = Notes()
    if size_bytes == 0:
        notes.refuse("zero-bytes")
        return Examination(media_types.OTHER, 0, tuple(notes.findings))
    source.seek(0)
    media_type = media_types.media_type_of(source.read(media_types.HEAD_BYTES))
    extension = media_types.contradicting_extension(declared_name, media_type)
    if extension is not None:
        notes.warn("extension-mismatch", extension=extension, found=media_type)
    pages, slip_number = 0, None
    if media_type not in media_types.OPENED:
        if not policy.keep_unopened:
            notes.refuse("unsupported-type", found=media_type)
    elif media_type == media_types.PDF:
        from vault.intake.checks.pdfs import examine_pdf

        pages, slip_number = examine_pdf(source, size_bytes, policy, notes)
    else:
        from vault.intake.checks.images import examine_image

        _trailing_data(source, size_bytes, media_type, policy, notes)
        source.seek(0)
        pages, slip_number = examine_image(source, media_type, policy, notes)
    return Examination(media_type, pages, tuple(notes.findings), slip_number)


def _trailing_data(source: BinaryIO, size_bytes: int, media_type: str, policy: CheckPolicy, notes: Notes) -> None:
    """Bytes behind the end marker of a JPEG or PNG: other programs might read them as something else."""
    end = {media_types.JPEG: b"\xff\xd9", media_types.PNG: b"IEND\xaeB`\x82"}.get(media_type)
    if end is None:
        return
    start = max(0, size_bytes - _TAIL_BYTES)
    source.seek(start)
    tail = source.read()
    found = tail.rfind(end)
    trailing = len(tail) - found - len(end) if found >= 0 else 0
    if trailing > policy.trailing_bytes_max:
        notes.refuse("trailing-data", size_bytes=trailing)
