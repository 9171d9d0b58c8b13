"""Trying a schedule version on every record, beside a bare aggregate scan of the same rows: part of `bench sweep`."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, text

from retention_rules.model import Period
from vault.access.service import operator_viewer
from vault.foundation.context import Context
from vault.retention import service as schedule
from vault.retention.queries import version_in_effect
from vault.retention.simulation import simulate
from vault.retention.simulation_jobs import ask_simulation

# A histogram by class, unit and year from the columns as they stand: what a simulation answers, without any law.
_BARE_SCAN = """
SELECT r.class_code, r.unit_id, date_part('year', r.occurred_date), count(*), max(r.received_at),
    max(s.lock_until), max(s.retain_until), max(s.delete_by), count(*) FILTER (WHERE s.status = 'filed'),
    count(*) FILTER (WHERE s.what = 'destroy'), max(e.day), sum(e.events)
FROM records AS r JOIN record_states AS s ON s.record_id = r.id
    LEFT JOIN (SELECT record_id, max(day) AS day, count(*) AS events FROM record_events WHERE undone_at IS NULL
        GROUP BY record_id) AS e ON e.record_id = r.id
GROUP BY 1, 2, 3
"""
_BARE_LIST = "INSERT INTO bare_list SELECT * FROM simulation_effects WHERE simulation_id = :simulation"


def measure_simulation(ctx: Context, url: str) -> dict[str, Any]:
    """Seconds and memory for a draft that changes one class and for one that changes all, beside the bare scan."""
    bare_s = min(_timed_scan(url) for _ in range(3))
    with ctx.database.read() as connection:
        base = version_in_effect(connection, ctx.clock.now())
    longer = tuple(replace(k, own_period=Period(months=480)) for k in base.content.classes)
    one = tuple(new if new.code == "GENERAL" else k for k, new in zip(base.content.classes, longer, strict=True))
    told: dict[str, Any] = {"bare_scan_s": round(bare_s, 3)}
    for name, classes in (("one_class", one), ("all_classes", longer)):
        number = schedule.draft(ctx, operator_viewer(ctx), name, replace(base.content, classes=classes)).number
        asked = ask_simulation(ctx, operator_viewer(ctx), number)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        found = simulate(ctx, asked.id).found
        seconds = time.perf_counter() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert found is not None
        list_s = _timed_list(url, asked.id)
        told[name] = {
            "simulated_s": round(seconds, 3),
            "ratio_to_bare_scan": round(seconds / bare_s, 2),
            "bare_list_s": round(list_s, 3),
            "ratio_to_bare_scan_and_list": round(seconds / (bare_s + list_s), 2),
            "records": found.records,
            "kept_in_list": found.affected,
            "memory_grew_mb": round(grown / 1024, 1),
        }
    return told


def _timed_scan(url: str) -> float:
    engine = create_engine(url)
    with engine.connect() as connection:
        started = time.perf_counter()
        connection.execute(text(_BARE_SCAN)).all()
        seconds = time.perf_counter() - started
    engine.dispose()
    return seconds


def _timed_list(url: str, simulation_id: UUID) -> float:
    """How long a bare INSERT of the same list into a table of the same shape takes."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bare_list (LIKE simulation_effects INCLUDING INDEXES)"))
        started = time.perf_counter()
        connection.execute(text(_BARE_LIST), {"simulation": simulation_id})
        seconds = time.perf_counter() - started
        connection.execute(text("DROP TABLE bare_list"))
    engine.dispose()
    return seconds
