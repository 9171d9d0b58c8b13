"""Examining and rendering with the dangerous part in a decoder process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from vault.foundation.errors import N_, Fault, VaultError
from vault.intake.checks import CheckPolicy, Examination, Finding, Severity, media_types
from vault.intake.checks.examination import examine_here
from vault.intake.checks.outlines import Broken, jpeg_outline
from vault.intake.decoding.pool import DecoderFailed, DecoderRefused, DecoderTooSlow, decoders
from vault.intake.renditions.rendition import Rendition

_HERE_BYTES_MAX = 8 << 20
_HERE_PIXELS_MAX = 40_000_000
_HERE_SCANS_MAX = 4


class NotRenderable(VaultError):
    """No access copy can be made from the original; the original itself is kept as it is."""

    code = "not-renderable"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("No pages can be made from this original: {problem}.")
    hint = N_("The original is kept unchanged and can be fetched by who has the right.")


def examine(source: BinaryIO, size_bytes: int, policy: CheckPolicy, declared_name: str | None) -> Examination:
    """What the file is, how many pages it has, and what speaks against it. Never raises for what a file is.

    Plain JPEGs are examined in this process: their decoder is small and fast, and the outline says beforehand what it
    will cost. Everything else is hostile until proven otherwise.
    """
    source.seek(0)
    media_type = media_types.media_type_of(source.read(media_types.HEAD_BYTES))
    if media_type not in media_types.OPENED or _is_plain_jpeg(source, size_bytes, media_type):
        return examine_here(source, size_bytes, policy, declared_name)
    try:
        return decoders().examine(source, size_bytes, policy, declared_name)
    except DecoderTooSlow as error:
        finding = Finding("takes-too-long", Severity.REFUSE, None, {"seconds": f"{error.seconds:.0f}"})
    except (DecoderFailed, DecoderRefused):
        finding = Finding("breaks-decoder", Severity.REFUSE, None, {})
    return Examination(media_type, 0, (finding,))


def stand_ready() -> None:
    """Loads what the first upload of this process would otherwise wait for, and starts a decoder."""
    import vault.intake.checks.barcodes
    import vault.intake.checks.images  # noqa: F401 - loaded to be there

    decoders().stand_ready()


def _is_plain_jpeg(source: BinaryIO, size_bytes: int, media_type: str) -> bool:
    """Sequential, of ordinary size, one picture: no progressive refinement that costs memory and time without end."""
    if media_type != media_types.JPEG or size_bytes > _HERE_BYTES_MAX:
        return False
    source.seek(0)
    try:
        outline = jpeg_outline(source.read())
    except Broken:
        return True  # the examination will say the same without any decoder
    return (
        outline.is_baseline
        and outline.pictures == 1
        and outline.components in {1, 3}
        and outline.scans <= _HERE_SCANS_MAX
        and outline.width * outline.height <= _HERE_PIXELS_MAX
    )


def render(source: BinaryIO, size_bytes: int, media_type: str) -> Iterator[Rendition]:
    """The renditions of an original, the access copy last.

    Raises:
        NotRenderable: the bytes defeat the decoders.
    """
    try:
        yield from decoders().render(source, size_bytes, media_type)
    except DecoderTooSlow:
        raise NotRenderable(problem="it takes too long") from None
    except DecoderRefused as error:
        raise NotRenderable(problem=str(error)) from None
    except DecoderFailed:
        raise NotRenderable(problem="the decoder failed") from None
