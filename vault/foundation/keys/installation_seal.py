"""Short texts sealed for this installation: what may name a person and must lie somewhere outside a record.

The key is derived from a signature of the custodian: Ed25519 signatures are deterministic, so every process of the
installation has the same key, it is in no database or backup, and nobody else can make it.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.keys.custodian import Custodian
from vault.foundation.keys.errors import Damaged
from vault.foundation.keys.record_key import KEY_BYTES, derive

_NONCE_BYTES = 12
_keys: dict[tuple[str, str], bytes] = {}


def seal(custodian: Custodian, purpose: str, body: bytes, identity: bytes = b"") -> bytes:
    """`body` sealed for `purpose`, bound to `identity`: random nonce, ciphertext, tag.

    Raises:
        CustodianFailed: the custodian cannot sign.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(custodian, purpose)).encrypt(nonce, body, identity)


def unseal(custodian: Custodian, purpose: str, sealed: bytes, identity: bytes = b"") -> bytes:
    """What `seal` sealed.

    Raises:
        Damaged: it was altered, or belongs to another purpose, identity or installation.
        CustodianFailed: the custodian cannot sign.
    """
    try:
        return AESGCM(_key(custodian, purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], identity)
    except (InvalidTag, ValueError):
        raise Damaged(segment=0) from None


def _key(custodian: Custodian, purpose: str) -> bytes:
    """The key of a purpose, derived once a process."""
    if (custodian.name, purpose) not in _keys:
        signature = custodian.sign(f"slipvault {purpose} v1".encode())
        _keys[custodian.name, purpose] = derive(signature, b"", f"slipvault/1/{purpose}".encode(), KEY_BYTES)
    return _keys[custodian.name, purpose]
