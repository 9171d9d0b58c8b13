"""Records by the thousand, each with random facts."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, text

from retention_rules.shipped import event_names
from vault.foundation.ids import new_id


def copy_records(url: str, codes: list[str], count: int, seed: int) -> None:
    """Enters so many records of some classes with random days, events and locks behind the service's back."""
    draw, names = random.Random(seed), sorted(event_names())
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        pattern = dict(connection.execute(text("SELECT * FROM records LIMIT 1")).mappings().one())
        state = dict(connection.execute(text("SELECT * FROM record_states LIMIT 1")).mappings().one())
        report = new_id()
        connection.execute(
            text("INSERT INTO event_reports VALUES (:id, :id, 'test-report', sha256(''), 1, now())"), {"id": report}
        )
        columns = ", ".join(pattern)
        copied = text(
            f"INSERT INTO records ({columns}) SELECT {', '.join(_CHANGED.get(name, name) for name in pattern)}"
            " FROM records WHERE id = :pattern"
        )
        for number in range(count):
            record = new_id()
            day = date(1980, 1, 1) + timedelta(days=draw.randrange(17_000))
            connection.execute(
                copied,
                {
                    "pattern": pattern["id"],
                    "new_id": record,
                    "number": number + 100,
                    "class_code": draw.choice(codes),
                    "received_at": f"{day + timedelta(days=draw.randrange(400))}T{draw.randrange(24):02d}:30:00Z",
                    "occurred_date": draw.choice([None, day]),
                },
            )
            _enter_state(connection, state, record, draw)
            for name in draw.sample(names, draw.choice([0, 0, 0, 1, 2, 4])):
                happened = None if draw.random() < 0.05 else day + timedelta(days=draw.randrange(4_000))
                connection.execute(
                    text(
                        "INSERT INTO record_events (id, report_id, record_id, name, day, reported_by_kind, reported_by,"
                        " known_at) VALUES (:id, :report, :record, :name, :day, 'system', :id, now())"
                    ),
                    {"id": new_id(), "report": report, "record": record, "name": name, "day": happened},
                )
    engine.dispose()


_CHANGED = {
    "id": "CAST(:new_id AS uuid)",
    "item_number": ":number",
    "archival_number": "archival_number || '-' || :number",
    "class_code": ":class_code",
    "received_at": "CAST(:received_at AS timestamptz)",
    "occurred_date": "CAST(:occurred_date AS date)",
    "content_sha256": "sha256(CAST(CAST(:number AS text) AS bytea))",
}


def _enter_state(connection: Any, state: dict[str, Any], record: UUID, draw: random.Random) -> None:
    is_filed = draw.random() < 0.5
    row = state | {
        "record_id": record,
        "status": "filed" if is_filed else "received",
        "lock_until": f"{date(2026, 1, 1) + timedelta(days=draw.randrange(-400, 9_000))}T16:00:00Z",
        "what": "keep",
        "retain_until": None,
        "delete_by": None,
        "next_date": None,
    }
    names = ", ".join(row)
    connection.execute(
        text(f"INSERT INTO record_states ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
    )
