"""The custodian: it wraps and unwraps under epoch secrets that never leave it, and signs checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from vault.foundation.keys.errors import CustodianFailed


class Custodian(Protocol):
    """What guards the epoch secrets. Every method may raise `CustodianFailed`."""

    @property
    def name(self) -> str:
        """Kind and place without secrets."""
        ...

    def epochs(self) -> tuple[int, ...]:
        """The epochs whose secrets exist, rising."""
        ...

    def create_epoch(self) -> int:
        """Makes the next epoch's secret, durable on return, and gives its number (from 1)."""
        ...

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        """`key` sealed under the epoch's secret, bound to `context`. Raises EpochGone."""
        ...

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        """What was wrapped. Raises EpochGone, or UnwrapFailed for another context or altered bytes."""
        ...

    def destroy_epoch(self, epoch: int) -> None:
        """Destroys the epoch's secret for ever. Only shredding may call this. Raises EpochGone."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032) of `message` by the custodian's signing key."""
        ...

    def public_key(self) -> bytes:
        """The 32-byte public half of the signing key."""
        ...

    def witness_secret(self) -> bytes:
        """The 32 bytes by which the service marks the ledger entries that it writes itself; the same at every call."""
        ...


def open_custodian(url: str, forbidden_parents: Sequence[Path] = ()) -> Custodian:
    """The custodian at `url`: `file:///dir`, or `pkcs11:///module.so?token=LABEL&pin-file=/path`.

    `forbidden_parents` are directories that are backed up or kept with the data: a custodian in one of them would
    put the lock and its key into the same copy.

    Raises:
        CustodianFailed: the address, directory, module, token or PIN cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and not parts.netloc:
        from vault.foundation.keys.custodian_file import FileCustodian

        return FileCustodian(Path(parts.path), forbidden_parents)
    if parts.scheme == "pkcs11" and parts.path:
        from vault.foundation.keys.custodian_pkcs11 import Pkcs11Custodian

        asked = parse_qs(parts.query)
        if "token" in asked and "pin-file" in asked:
            return Pkcs11Custodian(parts.path, asked["token"][0], Path(asked["pin-file"][0]))
    raise CustodianFailed(
        custodian=parts.scheme or "?", problem="use file:///directory or pkcs11:///module.so?token=...&pin-file=..."
    )
