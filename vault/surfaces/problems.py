"""Errors as RFC 9457 problem documents, in the language of the asker."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vault.foundation.errors import N_, Fault, VaultError
from vault.surfaces.i18n import Language, choose_language, translator

MEDIA_TYPE = "application/problem+json"


class BadRequest(VaultError):
    """The request itself does not have the form that its address needs."""

    code = "bad-request"
    status = 400
    exit_code = 64
    fault = Fault.INPUT
    message = N_("The request cannot be read: {problem}")
    hint = N_("Compare it with the description of the interface at /api/v1/docs.")


class NoSuchRange(VaultError):
    """A range of bytes was asked for that the file does not have (RFC 9110 section 15.5.17)."""

    code = "no-such-range"
    status = 416
    exit_code = 64
    fault = Fault.CALLER
    message = N_("The file has {size_bytes} bytes, none of them in that range.")
    hint = N_("Ask for bytes=FIRST-LAST inside the file, or for the whole file without a range.")


class BodyTooLarge(VaultError):
    """A request without a file is larger than any such request needs to be; the rest of it was not read."""

    code = "body-too-large"
    status = 413
    exit_code = 65
    fault = Fault.CALLER
    message = N_("The request is larger than {size_bytes_max} bytes.")
    hint = N_("Send less at once; files go to the upload.")


class UnusableText(VaultError):
    """A text holds what the database cannot keep (NUL, half a surrogate pair), or a number is out of range."""

    code = "unusable-text"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("A text or number in the request cannot be kept.")
    hint = N_("Take out control characters and characters that are no text, and send it again.")


class Busy(VaultError):
    """More requests of this kind than can be served are under way."""

    code = "busy"
    status = 503
    exit_code = 75
    fault = Fault.OURS
    message = N_("The server is busy.")
    hint = N_("Try again in {retry_after_s} seconds.")


def language_of(request: Request) -> Language:
    """The language chosen by the viewer's setting or cookie, else by the browser, else Chinese."""
    return choose_language(request.cookies.get("language"), request.headers.get("accept-language"))


def problem(error: VaultError, language: Language, **members: Any) -> Response:
    """The problem document of `error`; `members` are added to it."""
    said = translator(language).explain(error)
    body = {
        "type": f"urn:slipvault:problem:{error.code}",
        "code": error.code,
        "title": said.what_happened,
        "status": error.status,
        "detail": said.what_happened,
        "hint": said.what_to_do,
        "fault": error.fault.value,
        "facts": {name: _plain(value) for name, value in error.facts.items()},
        **members,
    }
    headers = {"Cache-Control": "no-store"}
    retry_after = error.facts.get("retry_after_s")
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, NoSuchRange):
        headers["Content-Range"] = f"bytes */{error.facts['size_bytes']}"
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="slipvault"'
    return JSONResponse(body, error.status, headers, media_type=MEDIA_TYPE)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool | float | None) else str(value)
