"""Somebody with the database alters, adds or removes the law itself: each is a finding, and verification goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, text
from sqlalchemy.engine import Engine

from tests.nouns.oversight.test_attacks import alter_first, lawless, undone
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive, jpeg
from vault.oversight.model import SENTENCES
from vault.oversight.record_check import verify_record
from vault.oversight.verification import verify
from vault.retention import confirmations, service
from vault.retention.holidays import enter_year
from vault.retention.rule_packs import enter_pack
from vault.retention.tables import calendar_years, rule_confirmations, rule_packs, schedule_versions
from vault.retention.witnessing import LAW_TABLES
from vault.surfaces.i18n import Language, translator

pytestmark = [pytest.mark.clause("V7"), pytest.mark.clause("C8.1"), pytest.mark.slow]
PACK = """
jurisdiction: CN
pack: own-2026.1
published: '2026-11-01'
rules:
- {code: OWN-SAFE-BOX, name_zh: 保管箱, name_en: Safe boxes, jurisdiction: CN, sector: bank, min_period: P5D, bound: min,
   trigger_event: slip_closed, calendar_rule: working_days, citation: 本行办法第 3 条, effective_date: null, verified: true}
"""
ALTERED = {
    schedule_versions: "schedule-altered",
    rule_packs: "pack-altered",
    rule_confirmations: "confirmation-altered",
    calendar_years: "calendar-altered",
}


@pytest.fixture
def lawful(archive: Archive, people: People) -> Archive:
    """A record, an approved schedule that rests on a pack of the house, a confirmation, and holidays."""
    archive.send(jpeg(1), customer_name="张三")
    pack = enter_pack(archive.ctx, people.administrator, PACK)
    enter_year(archive.ctx, people.administrator, 2027, [date(2027, 1, 1)], [], "国务院办公厅通知")
    wanted = confirmations.propose(archive.ctx, people.keeper, "DEFAULT-5Y", "本单位办法 C6.1")
    confirmations.approve(archive.ctx, people.heads[0], wanted.id)
    base = service.draft(archive.ctx, people.administrator, "新版")
    drafted = service.change(
        archive.ctx, people.administrator, base.number, base.content.with_pack(pack, None), seen=base.digest
    )
    on = archive.clock.now().date() + timedelta(days=2)
    archive.simulate(drafted.number, on=on)
    service.propose(archive.ctx, people.administrator, drafted.number, on)
    for head in people.heads[::2]:
        service.approve(archive.ctx, head, drafted.number)
    service.draft(archive.ctx, people.administrator, "草稿")
    archive.sequence()
    assert verify(archive.ctx).findings == ()
    return archive


def found_of(archive: Archive) -> list[tuple[str, str, str | None]]:
    return [(f.code.value, f.subject_id, f.facts.get("class_code")) for f in verify(archive.ctx).findings]


@pytest.mark.timeout(600)
def test_every_column_of_the_law_one_by_one(lawful: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("ALTER TABLE schedule_versions DROP CONSTRAINT schedule_versions_number_key"))
    unnamed = []
    for table in LAW_TABLES:
        for column in table.columns:
            if column.name == "effective_date":
                continue  # the first version is of the first day there is: an earlier one is read as that day
            with undone(attacker, table):
                with lawless(attacker) as connection:
                    alter_first(connection, table, column)
                codes = {code for code, _, _ in found_of(lawful)}
            wanted = {"law-removed", "law-unwitnessed"} if column.primary_key else {ALTERED[table]}
            if codes != wanted | {"due-dates-unproven"}:
                unnamed.append((table.name, column.name, codes))
    assert unnamed == []
    assert found_of(lawful) == []


ATTACKS: dict[str, tuple[Table, str, list[tuple[str, str, str | None]]]] = {
    "a class kept for one day": (
        schedule_versions,
        """UPDATE schedule_versions SET content = jsonb_set(content, '{classes,0,own_period}', '"P1D"')
            WHERE number = 2""",
        [("schedule-altered", "2", None)],
    ),
    "a version that nobody approved": (
        schedule_versions,
        """INSERT INTO schedule_versions SELECT gen_random_uuid(), 9, revision, state, note, based_on, effective_date, content,
            digest, draft_digest, proposal_id, created_by_kind, created_by, created_at, changed_at, approved_at,
            withdrawn_because FROM schedule_versions WHERE number = 2""",
        [("law-unwitnessed", "9", None)],
    ),
    "an earlier day": (
        schedule_versions,
        "UPDATE schedule_versions SET effective_date = effective_date - 1 WHERE number = 2",
        [("schedule-altered", "2", None)],
    ),
    "a draft approved": (
        schedule_versions,
        "UPDATE schedule_versions SET state = 'approved', approved_at = now(), effective_date = now() WHERE number = 3",
        [("schedule-altered", "3", None)],
    ),
    "a version taken away": (
        schedule_versions,
        "DELETE FROM schedule_versions WHERE number = 2",
        [("law-removed", "2", None)],
    ),
    "a schedule that says nothing": (
        schedule_versions,
        "UPDATE schedule_versions SET content = '[]' WHERE number = 2",
        [("schedule-altered", "2", None)],
    ),
    "a pack with other periods": (
        rule_packs,
        "UPDATE rule_packs SET content = replace(content, 'P5D', 'P1D')",
        [("pack-altered", "own-2026.1", None)],
    ),
    "a pack that is none": (
        rule_packs,
        "UPDATE rule_packs SET content = '['",
        [("pack-altered", "own-2026.1", None)],
    ),
    "a pack taken away": (rule_packs, "DELETE FROM rule_packs", [("law-removed", "own-2026.1", None)]),
    "a pack put in": (
        rule_packs,
        "INSERT INTO rule_packs SELECT 'x', digest, content, NULL, NULL, NULL, now() FROM rule_packs",
        [("law-unwitnessed", "x", None)],
    ),
    "another rule confirmed": (
        rule_confirmations,
        "UPDATE rule_confirmations SET rule_digest = repeat('0', 64)",
        [("confirmation-altered", "DEFAULT-5Y", None)],
    ),
    "a confirmation made up": (
        rule_confirmations,
        """INSERT INTO rule_confirmations SELECT gen_random_uuid(), 'OWN-SAFE-BOX', rule_digest, source, proposal_id, proposed_by,
            proposed_at, confirmed_at FROM rule_confirmations""",
        [("law-unwitnessed", "OWN-SAFE-BOX", None)],
    ),
    "a confirmation taken away": (
        rule_confirmations,
        "DELETE FROM rule_confirmations",
        [("law-removed", "DEFAULT-5Y", None)],
    ),
    "holidays moved": (
        calendar_years,
        "UPDATE calendar_years SET holidays = '{2027-05-01}'",
        [("calendar-altered", "2027", None)],
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_law_altered_is_named_and_verification_goes_on(lawful: Archive, attacker: Engine, attack: str) -> None:
    _, statement, expected = ATTACKS[attack]
    with lawless(attacker) as connection:
        connection.execute(text(statement))
        connection.execute(text("UPDATE records SET handler = 'x'"))
    found = verify(lawful.ctx).findings
    record_id = next(f.subject_id for f in found if f.code.value == "row-altered")
    law = [(f.code.value, f.subject_id, f.facts.get("class_code")) for f in found]
    assert [one for one in law if one[0] != "class-altered"] == [
        *expected,
        ("due-dates-unproven", "record_states", None),
        ("row-altered", record_id, None),
    ]
    for finding in found:
        chinese = translator(Language.ZH).gettext(SENTENCES[finding.code]).format(**finding.facts)
        assert chinese != finding.message.format(**finding.facts), finding.code
    of_one = verify_record(lawful.ctx, lawful.operator, _a_record(lawful))
    assert {f.code.value for f in of_one.findings} == {"due-dates-unproven", "row-altered"}


def _a_record(archive: Archive) -> Any:
    with archive.ctx.database.read() as connection:
        return connection.execute(text("SELECT id FROM records LIMIT 1")).scalar_one()


CLASSES: dict[str, Callable[[Connection], object]] = {
    "altered": lambda c: c.execute(text("""UPDATE schedule_versions SET
        content = jsonb_set(content, '{classes,0,disposition}', '"shred-at-once"') WHERE number = 2""")),
    "added": lambda c: c.execute(text("""UPDATE schedule_versions SET content = jsonb_set(content, '{classes}',
        (content->'classes') || jsonb_set(content->'classes'->0, '{code}', '"MADE-UP"')) WHERE number = 2""")),
    "taken away": lambda c: c.execute(text("""UPDATE schedule_versions SET content = content #- '{classes,0}'
        WHERE number = 2""")),
}  # fmt: skip


@pytest.mark.parametrize("how", CLASSES)
def test_the_class_is_named_in_its_version(lawful: Archive, attacker: Engine, how: str) -> None:
    with lawless(attacker) as connection:
        first = (
            connection.execute(text("SELECT content->'classes'->0->>'code' FROM schedule_versions")).scalars().first()
        )
        CLASSES[how](connection)
    code = "MADE-UP" if how == "added" else first
    assert [one for one in found_of(lawful) if one[0] == "class-altered"] == [("class-altered", "2", code)]


def test_an_earlier_row_put_back_is_named(lawful: Archive, attacker: Engine, people: People) -> None:
    """The draft as it was before it was changed: that, too, was witnessed once, and something else afterwards."""
    with undone(attacker, schedule_versions):
        with lawless(attacker) as connection:
            connection.execute(text("CREATE TABLE before AS SELECT * FROM schedule_versions WHERE number = 3"))
        with lawful.ctx.database.read() as connection:
            seen = connection.execute(text("SELECT digest FROM schedule_versions WHERE number = 3")).scalar_one()
        content = service.draft(lawful.ctx, people.administrator, "x").content
        service.change(lawful.ctx, people.administrator, 3, content, seen=bytes(seen), note="改过")
        assert found_of(lawful) == []
        with lawless(attacker) as connection:
            connection.execute(text("DELETE FROM schedule_versions WHERE number = 3"))
            connection.execute(text("INSERT INTO schedule_versions SELECT * FROM before"))
        assert ("schedule-altered", "3", None) in found_of(lawful)


def test_an_entry_that_is_gone_accuses_nobody(lawful: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("DELETE FROM ledger_entries WHERE event = 'retention:schedule:approve'"))
    codes = {code for code, _, _ in found_of(lawful)}
    assert codes == {"ledger", "law-unproven", "due-dates-unproven"}
