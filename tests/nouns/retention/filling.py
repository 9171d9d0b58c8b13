"""Records by the thousand, each with random facts."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from sqlalchemy import create_engine, text

from retention_rules.shipped import event_names
from vault.foundation.ids import new_id

_BATCH = 2_000


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
        for first in range(0, count, _BATCH):
            made = [_made(draw, codes, names, number) for number in range(first, min(first + _BATCH, count))]
            of_pattern = {"pattern": pattern["id"]}
            connection.execute(copied, [of_pattern | record for record, _, _ in made])
            rows = [state | of_state for _, of_state, _ in made]
            known = ", ".join(state), ", ".join(f":{name}" for name in state)
            connection.execute(text(f"INSERT INTO record_states ({known[0]}) VALUES ({known[1]})"), rows)
            happened = [event | {"report": report} for _, _, events in made for event in events]
            if happened:
                connection.execute(_HAPPENED, happened)
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


_HAPPENED = text(
    "INSERT INTO record_events (id, report_id, record_id, name, day, reported_by_kind, reported_by, known_at)"
    " VALUES (:id, :report, :record, :name, :day, 'system', :id, now())"
)


def _made(
    draw: random.Random, codes: list[str], names: list[str], number: int
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """One record: what differs from the pattern, its state, its events."""
    record_id, day = new_id(), date(1980, 1, 1) + timedelta(days=draw.randrange(17_000))
    record = {
        "new_id": record_id,
        "number": number + 100,
        "class_code": draw.choice(codes),
        "received_at": f"{day + timedelta(days=draw.randrange(400))}T{draw.randrange(24):02d}:30:00Z",
        "occurred_date": draw.choice([None, day]),
    }
    state = {
        "record_id": record_id,
        "status": "filed" if draw.random() < 0.5 else "received",
        "lock_until": f"{date(2026, 1, 1) + timedelta(days=draw.randrange(-400, 9_000))}T16:00:00Z",
        "what": "keep",
        "retain_until": None,
        "delete_by": None,
        "next_date": None,
    }
    events: list[dict[str, Any]] = []
    for name in draw.sample(names, draw.choice([0, 0, 0, 1, 2, 4])):
        happened = None if draw.random() < 0.05 else day + timedelta(days=draw.randrange(4_000))
        events.append({"id": new_id(), "record": record_id, "name": name, "day": happened})
    return record, state, events
