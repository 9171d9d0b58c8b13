"""RFC 3161 time stamps: somebody else's word on when a checkpoint existed."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from cryptography.x509 import Certificate
from rfc3161_client import (
    TimestampRequestBuilder,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.errors import VerificationError

from vault.foundation.errors import N_, Fault, VaultError

TIMEOUT_S = 20.0
_RESPONSE_BYTES_MAX = 1 << 20


class TimestampFailed(VaultError):
    """The time-stamp authority gave no usable token."""

    code = "timestamp-failed"
    status = 502
    exit_code = 69
    fault = Fault.STORE
    message = N_("The time-stamp authority {authority} gave no usable token: {problem}.")
    hint = N_("The next try is made on schedule; the ledger itself is not affected.")


class TimestampAuthority:
    """An authority at an HTTP address (RFC 3161 section 3.4)."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise TimestampFailed(authority=url, problem="not an http or https address")
        self.name = url

    def stamp(self, data: bytes) -> bytes:
        """The authority's `TimeStampResp` over the SHA-256 of `data`.

        Raises:
            TimestampFailed: no answer, a refusal, or a token over something else.
        """
        wanted = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
        query = wanted.nonce(nonce=True).cert_request(cert_request=True).build()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.name, query.as_bytes(), {"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the scheme was checked
                token: bytes = answer.read(_RESPONSE_BYTES_MAX)
        except (urllib.error.URLError, OSError) as error:
            raise TimestampFailed(authority=self.name, problem=type(error).__name__) from error
        try:
            response = decode_timestamp_response(token)
            digest = response.tst_info.message_imprint.message
        except ValueError as error:
            raise TimestampFailed(authority=self.name, problem="the answer is not a token") from error
        if digest != hashlib.sha256(data).digest() or response.tst_info.nonce != query.nonce:
            raise TimestampFailed(authority=self.name, problem="the token is over something else")
        return token


def stamps(token: bytes, data: bytes) -> bool:
    """Whether the token is over the SHA-256 of `data`; says nothing of who signed it."""
    try:
        digest = decode_timestamp_response(token).tst_info.message_imprint.message
    except ValueError:
        return False
    return digest == hashlib.sha256(data).digest()


def is_signed_under(token: bytes, data: bytes, roots: list[Certificate]) -> bool:
    """Whether the token over `data` is signed by a time-stamp authority that one of `roots` vouches for."""
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        return bool(builder.build().verify_message(decode_timestamp_response(token), data))
    except (VerificationError, ValueError):
        return False
