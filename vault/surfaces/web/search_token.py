"""A search for a person, sealed into an address: names and numbers of people must not stand in URLs and logs.

The key is derived from a signature of the custodian: Ed25519 signatures are deterministic, so every process of the
installation has the same key, and nobody else can make it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.context import Context
from vault.foundation.keys.custodian import Custodian
from vault.foundation.keys.record_key import derive

LASTS = timedelta(hours=12)
_NONCE_BYTES = 12


def seal(ctx: Context, wanted: dict[str, str]) -> str:
    """The search as a token for an address."""
    body = json.dumps({"at": int(ctx.clock.now().timestamp()), **wanted}, ensure_ascii=False).encode()
    nonce = os.urandom(_NONCE_BYTES)
    return (
        base64.urlsafe_b64encode(nonce + AESGCM(_key(ctx.custodian)).encrypt(nonce, body, None)).decode().rstrip("=")
    )


def unseal(ctx: Context, token: str) -> dict[str, str]:
    """The search of a token; empty when it is not ours or too old."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        told = json.loads(AESGCM(_key(ctx.custodian)).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None))
    except (binascii.Error, ValueError, InvalidTag):
        return {}
    made_at = datetime.fromtimestamp(told.pop("at"), ctx.clock.now().tzinfo)
    return {str(k): str(v) for k, v in told.items()} if ctx.clock.now() - made_at < LASTS else {}


_keys: dict[str, bytes] = {}


def _key(custodian: Custodian) -> bytes:
    """The key of this custodian's installation, derived once a process."""
    if custodian.name not in _keys:
        signature = custodian.sign(b"slipvault search token v1")
        _keys[custodian.name] = derive(signature, b"", b"slipvault/1/search-token", 32)
    return _keys[custodian.name]
