"""Examining and rendering with the dangerous part in a decoder process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from vault.foundation.errors import N_, Fault, VaultError
from vault.intake.checks import CheckPolicy, Examination, Finding, Severity, media_types
from vault.intake.checks.examination import examine_here
from vault.intake.decoding.pool import DecoderFailed, DecoderRefused, DecoderTooSlow, decoders
from vault.intake.renditions.making import Rendition

_HERE_BYTES_MAX = 8 << 20


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

    Plain JPEGs are examined in this process: their decoder is small and fast. Everything else is hostile until
    proven otherwise.
    """
    source.seek(0)
    media_type = media_types.media_type_of(source.read(media_types.HEAD_BYTES))
    is_plain = media_type == media_types.JPEG and size_bytes <= _HERE_BYTES_MAX
    if is_plain or media_type not in media_types.OPENED:
        return examine_here(source, size_bytes, policy, declared_name)
    try:
        return decoders().examine(source, size_bytes, policy, declared_name)
    except DecoderTooSlow as error:
        finding = Finding("takes-too-long", Severity.REFUSE, None, {"seconds": f"{error.seconds:.0f}"})
    except (DecoderFailed, DecoderRefused):
        finding = Finding("breaks-decoder", Severity.REFUSE, None, {})
    return Examination(media_type, 0, (finding,))


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
