"""Rules confirmed by two people, holidays, packs, and schedules as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from retention_rules.model import Period, What
from retention_rules.packs import parse_pack
from retention_rules.problems import Wrong
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.access.errors import NeedsPerson, OwnProposal
from vault.catalogue.queries import RecordView
from vault.foundation.errors import InvalidInput, NotAllowed
from vault.foundation.ledger.entry import SYSTEM
from vault.oversight.verification import verify
from vault.retention import confirmations, service
from vault.retention.book import read_book
from vault.retention.errors import AlreadyProposed, PackAltered, PackRefused, RuleNotOpen, ScheduleFileRefused
from vault.retention.exchange import (
    as_csv,
    as_yaml,
    content_from_csv,
    content_from_yaml,
    differences,
)
from vault.retention.holidays import enter_year, list_years
from vault.retention.model import ScheduleVersion
from vault.retention.queries import version_in_effect
from vault.retention.rule_packs import enter_pack, export_pack, own_packs
from vault.retention.tables import law_changes
from vault.retention.why import explain

PACK = """
jurisdiction: CN
pack: own-2026.1
published: '2026-11-01'
rules:
- {code: OWN-SAFE-BOX, name_zh: 保管箱, name_en: Safe boxes, jurisdiction: CN, sector: bank, min_period: P5D, bound: min,
   trigger_event: slip_closed, calendar_rule: working_days, citation: 本行办法第 3 条, effective_date: null, verified: true}
