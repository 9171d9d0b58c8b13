"""The keyring's rows against the ledger and the custodian: which groups and epochs there are, and for what."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from vault.foundation.context import Context
from vault.foundation.keys.keyring import EVENT_GROUP_CREATED
from vault.foundation.keys.tables import key_epochs, key_groups
from vault.foundation.ledger.entry import is_own
from vault.foundation.ledger.tables import ledger_entries
from vault.oversight.model import Finding, FindingCode


def check_keyring(ctx: Context, connection: Connection) -> list[Finding]:
    """Groups that no act made, that an act made and nobody finds, or that say something else; epochs without secret."""
    made = _groups_made(connection, ctx.custodian.witness_secret())
    findings = []
    for row in connection.execute(select(key_groups)).mappings():
        told = made.pop(row["id"], {})
        differing = [name for name in ("class_code", "period", "generation") if told.get(name) != row[name]]
        if differing:
            findings.append(_finding("group", row["id"], "key_groups", ", ".join(differing)))
    findings += [_finding("group", group_id, "key_groups", "id") for group_id in made]
    secrets = set(ctx.custodian.epochs())
    for epoch in connection.execute(select(key_epochs.c.number, key_epochs.c.state)):
        if (epoch.state != "destroyed") != (epoch.number in secrets):
            findings.append(_finding("epoch", epoch.number, "key_epochs", "state"))
    return findings


def _groups_made(connection: Connection, witness_secret: bytes) -> dict[UUID, dict[str, Any]]:
    rows = connection.execute(
        select(ledger_entries.c.subject_id, ledger_entries.c.body, ledger_entries.c.mark).where(
            ledger_entries.c.event == EVENT_GROUP_CREATED
        )
    )
    return {
        row.subject_id: json.loads(row.body)["details"] for row in rows if is_own(witness_secret, row.body, row.mark)
    }


def _finding(what: str, identity: object, table: str, field: str) -> Finding:
    return Finding(FindingCode.KEY_ALTERED, what, str(identity), {"table": table, "field": field})
