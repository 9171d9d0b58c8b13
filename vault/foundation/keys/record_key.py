"""The key of one record, and what is derived from it."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.foundation.keys.errors import Damaged

KEY_BYTES = 32
_NONCE_BYTES = 12


def derive(secret: bytes, salt: bytes, info: bytes, size_bytes: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), size_bytes, salt, info).derive(secret)


@dataclass(frozen=True)
class RecordKey:
    """The 32-byte key of a record. `wrapped` is it under the group key (RFC 3394), for object headers."""

    record_id: UUID
    group_id: UUID
    wrapped: bytes
    secret: bytes = field(repr=False)
    blind_secret: bytes = field(repr=False, default=b"")
    """The group's blind index key; empty where a record is only opened, as by a stand-alone reader."""

    def salt_for(self, component_id: UUID, plain_sha256: bytes) -> bytes:
        """The salt of the component's sealed object for plain text of this digest (sealed object, format 1)."""
        return hmac.digest(self.secret, b"slipvault/1/salt" + component_id.bytes + plain_sha256, "sha256")[:16]

    def component_keys(self, header_start: bytes, salt: bytes) -> tuple[bytes, bytes]:
        """Payload key and key commitment of a component's sealed object, from its header before the salt."""
        okm = derive(self.secret, salt, b"slipvault/1/component" + header_start, 2 * KEY_BYTES)
        return okm[:KEY_BYTES], okm[KEY_BYTES:]

    def seal_field(self, name: str, value: bytes) -> bytes:
        """A short value sealed for the field `name` of this record: random nonce, ciphertext, tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._field_key(name)).encrypt(nonce, value, self._field_identity(name))

    def open_field(self, name: str, sealed: bytes) -> bytes:
        """The value that `seal_field` sealed.

        Raises:
            Damaged: it was altered, or belongs to another record or field.
        """
        try:
            return AESGCM(self._field_key(name)).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._field_identity(name)
            )
        except (InvalidTag, ValueError):
            raise Damaged(segment=0) from None

    def _field_key(self, name: str) -> bytes:
        return derive(self.secret, b"", b"slipvault/1/field" + name.encode(), KEY_BYTES)

    def _field_identity(self, name: str) -> bytes:
        return self.record_id.bytes + name.encode()
