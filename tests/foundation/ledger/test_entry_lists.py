"""Entries found by event, actor, subject and time, newest first."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.ids import first_id_at, new_id
from vault.foundation.ledger.entry import SYSTEM, Actor
from vault.foundation.ledger.queries import EntryFilters, count_entries, find_entries

PERSON, STATION = Actor("person", new_id()), Actor("station", new_id())
RECORD, BATCH = new_id(), new_id()


@pytest.fixture
def written(database: Database) -> None:
    for event, actor, kind, subject in (
        ("intake:batch:open", STATION, "batch", BATCH),
        ("catalogue:record:register", STATION, "record", RECORD),
        ("catalogue:pages:view", PERSON, "record", RECORD),
        ("ledger:checkpoint:sign", SYSTEM, "batch", BATCH),
    ):
        with database.transaction(actor) as tx:
            tx.witness(event, kind, subject)
            tx.commit()


def events(database: Database, filters: EntryFilters) -> list[str]:
    with database.read() as connection:
        page = find_entries(connection, filters)
        assert count_entries(connection, filters) == len(page.lines)
    return [line.event.split(":")[2] for line in page.lines]


@pytest.mark.usefixtures("written")
def test_each_filter_finds_what_it_says(database: Database, clock: FixedClock) -> None:
    now, minute = clock.now(), timedelta(minutes=1)
    assert events(database, EntryFilters()) == ["sign", "view", "register", "open"]
    assert events(database, EntryFilters(event="catalogue:pages:view")) == ["view"]
    assert events(database, EntryFilters(actor_kind="station")) == ["register", "open"]
    assert events(database, EntryFilters(actor_kind="system")) == ["sign"]
    assert PERSON.id is not None
    assert STATION.id is not None
    assert events(database, EntryFilters(actor_ids=(PERSON.id,))) == ["view"]
    assert events(database, EntryFilters(actor_ids=(PERSON.id, STATION.id))) == ["view", "register", "open"]
    assert events(database, EntryFilters(actor_ids=())) == [], "nobody has that name"
    assert events(database, EntryFilters(subject_type="batch")) == ["sign", "open"]
    assert events(database, EntryFilters(subject_id=RECORD)) == ["view", "register"]
    assert events(database, EntryFilters(subject_id=new_id())) == []
    assert len(events(database, EntryFilters(at_from=now - minute, at_before=now + minute))) == 4
    assert events(database, EntryFilters(at_from=now + minute)) == []
    assert events(database, EntryFilters(at_before=now)) == [], "the end is not part of the time"


def test_the_first_id_of_an_instant_is_below_every_id_made_from_then_on(clock: FixedClock) -> None:
    before = first_id_at(clock.now() - timedelta(seconds=1))
    made = new_id()
    after = first_id_at(clock.now() + timedelta(minutes=5))
    assert before < made < after
    assert before.version == 7
    assert isinstance(before, UUID)
