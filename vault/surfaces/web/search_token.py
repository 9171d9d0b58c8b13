"""A search for a person, sealed into an address: names and numbers of people must not stand in URLs and logs."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta

from vault.foundation.context import Context
from vault.foundation.keys import installation_seal
from vault.foundation.keys.errors import Damaged

LASTS = timedelta(hours=12)
_PURPOSE = "search-token"


def seal(ctx: Context, wanted: dict[str, str]) -> str:
    """The search as a token for an address."""
    body = json.dumps({"at": int(ctx.clock.now().timestamp()), **wanted}, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(installation_seal.seal(ctx.custodian, _PURPOSE, body)).decode().rstrip("=")


def unseal(ctx: Context, token: str) -> dict[str, str]:
    """The search of a token; empty when it is not ours or too old."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        told = json.loads(installation_seal.unseal(ctx.custodian, _PURPOSE, data))
    except (binascii.Error, ValueError, Damaged):
        return {}
    made_at = datetime.fromtimestamp(told.pop("at"), ctx.clock.now().tzinfo)
    return {str(k): str(v) for k, v in told.items()} if ctx.clock.now() - made_at < LASTS else {}
