"""The locks of a record as the catalogue notes them, once they stand in the stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text

from vault.catalogue.model import Event, RecordStatus
from vault.catalogue.service import Changing, table_digest
from vault.catalogue.tables import component_copies, record_states
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.ledger.entry import Entry
from vault.foundation.storage.interface import Lock


def set_locks(
    tx: Transaction,
    record_id: UUID,
    changing: Changing,
    locks: Mapping[tuple[UUID, str], Lock],
    digests: Mapping[str, Detail],
) -> Entry:
    """Notes the COMPLIANCE locks that stand in the stores, read back, and that the record is filed.

    `locks` are by component and store, of every copy that the record has; `digests` are those of tables that the caller
    changed. Leaves `catalogue:locks:set`. The database refuses a lock that is shorter or weaker than before (R1).
    """
    until = min(lock.until for lock in locks.values() if lock.until is not None)
    rows = [
        {"component_id": str(component), "store": store, "lock_mode": lock.mode.value, "lock_until": lock.until}
        for (component, store), lock in locks.items()
    ]
    tx.connection.execute(_SET_COPIES, {"rows": json.dumps(rows, default=datetime.isoformat)})
    tx.connection.execute(
        record_states.update()
        .where(record_states.c.record_id == record_id)
        .values(status=RecordStatus.FILED.value, lock_until=func.greatest(record_states.c.lock_until, until))
    )
    told: dict[str, Detail] = {
        table.name: table_digest(tx.connection, table, record_id, changing.salt)
        for table in (record_states, component_copies)
    }
    return tx.witness(
        Event.LOCKS_SET,
        "record",
        record_id,
        revision=changing.revision,
        lock_until=until.isoformat(timespec="seconds"),
        copies=len(locks),
        digests={**digests, **told},
    )


_SET_COPIES = text(
    "UPDATE component_copies SET lock_mode = d.lock_mode, lock_until = d.lock_until"
    " FROM json_populate_recordset(NULL::component_copies, CAST(:rows AS json)) AS d"
    " WHERE component_copies.component_id = d.component_id AND component_copies.store = d.store"
)
