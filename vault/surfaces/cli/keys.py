"""`slipvault keys status`."""

from __future__ import annotations

import base64
import sys

from vault.surfaces.cli.connection import opened_host
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, verb

group = new_group("keys", _("See the state of the custodian and its epochs (on the host)."))
GROUPS = {"keys": group}


@verb(group, "status", _("Show the custodian, its epochs, and whether every epoch that keys need exists."))
def status(as_json: Json = False) -> int:
    from sqlalchemy import func, select

    from vault.foundation.keys.tables import key_epochs, key_groups, record_keys

    with opened_host() as ctx, ctx.database.read() as connection:
        there = ctx.custodian.epochs()
        epochs = connection.execute(select(key_epochs).order_by(key_epochs.c.number)).all()
        needed = set(connection.execute(select(key_groups.c.epoch).distinct()).scalars())
        groups = connection.execute(select(func.count()).select_from(key_groups)).scalar_one()
        records = connection.execute(select(func.count()).select_from(record_keys)).scalar_one()
        signing_key = base64.b64encode(ctx.custodian.public_key()).decode()
        custodian = ctx.custodian.name
    missing = sorted(needed - set(there))
    told = [(e.number, e.state, e.created_at.isoformat(), e.number in there) for e in epochs]
    counts = {"groups": groups, "record_keys": records, "epochs_missing": missing}
    if as_json:
        names = ("number", "state", "created_at", "in_custodian")
        listed = [dict(zip(names, epoch, strict=True)) for epoch in told]
        print_json({"custodian": custodian, "signing_key": signing_key, "epochs": listed, **counts})
    else:
        print_facts([(_("Custodian"), custodian), (_("Signing key"), signing_key), *counts.items()])
        for epoch in told:
            sys.stdout.write("\t".join(str(part) for part in epoch) + "\n")
    return 1 if missing else 0
