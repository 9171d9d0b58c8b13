"""What waits on a desk: for each role its own, the nearest deadline first; what is nobody's business is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.archive import Archive, jpeg, tiff
from vault.access import service as access
from vault.access import tokens
from vault.access.model import Viewer
from vault.access.queries import all_units
from vault.access.rights import Role, rights_of
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.intake.batches import open_batch
from vault.intake.tables import rendition_tasks, store_probes
from vault.oversight.jobs import verify_and_keep
from vault.retention import confirmations
from vault.retention import service as schedule
from vault.surfaces.i18n import Formats, Language, translator
from vault.surfaces.web.desk_waiting import Asker, has_troubles, troubles, waiting
from vault.surfaces.web.views.desk import Trouble, WaitingItem


@dataclass(frozen=True)
class Desks:
    """Asks as somebody of a role, now."""

    archive: Archive

    def waiting(self, role: Role, viewer: Viewer | None = None) -> tuple[WaitingItem, ...]:
        with self._asker(role, viewer) as asker:
            return waiting(asker)

    def troubles(self, role: Role) -> tuple[Trouble, ...]:
        with self._asker(role, None) as asker:
            return troubles(asker)

    def viewer(self, role: Role) -> Viewer:
        who = self.archive.operator
        return Viewer(who.id, "person", "甲", rights_of(frozenset({role})), who.unit_id, None)

    @contextmanager
    def _asker(self, role: Role, viewer: Viewer | None) -> Iterator[Asker]:
        formats = Formats(translator(Language.EN), ZoneInfo("Asia/Shanghai"))
        ctx = self.archive.ctx
        with ctx.database.read() as connection:
            yield Asker(connection, viewer or self.viewer(role), formats, self.archive.clock.now(), ctx.store.name)


@pytest.fixture
def desks(archive: Archive) -> Desks:
    return Desks(archive)


def _first(items: tuple[WaitingItem, ...], part: str) -> WaitingItem:
    return next(item for item in items if part in f"{item.link.label} {item.what}")


def _texts(items: tuple[WaitingItem, ...]) -> list[str]:
    return [f"{item.link.label}: {item.what}" for item in items]


def test_an_archivist_files_before_the_first_short_lock_ends(archive: Archive, desks: Desks) -> None:
    assert desks.waiting(Role.ARCHIVIST) == ()
    archive.send(jpeg(1))
    archive.clock.advance(timedelta(days=1))
    archive.send(jpeg(2))
    found = _first(desks.waiting(Role.ARCHIVIST), "2 records are to be filed")
    assert found.link.href == "/records?state=received"
    assert (found.urgency, found.due_at) == ("calm", _lock_of_first(archive))
    archive.clock.advance(timedelta(days=26))
    assert _first(desks.waiting(Role.ARCHIVIST), "to be filed").urgency == "soon"
    assert desks.waiting(Role.CLERK) == (), "a clerk files nothing"


def _lock_of_first(archive: Archive) -> datetime:
    from sqlalchemy import text

    with archive.ctx.database.read() as connection:
        found: datetime = connection.execute(text("SELECT min(lock_until) FROM record_states")).scalar_one()
    return found


def test_an_open_batch_waits_for_who_opened_it_until_the_end_of_the_day(archive: Archive, desks: Desks) -> None:
    batch = open_batch(archive.ctx, archive.operator, "上午", 3)
    archive.send(jpeg(1), batch_id=batch.id)
    mine = _first(desks.waiting(Role.CLERK), "上午")
    assert (mine.what, mine.urgency, mine.link.href) == (
        "2 sheets are still missing.",
        "soon",
        f"/batches/{batch.id}",
    )
    archive.clock.advance(timedelta(days=1))
    assert _first(desks.waiting(Role.CLERK), "上午").urgency == "overdue"
    other = Viewer(new_id(), "person", "乙", rights_of(frozenset({Role.CLERK})), archive.operator.unit_id, None)
    assert desks.waiting(Role.CLERK, other) == ()


def test_officers_see_tokens_accounts_stores_and_verification_and_no_record(archive: Archive, desks: Desks) -> None:
    with archive.ctx.database.read() as connection:
        unit_id = all_units(connection)[0].id
    access.create_person(archive.ctx, archive.operator, "wang", "王建国", unit_id, frozenset({Role.CLERK}))
    station = tokens.create_station(archive.ctx, archive.operator, "三号站", unit_id)
    tokens.issue(archive.ctx, archive.operator, station, 10)
    archive.send(jpeg(1))

    security = desks.waiting(Role.SECURITY_OFFICER)
    assert {item.link.href.split("/")[1] for item in security} == {"people", "stations"}
    assert _first(security, "三号站").urgency == "calm"
    archive.clock.advance(timedelta(days=6))
    assert _first(desks.waiting(Role.SECURITY_OFFICER), "三号站").urgency == "soon"
    assert _texts(desks.waiting(Role.SYSTEM_OFFICER)) == []
    assert _texts(desks.waiting(Role.AUDIT_OFFICER)) == [
        "Verification of the archive: Nobody has verified the whole archive yet."
    ]


def test_a_lying_store_is_overdue_for_who_runs_it(archive: Archive, desks: Desks) -> None:
    with archive.ctx.database.transaction(SYSTEM) as tx:
        told = {"id": new_id(), "store": archive.ctx.store.name, "at": archive.clock.now() + timedelta(seconds=1)}
        tx.connection.execute(store_probes.insert(), told | {"lies": ["compliance-delete"], "checks": []})
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    (found,) = desks.waiting(Role.SYSTEM_OFFICER)
    assert (found.urgency, found.link.href) == ("overdue", "/health")


def test_a_verification_comes_round_once_a_month(archive: Archive, desks: Desks) -> None:
    archive.sequence()
    verify_and_keep(archive.ctx, archive.operator.actor)
    assert desks.waiting(Role.AUDIT_OFFICER) == ()
    archive.clock.advance(timedelta(days=27))
    (found,) = desks.waiting(Role.AUDIT_OFFICER)
    assert "once a month" in found.what
    assert found.urgency == "soon"


def test_what_could_not_be_drawn_waits_and_what_was_refused_went_wrong(archive: Archive, desks: Desks) -> None:
    refused = archive.send(jpeg(1)[:-2000], file_name="坏的.jpg")
    assert refused.record_id is None
    record_id = archive.send(tiff(1, seed=9)).record_id
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(rendition_tasks.update().values(state="failed"))
        tx.commit()
    clerk = desks.waiting(Role.CLERK)
    assert [item.link.href for item in clerk] == [f"/records/{record_id}"]
    (trouble,) = desks.troubles(Role.CLERK)
    assert trouble.link.label == "坏的.jpg"
    archive.clock.advance(timedelta(days=1))
    assert desks.troubles(Role.CLERK) == ()
    assert not has_troubles(desks.viewer(Role.SECURITY_OFFICER))


@pytest.mark.invariant("A1")
def test_an_approver_sees_what_others_proposed_until_it_is_said_and_who_drafted_sees_where_it_is(
    archive: Archive, desks: Desks
) -> None:
    drafted = schedule.draft(archive.ctx, archive.operator, "投诉改为二十年")
    assert "Your draft" in _first(desks.waiting(Role.ARCHIVIST), "Version 2").what
    assert desks.waiting(Role.APPROVER, _somebody(archive, Role.APPROVER)) == ()
    takes_effect = archive.clock.now().date() + timedelta(days=3)
    archive.simulate(drafted.number, on=takes_effect)
    schedule.propose(archive.ctx, archive.operator, drafted.number, takes_effect)
    head = _somebody(archive, Role.APPROVER)
    item = _first(desks.waiting(Role.APPROVER, head), "投诉改为二十年")
    assert (item.link.href, item.urgency) == ("/schedules/2", "soon")
    assert "You proposed it" in _first(desks.waiting(Role.ARCHIVIST), "Version 2").what
    assert "approval" not in " ".join(_texts(desks.waiting(Role.APPROVER))), "whoever proposed it does not approve"

    confirmations.propose(archive.ctx, archive.operator, "DEFAULT-5Y", "本办法第六条")
    assert _first(desks.waiting(Role.APPROVER, head), "DEFAULT-5Y").link.href == "/rules/DEFAULT-5Y"
    assert "DEFAULT-5Y" not in " ".join(_texts(desks.waiting(Role.APPROVER)))


def _somebody(archive: Archive, role: Role) -> Viewer:
    return Viewer(new_id(), "person", "乙", rights_of(frozenset({role})), archive.operator.unit_id, None)
