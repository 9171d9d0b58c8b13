"""What somebody typed, sealed into an address: names and numbers of people must not stand in URLs and logs."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import datetime, timedelta

from vault.foundation.context import Context
from vault.foundation.keys import installation_seal
from vault.foundation.keys.errors import Damaged

LASTS = timedelta(hours=12)


def seal(ctx: Context, place: str, typed: dict[str, str]) -> str:
    """What was typed at a place as a token for an address, good for that place alone; `at` is taken."""
    body = json.dumps({"at": int(ctx.clock.now().timestamp()), **typed}, ensure_ascii=False).encode()
    return (
        base64.urlsafe_b64encode(installation_seal.seal(ctx.custodian, _purpose(place), zlib.compress(body)))
        .decode()
        .rstrip("=")
    )


def unseal(ctx: Context, place: str, token: str) -> dict[str, str]:
    """What was typed, of a token; empty when it is not ours, from another place, or too old."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        told = json.loads(zlib.decompress(installation_seal.unseal(ctx.custodian, _purpose(place), data)))
    except (binascii.Error, ValueError, Damaged, zlib.error):
        return {}
    made_at = datetime.fromtimestamp(told.pop("at"), ctx.clock.now().tzinfo)
    return {str(k): str(v) for k, v in told.items()} if ctx.clock.now() - made_at < LASTS else {}


def _purpose(place: str) -> str:
    return f"sealed-address {place}"