"""


def _version(archive: Archive) -> ScheduleVersion:
    with archive.ctx.database.read() as connection:
        return version_in_effect(connection, archive.clock.now())


@pytest.mark.clause("C6.1")
@pytest.mark.invariant("A1")
def test_a_rule_that_two_people_confirmed_may_allow_a_destruction(
    archive: Archive, people: People, send: Callable[..., UUID]
) -> None:
    record_id = send(occurred=date(2020, 1, 1))
    due = date(2031, 12, 31)
    assert explain(archive.ctx, archive.operator, record_id, due).decision.what is What.ESCALATE
    with pytest.raises(NotAllowed):
        confirmations.propose(archive.ctx, people.heads[0], "DEFAULT-5Y", "本单位办法 C6.1，2024 年版")
    both = people.heads[1]
    wanted = confirmations.propose(archive.ctx, both, "DEFAULT-5Y", "本单位办法 C6.1，2024 年版")
    with pytest.raises(AlreadyProposed):
        confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "另一出处")
    with pytest.raises(OwnProposal):
        confirmations.approve(archive.ctx, both, wanted.id)
    with pytest.raises(NeedsPerson):
        confirmations.approve(archive.ctx, archive.operator, wanted.id)
    assert confirmations.approve(archive.ctx, people.heads[0], wanted.id).confirmed_at == archive.clock.now()
    told = explain(archive.ctx, archive.operator, record_id, due).decision
    assert told.what is What.DESTROY
    assert told.winning.confirmed_source == "本单位办法 C6.1，2024 年版"
    with pytest.raises(RuleNotOpen):
        confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1")
    with archive.ctx.database.read() as connection:
        assert connection.execute(select(law_changes.c.kind)).scalars().all() == ["confirmation"]
        assert [c.id for c in confirmations.list_confirmations(connection)] == [wanted.id]


def test_before_it_was_confirmed_it_was_not(archive: Archive, people: People, send: Callable[..., UUID]) -> None:
    archive.clock.advance(-timedelta(days=3000))
    record_id = send(occurred=None)
    archive.clock.advance(timedelta(days=2990))
    yesterday = explain(archive.ctx, archive.operator, record_id).decision.on
    archive.clock.advance(timedelta(days=2))
    wanted = confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1")
    confirmations.approve(archive.ctx, people.heads[0], wanted.id)
    assert explain(archive.ctx, archive.operator, record_id, yesterday).decision.what is What.ESCALATE
    assert explain(archive.ctx, archive.operator, record_id).decision.what is What.DESTROY


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE rule_confirmations SET confirmed_at = now()",
        "UPDATE rule_confirmations SET source = '伪造的出处'",
        "DELETE FROM rule_confirmations",
    ],
)
@pytest.mark.invariant("A1")
def test_the_database_refuses_a_confirmation_of_one(archive: Archive, people: People, forgery: str) -> None:
    confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1")
    with archive.ctx.database.transaction(SYSTEM) as tx, pytest.raises(DBAPIError) as refused:
        tx.connection.execute(text(forgery))
    assert isinstance(refused.value.orig, psycopg.Error)
    assert refused.value.orig.sqlstate in {"SV003", "SV004"}


def test_what_is_verified_or_unknown_cannot_be_confirmed(archive: Archive, people: People) -> None:
    for code in ("CN-ACC-VOUCHER", "NO-SUCH-RULE"):
        with pytest.raises(RuleNotOpen):
            confirmations.propose(archive.ctx, people.keeper, code, "某出处若干字")
    with pytest.raises(InvalidInput):
        confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "短")
    wanted = confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1")
    assert confirmations.refuse(archive.ctx, people.heads[0], wanted.id, "出处不符").confirmed_at is None
    assert confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1").id != wanted.id


@pytest.mark.invariant("A1")
def test_only_what_two_people_approved_is_signed_and_an_altered_pack_is_noticed(
    archive: Archive, people: People, database_url: str
) -> None:
    pack = enter_pack(archive.ctx, people.administrator, PACK)
    assert export_pack(archive.ctx, people.keeper, pack.version)[1] is None, "nobody has approved it"
    assert export_pack(archive.ctx, people.keeper, "cn-2026.11")[1] is not None
    content = _version(archive).content
    content = replace(content, packs={**content.packs, pack.version: pack.digest})
    drafted = service.draft(archive.ctx, people.administrator, "保管箱", content)
    archive.simulate(drafted.number)
    with archive.ctx.database.read() as connection:
        today = read_book(connection).day_of(archive.clock.now())
    service.propose(archive.ctx, people.administrator, drafted.number, today)
    assert export_pack(archive.ctx, people.keeper, pack.version)[1] is None, "it is only proposed"
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, drafted.number)
    assert export_pack(archive.ctx, people.keeper, pack.version)[1] is not None
    for forgery in ("UPDATE rule_packs SET content = replace(content, 'P5D', 'P1D')", "DELETE FROM rule_packs"):
        with archive.ctx.database.transaction(SYSTEM) as tx, pytest.raises(DBAPIError) as refused:
            tx.connection.execute(text(forgery))
        assert isinstance(refused.value.orig, psycopg.Error)
        assert refused.value.orig.sqlstate == "SV004"
    other = parse_pack(PACK.replace("P5D", "P1D"))
    engine = create_engine(database_url)
    forgeries: tuple[tuple[str, str], ...] = (
        (PACK.replace("P5D", "P1D"), pack.digest),  # the text alone
        (PACK.replace("P5D", "P1D"), other.digest),  # with its digest: two people approved another
        ("[", pack.digest),
    )
    for forged, digest in forgeries:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                text("UPDATE rule_packs SET content = :text, digest = decode(:digest, 'hex')"),
                {"text": forged, "digest": digest},
            )
        with archive.ctx.database.read() as connection, pytest.raises(PackAltered):
            read_book(connection)
    engine.dispose()


def test_an_own_pack_and_the_holidays_make_a_period_in_working_days(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    pack = enter_pack(archive.ctx, people.administrator, PACK)
    assert enter_pack(archive.ctx, people.administrator, PACK).digest == pack.digest
    with pytest.raises(PackRefused):
        enter_pack(archive.ctx, people.administrator, PACK.replace("P5D", "P6D"))
    with pytest.raises(PackRefused):
        enter_pack(archive.ctx, people.administrator, "rules: none")
    with archive.ctx.database.read() as connection:
        assert [p.version for p in own_packs(connection)] == ["own-2026.1"]
    content = _version(archive).content
    general = replace(content.classes[0], rule_codes=("OWN-SAFE-BOX",))
    content = replace(
        content, classes=(general, *content.classes[1:]), packs={**content.packs, pack.version: pack.digest}
    )
    drafted = service.draft(archive.ctx, people.administrator, "保管箱", content)
    with archive.ctx.database.read() as connection:
        today = read_book(connection).day_of(archive.clock.now())
    archive.simulate(drafted.number)
    service.propose(archive.ctx, people.administrator, drafted.number, today)
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, drafted.number)
    record_id = send(occurred=date(2026, 9, 28))
    assert look(record_id).retain_until is None  # nobody has entered the holidays of 2026
    holidays = [date(2026, 10, day) for day in range(1, 8)]
    with pytest.raises(NotAllowed):
        enter_year(archive.ctx, people.keeper, 2026, holidays, [], "国办发明电〔2025〕7号")
    for worked in ([date(2027, 10, 10)], [date(2026, 10, 1)], [date(2026, 10, 9)]):
        with pytest.raises(InvalidInput):
            enter_year(archive.ctx, people.administrator, 2026, holidays, worked, "国办发明电〔2025〕7号")
    enter_year(archive.ctx, people.administrator, 2026, holidays, [date(2026, 10, 10)], "国办发明电〔2025〕7号")
    told = explain(archive.ctx, archive.operator, record_id).decision
    assert told.retain_until == date(2026, 10, 10)
    with archive.ctx.database.read() as connection:
        (entered,) = list_years(connection)
    assert (entered.year, len(entered.holidays)) == (2026, 7)
    archive.sequence()
    # What the rows say is from before: until a sweep has been, that is no finding.
    assert verify(archive.ctx).is_clean


def test_a_schedule_goes_out_as_a_file_and_comes_back_the_same(archive: Archive) -> None:
    version = _version(archive)
    today = date(2026, 12, 1)
    with archive.ctx.database.read() as connection:
        assert content_from_yaml(connection, as_yaml(version, today)) == version.content
        for is_chinese in (True, False):
            table = as_csv(version, is_chinese=is_chinese)
            assert content_from_csv(connection, table, version.content) == version.content


def test_every_problem_of_a_file_is_told_with_its_line(archive: Archive) -> None:
    version = _version(archive)
    table = as_csv(version, is_chinese=False).replace("DEFAULT-5Y", "NO-SUCH").replace("full", "half", 1)
    with archive.ctx.database.read() as connection:
        with pytest.raises(ScheduleFileRefused) as refused:
            content_from_csv(connection, table, version.content)
        with pytest.raises(ScheduleFileRefused):
            content_from_yaml(connection, "classes: [")
    assert (2, Wrong.NO_RULE) in {(problem.line, problem.kind) for problem in refused.value.problems}
    assert Wrong.NOT_ALLOWED in {problem.kind for problem in refused.value.problems}


def test_differences_between_versions_can_be_read(archive: Archive, people: People) -> None:
    old = _version(archive)
    classes = tuple(
        replace(k, own_period=Period(months=240)) if k.code == "COMPLAINT" else k for k in old.content.classes
    )
    new = service.draft(archive.ctx, people.administrator, "二十年", replace(old.content, classes=classes))
    changes = {(c.code, c.field): (c.before, c.after) for c in differences(old, new, date(2026, 12, 1))}
    assert changes["COMPLAINT", "own_period"] == ("P10Y", "P20Y")
