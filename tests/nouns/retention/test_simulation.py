"""Simulation: the database and `decide` agree; one snapshot; nothing changed; no version goes past it unseen."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from retention_rules.decision import decide
from retention_rules.model import ClassDefinition, Disposition, FiscalYear, Period, State, What
from tests.nouns.oversight.holding import hold
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.foundation.context import Context
from vault.foundation.db.errors import DatabaseUnavailable
from vault.foundation.db.keyset import walk
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.jobs import runs
from vault.foundation.jobs.errors import JobCancelled, JobPutOff
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.foundation.ledger.tables import ledger_entries
from vault.retention import service
from vault.retention.book import read_book
from vault.retention.dossier import facts_now
from vault.retention.effects import YEAR_DAYS, Effect
from vault.retention.errors import EffectiveInPast, NotSimulated, ScheduleNotOpen, SimulatedForOtherDay
from vault.retention.model import Content, ScheduleVersion, VersionState
from vault.retention.queries import get_version, version_in_effect
from vault.retention.simulation import law_of_version, simulate
from vault.retention.simulation_jobs import ask_simulation, cancel_simulation, run_simulation
from vault.retention.simulations import (
    AffectedRecord,
    EffectFilters,
    count_affected,
    find_affected,
    newest_simulation,
)
from vault.retention.tables import simulation_effects, simulations

pytestmark = [pytest.mark.clause("V3")]
# What a simulation writes: itself, its list, its run and queue, its ledger entries.
_ITS_OWN = ("simulations", "simulation_effects", "job_runs", "ledger_", "procrastinate_")
_DUE = {What.DESTROY, What.REVIEW, What.TRANSFER}


def _today(archive: Archive) -> date:
    with archive.ctx.database.read() as connection:
        return read_book(connection).day_of(archive.clock.now())


def _content(archive: Archive) -> Content:
    with archive.ctx.database.read() as connection:
        return version_in_effect(connection, archive.clock.now()).content


def _with(content: Content, **changed: ClassDefinition) -> Content:
    return replace(content, classes=tuple(changed.get(k.code, k) for k in content.classes))


def _class(content: Content, code: str, **changes: Any) -> ClassDefinition:
    return replace(next(k for k in content.classes if k.code == code), **changes)


def _draft(archive: Archive, viewer: Any, content: Content) -> ScheduleVersion:
    return service.draft(archive.ctx, viewer, "测试用", content)


def _all_affected(archive: Archive, simulation_id: UUID) -> dict[UUID, AffectedRecord]:
    with archive.ctx.database.read() as connection:
        filters = EffectFilters(simulation_id)
        return {line.id: line for line in walk(lambda span: find_affected(connection, filters, span, units=None))}


def _by_hand(
    before: Any, after: Any, alone_before: Any, alone_after: Any, locked: date | None, *, is_held: bool
) -> set[Effect]:
    """The effects of one record from its decisions, said once more and otherwise than in SQL."""
    old, new = before.retain_until, after.retain_until
    found = set()

    def note(effect: Effect, condition: bool) -> None:
        if condition:
            found.add(effect)

    note(Effect.LONGER, bool(old and new and new > old))
    note(Effect.SHORTER, bool(old and new and new < old))
    if before.state is after.state is State.OPEN and What.PERMANENT not in {before.what, after.what}:
        least, then = before.at_least_until or date.min, after.at_least_until or date.min
        note(Effect.OPEN_LONGER, then > least)
        note(Effect.OPEN_SHORTER, then < least)
    note(Effect.OPEN, bool(old and not new and after.what is not What.PERMANENT))
    note(Effect.NOT_OPEN, bool(new and not old and before.what is not What.PERMANENT))
    note(Effect.DUE, after.what in _DUE and before.what not in _DUE)
    note(Effect.NOT_DUE, before.what in _DUE and after.what not in _DUE)
    note(Effect.DISPOSITION, after.what in _DUE and before.what in _DUE and after.what is not before.what)
    for what, came, went in (
        (What.PERMANENT, Effect.PERMANENT, Effect.NOT_PERMANENT),
        (What.RESTRICTED, Effect.RESTRICTED, Effect.NOT_RESTRICTED),
        (What.ESCALATE, Effect.ESCALATED, Effect.NOT_ESCALATED),
    ):
        note(came, after.what is what and before.what is not what)
        note(went, before.what is what and after.what is not what)
    note(Effect.LIMIT, before.delete_by != after.delete_by)

    def nearer(one: date | None, other: date | None) -> bool:
        return bool(locked and other and other < locked and (one is None or other < one))

    note(
        Effect.LOCK,
        nearer(alone_before.retain_until, alone_after.retain_until) or nearer(before.delete_by, after.delete_by),
    )
    let_go = {Effect.DUE, Effect.SHORTER, Effect.OPEN_SHORTER, Effect.NOT_PERMANENT, Effect.LOCK}
    note(Effect.HOLD, is_held and bool(found & let_go))
    wanted, was = after.lock_until, before.lock_until
    note(Effect.LOCK_GROWS, bool(locked and wanted and wanted > locked and (was is None or wanted > was)))
    return found


@pytest.mark.slow
def test_it_finds_what_the_law_says_of_every_record(
    archive: Archive, people: People, fill: Callable[[int], None]
) -> None:
    fill(3_000)
    with archive.ctx.database.read() as connection:
        held = set(connection.execute(text("SELECT id FROM records ORDER BY item_number % 17 LIMIT 800")).scalars())
    hold(archive, *held)
    content = _content(archive)
    changed = _with(
        content,
        GENERAL=_class(content, "GENERAL", own_period=Period(months=360)),
        COMPLAINT=_class(content, "COMPLAINT", own_period=Period(months=12), disposition=Disposition.DESTROY),
        CONTRACT=_class(content, "CONTRACT", own_period=Period(is_permanent=True)),
    )
    changed = replace(changed, fiscal_year=FiscalYear(6, 30))
    flipped = [  # every other class has another lock policy
        replace(k, lock=replace(k.lock, is_rolling=not k.lock.is_rolling, horizon=Period(months=24)))
        if place % 2
        else k
        for place, k in enumerate(changed.classes)
    ]
    changed = replace(changed, classes=tuple(flipped))
    version = _draft(archive, people.administrator, changed)
    simulation = archive.simulate(version.number, on=_today(archive) + timedelta(days=40))
    affected = _all_affected(archive, simulation.id)
    on, now = simulation.on_date, archive.clock.now()
    with archive.ctx.database.read() as connection:
        lawbook = read_book(connection)
        old, new = lawbook.law(on, now), law_of_version(lawbook.book, version, on, now)
        ids = list(connection.execute(text("SELECT id FROM records")).scalars())
        facts = facts_now(connection, ids, lawbook.time_zone)
    years: dict[int, int] = {}
    seen: set[Effect] = set()
    for record_id, fact in facts.items():
        before, after = decide(fact, old, on), decide(fact, new, on)
        unlocked = replace(fact, locked_until=None)
        wanted = _by_hand(
            before,
            after,
            decide(unlocked, old, on),
            decide(unlocked, new, on),
            fact.locked_until,
            is_held=record_id in held,
        )
        line = affected.get(record_id)
        assert (line.effects if line else set()) == wanted, record_id
        seen |= wanted
        if wanted & {Effect.LONGER, Effect.SHORTER}:
            gained = round((after.retain_until - before.retain_until).days / YEAR_DAYS)
            years[gained] = years.get(gained, 0) + 1
        if line:
            assert (line.what_before, line.what_after) == (before.what, after.what)
            assert (line.until_before, line.until_after) == (before.retain_until, after.retain_until)
            for told, decision in ((line.at_least_before, before), (line.at_least_after, after)):
                assert told == (decision.at_least_until if decision.state is State.OPEN else None)
    found = simulation.found
    assert found is not None
    assert (found.records, found.affected) == (3_001, len(affected))
    assert sum(count for group in found.groups for count in group.years.values()) == sum(years.values())
    assert {k: sum(g.years.get(k, 0) for g in found.by_class()) for k in years} == years
    for effect in Effect:
        assert found.total(effect) == sum(effect in line.effects for line in affected.values()), effect
    # A world in which hardly anything happens would show nothing.
    assert {Effect.LONGER, Effect.SHORTER, Effect.PERMANENT, Effect.DUE, Effect.NOT_DUE, Effect.LOCK} <= seen
    assert {Effect.LOCK_GROWS, Effect.OPEN_LONGER, Effect.OPEN_SHORTER} <= seen
    hard = {i for i in held if facts[i].never}
    kept = {i for i, line in affected.items() if Effect.HOLD in line.effects}
    assert kept & hard
    assert kept - hard
    assert kept < held


@pytest.mark.invariant("R1")
def test_a_lock_policy_alone_is_seen(archive: Archive, people: People, fill: Callable[[int], None]) -> None:
    """Nobody can take a COMPLIANCE lock back: who approves must see which ones a version will set."""
    fill(400)
    content = _content(archive)
    full = replace(
        content, classes=tuple(replace(k, lock=replace(k.lock, is_rolling=False)) for k in content.classes)
    )
    rolling = replace(
        content,
        classes=tuple(
            replace(k, lock=replace(k.lock, is_rolling=True, horizon=Period(months=1))) for k in content.classes
        ),
    )
    first = _draft(archive, people.administrator, rolling)
    archive.simulate(first.number)
    service.propose(archive.ctx, people.administrator, first.number, _today(archive))
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, first.number)
    simulation = archive.simulate(_draft(archive, people.administrator, full).number)
    on, now = simulation.on_date, archive.clock.now()
    with archive.ctx.database.read() as connection:
        lawbook = read_book(connection)
        law = lawbook.law(on, now)
        version = get_version(connection, simulation.number, now)
        after = law_of_version(lawbook.book, version, on, now)
        ids = list(connection.execute(text("SELECT id FROM records")).scalars())
        facts = facts_now(connection, ids, lawbook.time_zone)
    grow = {
        record_id
        for record_id, fact in facts.items()
        if fact.locked_until
        and (decide(fact, after, on).lock_until or date.min)
        > max(fact.locked_until, decide(fact, law, on).lock_until or date.min)
    }
    assert grow
    affected = _all_affected(archive, simulation.id)
    assert {i for i, line in affected.items() if Effect.LOCK_GROWS in line.effects} == grow
    for record_id in grow:
        line, fact = affected[record_id], facts[record_id]
        wanted = [decide(fact, said, on).lock_until for said in (law, after)]
        assert [line.lock_before, line.lock_after, line.locked_until] == [*wanted, fact.locked_until]
    assert simulation.found is not None
    assert simulation.found.total(Effect.LOCK_GROWS) == len(grow)


def _digests(url: str) -> dict[str, str]:
    engine = create_engine(url)
    told = {}
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        for table in sorted(tables):
            if not table.startswith(_ITS_OWN):
                rows = connection.execute(text(f"SELECT t::text AS row FROM {table} AS t ORDER BY 1")).scalars()
                told[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    engine.dispose()
    return told


@pytest.mark.invariant("S1")
@pytest.mark.invariant("R1")
def test_it_changes_nothing_but_its_own_tables(
    archive: Archive, people: People, fill: Callable[[int], None], database_url: str
) -> None:
    fill(200)
    content = _content(archive)
    version = _draft(
        archive,
        people.administrator,
        _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=600))),
    )
    before = _digests(database_url)
    simulation = archive.simulate(version.number)
    assert simulation.found is not None
    assert simulation.found.affected > 0
    assert _digests(database_url) == before
    assert len(before) > 20
    with archive.ctx.database.read() as connection:
        events = [entry.event for entry in entries_of_subject(connection, version.id)]
    assert events == ["retention:schedule:draft", "retention:simulation:ask", "retention:simulation:finish"]


def test_what_changes_meanwhile_does_not_mix_in(
    archive: Archive, people: People, fill: Callable[[int], None], database_url: str
) -> None:
    fill(300)
    content = _content(archive)
    changed = _with(content, **{k.code: replace(k, own_period=Period(months=1200)) for k in content.classes})
    version = _draft(archive, people.administrator, changed)
    undisturbed = archive.simulate(version.number)
    again = ask_simulation(archive.ctx, people.administrator, version.number, _today(archive))
    engine = create_engine(database_url)
    disturbed = []

    def disturb(done: int, _all: int | None) -> None:
        if done >= 60 and not disturbed:
            disturbed.append(done)
            with engine.begin() as connection:
                connection.execute(text("SET session_replication_role = replica"))
                connection.execute(text("UPDATE records SET occurred_date = '1990-05-05', class_code = 'GENERAL'"))
                connection.execute(text("DELETE FROM record_events"))
                connection.execute(text("UPDATE record_states SET lock_until = lock_until + interval '9 years'"))

    done = simulate(archive.ctx, again.id, disturb, batch=60)
    engine.dispose()
    assert disturbed
    assert done.found == undisturbed.found
    assert archive.simulate(version.number, on=_today(archive) + timedelta(days=1)).found != undisturbed.found


@pytest.mark.invariant("A1")
def test_nobody_proposes_what_was_not_simulated_as_it_stands(archive: Archive, people: People) -> None:
    content = _content(archive)
    one = _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=120)))
    version = _draft(archive, people.administrator, one)
    today = _today(archive)
    with pytest.raises(NotSimulated):
        service.propose(archive.ctx, people.administrator, version.number, today)
    archive.simulate(version.number)
    two = _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=240)))
    service.change(archive.ctx, people.administrator, version.number, two, seen=version.digest)
    with pytest.raises(NotSimulated):
        service.propose(archive.ctx, people.administrator, version.number, today)
    archive.simulate(version.number)
    archive.clock.advance(timedelta(days=31))
    with pytest.raises(NotSimulated):
        service.propose(archive.ctx, people.administrator, version.number, _today(archive))
    coming = _today(archive) + timedelta(days=60)
    archive.simulate(version.number)
    with pytest.raises(SimulatedForOtherDay):
        service.propose(archive.ctx, people.administrator, version.number, coming)
    simulation = archive.simulate(version.number, on=coming)
    proposed = service.propose(archive.ctx, people.administrator, version.number, coming)
    assert proposed.draft_digest == simulation.draft_digest != proposed.digest
    service.approve(archive.ctx, people.heads[0], version.number)
    archive.clock.advance(timedelta(days=31))
    with pytest.raises(NotSimulated):
        service.approve(archive.ctx, people.heads[1], version.number)
    with pytest.raises(NotAllowed):
        ask_simulation(archive.ctx, replace(people.heads[1], rights=frozenset()), version.number)
    tried = archive.simulate(version.number, viewer=people.heads[1])
    assert tried.on_date == proposed.effective_date
    assert service.approve(archive.ctx, people.heads[1], version.number).state is VersionState.APPROVED
    with archive.ctx.database.read() as connection:
        body = connection.execute(
            select(ledger_entries.c.body).where(ledger_entries.c.event == "retention:schedule:approve")
        ).scalar_one()
    assert json.loads(body)["details"]["simulation_id"] == str(tried.id)


def test_a_simulation_is_out_of_date_when_the_law_changes(archive: Archive, people: People) -> None:
    content = _content(archive)
    first, second = (
        _draft(
            archive,
            people.administrator,
            _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=n))),
        )
        for n in (120, 240)
    )
    for version in (first, second):
        archive.simulate(version.number)
        service.propose(archive.ctx, people.administrator, version.number, _today(archive))
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, first.number)
    with pytest.raises(NotSimulated):
        service.approve(archive.ctx, people.heads[0], second.number)


def test_two_versions_approved_at_once_do_not_pass_each_other(
    archive: Archive, people: People, database_url: str
) -> None:
    content = _content(archive)
    versions = [
        _draft(
            archive,
            people.administrator,
            _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=n))),
        )
        for n in (120, 240)
    ]
    for version in versions:
        archive.simulate(version.number)
        service.propose(archive.ctx, people.administrator, version.number, _today(archive))
        service.approve(archive.ctx, people.heads[0], version.number)

    def decide_on(version: ScheduleVersion) -> bool:
        try:
            return service.approve(archive.ctx, people.heads[1], version.number).state is VersionState.APPROVED
        except NotSimulated:
            return False

    engine = create_engine(database_url)
    with ThreadPoolExecutor(2) as both:
        with engine.begin() as held:  # neither can note its change until both have looked, unless one waits
            held.execute(text("LOCK TABLE law_changes IN EXCLUSIVE MODE"))
            done = [both.submit(decide_on, version) for version in versions]
            waiting = text(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            deadline = time.monotonic() + 30
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
                while watch.execute(waiting).scalar_one() < 2:
                    assert time.monotonic() < deadline, "both wait"
                    time.sleep(0.05)
        told = [one.result(30) for one in done]
    engine.dispose()
    assert sorted(told) == [False, True]


FORGERIES = {
    "proposed for another day": (
        "UPDATE schedule_versions SET revision = revision + 1, state = 'proposed', effective_date = '2031-01-01', draft_digest = digest,"
        " proposal_id = (SELECT id FROM proposals LIMIT 1), changed_at = :at WHERE id = :tried"
    ),
    "proposed unseen": (
        "UPDATE schedule_versions SET revision = revision + 1, state = 'proposed', effective_date = '2030-01-01', draft_digest = digest,"
        " proposal_id = (SELECT id FROM proposals LIMIT 1), changed_at = now() WHERE id = :draft"
    ),
    "proposed as another draft": (
        "UPDATE schedule_versions SET revision = revision + 1, state = 'proposed', effective_date = '2030-01-01', draft_digest ="
        " (SELECT draft_digest FROM simulations LIMIT 1), proposal_id = (SELECT id FROM proposals LIMIT 1),"
        " changed_at = now() WHERE id = :draft"
    ),
    "changed while it was proposed": (
        "UPDATE schedule_versions SET revision = revision + 1, state = 'proposed', effective_date = '2030-01-01', draft_digest = digest, note = 'x',"
        " proposal_id = (SELECT id FROM proposals LIMIT 1), changed_at = now() WHERE id = :draft"
    ),
    "result changed": "UPDATE simulations SET affected = 0 WHERE finished_at IS NOT NULL",
    "simulation removed": "DELETE FROM simulations",
    "list changed": "UPDATE simulation_effects SET until_after = until_before",
    "finished at birth": (
        "INSERT INTO simulations SELECT gen_random_uuid(), version_id, draft_digest, run_id, on_date, asked_by_kind,"
        " asked_by, asked_at, against_number, law_changes_seen, snapshot_at, finished_at, records, affected, result"
        " FROM simulations WHERE finished_at IS NOT NULL"
    ),
}


@pytest.mark.invariant("A1")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_database_refuses_it_too(
    archive: Archive, people: People, send: Callable[..., UUID], forgery: str
) -> None:
    send()
    content = _content(archive)
    seen = _draft(
        archive,
        people.administrator,
        _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=120))),
    )
    archive.simulate(seen.number)
    service.propose(archive.ctx, people.administrator, seen.number, _today(archive))
    unseen = _draft(archive, people.administrator, content)
    tried = _draft(archive, people.administrator, content)
    archive.simulate(tried.number)
    with archive.ctx.database.transaction(SYSTEM) as tx:
        known = {"draft": unseen.id, "tried": tried.id, "at": archive.clock.now()}
        values = {name: value for name, value in known.items() if f":{name}" in FORGERIES[forgery]}
        with pytest.raises(DBAPIError) as refused:
            tx.connection.execute(text(FORGERIES[forgery]), values)
        assert isinstance(refused.value.orig, psycopg.Error)
        assert refused.value.orig.sqlstate == "SV004"


def test_one_that_is_cancelled_keeps_nothing(archive: Archive, people: People, fill: Callable[[int], None]) -> None:
    fill(120)
    content = _content(archive)
    changed = _with(content, **{k.code: replace(k, own_period=Period(months=1200)) for k in content.classes})
    version = _draft(archive, people.administrator, changed)
    asked = ask_simulation(archive.ctx, people.administrator, version.number)
    assert ask_simulation(archive.ctx, people.heads[1], version.number).id == asked.id, "one is under way"
    progress = runs.Progress(archive.ctx.database, archive.clock, asked.run_id)
    progress.start()

    def cancel_at_40(done: int, total: int | None) -> None:
        if done == 40:
            cancel_simulation(archive.ctx, people.keeper, asked.id)
        archive.clock.advance(timedelta(seconds=1))
        progress.tell(done, total)

    with pytest.raises(JobCancelled):
        simulate(archive.ctx, asked.id, cancel_at_40, batch=20)
    progress.cancelled()
    assert _kept(archive.ctx) == 0
    with archive.ctx.database.read() as connection:
        left = newest_simulation(connection, version.number)
        assert left is not None
        assert left.found is None
    with pytest.raises(NotFoundOrNotYours):
        cancel_simulation(archive.ctx, people.keeper, asked.id)
    with pytest.raises(NotSimulated):
        service.propose(archive.ctx, people.administrator, version.number, _today(archive))
    assert ask_simulation(archive.ctx, people.keeper, version.number).id != asked.id


def _kept(ctx: Context) -> int:
    with ctx.database.read() as connection:
        return connection.execute(select(func.count()).select_from(simulation_effects)).scalar_one()


def test_one_whose_worker_dies_leaves_nothing_and_begins_again(
    archive: Archive, people: People, fill: Callable[[int], None], database_url: str
) -> None:
    fill(120)
    content = _content(archive)
    changed = _with(content, **{k.code: replace(k, own_period=Period(months=1200)) for k in content.classes})
    version = _draft(archive, people.administrator, changed)
    asked = ask_simulation(archive.ctx, people.administrator, version.number)
    engine = create_engine(database_url)

    def die_at_40(done: int, _all: int | None) -> None:
        if done == 40:  # its connection is gone, as when the process is killed
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
                    )
                )

    with pytest.raises(DatabaseUnavailable):
        simulate(archive.ctx, asked.id, die_at_40, batch=20)
    engine.dispose()
    assert _kept(archive.ctx) == 0
    second: list[int] = []

    def come_second(_done: int, _all: int | None) -> None:
        if not second:
            with pytest.raises(JobPutOff) as later:
                simulate(archive.ctx, asked.id)
            second.append(later.value.after_s)

    first = simulate(archive.ctx, asked.id, come_second, batch=20)
    assert second[0] > 0, "the second looks again later: the first may die too"
    assert first.found is not None
    assert first.found.affected == _kept(archive.ctx) > 0
    assert simulate(archive.ctx, asked.id) == first, "a finished one stays as it is"


def test_a_draft_that_is_changed_meanwhile_ends_the_run(archive: Archive, people: People) -> None:
    content = _content(archive)
    version = _draft(archive, people.administrator, content)
    asked = ask_simulation(archive.ctx, people.administrator, version.number)
    changed = _with(content, GENERAL=_class(content, "GENERAL", own_period=Period(months=120)))
    service.change(archive.ctx, people.administrator, version.number, changed, seen=version.digest)
    progress = runs.Progress(archive.ctx.database, archive.clock, asked.run_id)
    progress.start()
    run_simulation(archive.ctx, progress, str(asked.id))
    with archive.ctx.database.read() as connection:
        run = runs.get_run(connection, asked.run_id)
    assert (run.state, run.problem) == ("failed", "schedule-changed")
    again = archive.simulate(version.number)
    assert again.found is not None
    assert again.found.records == 0


def test_what_is_settled_or_past_is_not_simulated(archive: Archive, people: People) -> None:
    with pytest.raises(ScheduleNotOpen):
        ask_simulation(archive.ctx, people.administrator, 1)
    with pytest.raises(NotFoundOrNotYours):
        ask_simulation(archive.ctx, people.administrator, 99)
    version = _draft(archive, people.administrator, _content(archive))
    with pytest.raises(EffectiveInPast):
        ask_simulation(archive.ctx, people.administrator, version.number, _today(archive) - timedelta(days=1))


def test_lists_are_narrowed_and_only_of_the_viewers_units(
    archive: Archive, people: People, fill: Callable[[int], None]
) -> None:
    fill(150)
    content = _content(archive)
    version = _draft(
        archive,
        people.administrator,
        _with(
            content,
            GENERAL=_class(content, "GENERAL", own_period=Period(months=600)),
            COMPLAINT=_class(content, "COMPLAINT", own_period=Period(months=1200)),
        ),
    )
    found = archive.simulate(version.number)
    assert found.found is not None
    with archive.ctx.database.read() as connection:
        for group in found.found.by_class():
            filters = EffectFilters(found.id, class_code=group.class_code)
            assert count_affected(connection, filters, units=None) == group.affected
            longer = replace(filters, effect=Effect.LONGER)
            assert count_affected(connection, longer, units=None) == group.effects.get(Effect.LONGER, 0)
            assert count_affected(connection, filters, units=frozenset()) == 0
    older = found.id
    newer = archive.simulate(version.number, on=_today(archive) + timedelta(days=1))
    with archive.ctx.database.read() as connection:
        assert count_affected(connection, EffectFilters(older), units=None) == 0, "only the newest keeps its list"
        assert count_affected(connection, EffectFilters(newer.id), units=None) > 0
        assert connection.execute(select(func.count()).select_from(simulations)).scalar_one() == 2
        assert get_version(connection, version.number, archive.clock.now()).state is VersionState.DRAFT
