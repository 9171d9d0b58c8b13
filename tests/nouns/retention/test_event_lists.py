"""Lists of events: whole or not at all, or line by line, every problem with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.catalogue.queries import RecordView
from vault.retention.errors import EventListRefused, ReportKeyReused
from vault.retention.event_lists import report_list
from vault.retention.queries import events_of_record


@pytest.fixture
def accounts(send: Callable[..., UUID]) -> list[UUID]:
    """Two slips of one account, and one of another."""
    return [send("ACCOUNT-OPENING", business_number=number) for number in ("KH-1", "KH-1", "KH-2")]


def _events(archive: Archive, record_id: UUID) -> list[tuple[str, date | None, str]]:
    with archive.ctx.database.read() as connection:
        return [(e.name, e.day, e.evidence) for e in events_of_record(connection, record_id)]


def test_a_list_names_records_by_any_number(
    archive: Archive, people: People, accounts: list[UUID], look: Callable[[UUID], RecordView]
) -> None:
    table = (
        "\ufeff档案,事件,日期,依据\r\n"
        "KH-1,account_closed,2026-05-06,销户 118\r\n"
        f"{accounts[2]},account_closed,never,\r\n"
        f'{look(accounts[2]).archival_number},relationship_ended,2026-07-08,"含逗号, 的依据"\r\n'
    )
    done = report_list(archive.ctx, people.keeper, table, "list-0001")
    assert done.report is not None
    assert (len(done.report.events), done.problems) == (4, ())
    for record_id in accounts[:2]:
        assert _events(archive, record_id) == [("account_closed", date(2026, 5, 6), "销户 118")]
    assert set(_events(archive, accounts[2])) == {
        ("account_closed", None, ""),
        ("relationship_ended", date(2026, 7, 8), "含逗号, 的依据"),
    }
    assert report_list(archive.ctx, people.keeper, table, "list-0001").report.is_repeated
    with pytest.raises(ReportKeyReused):
        report_list(archive.ctx, people.keeper, table.replace("05-06", "05-07"), "list-0001")


BAD = """record,event,day,evidence
KH-1,account_closed,2026-05-06,
NO-SUCH,account_closed,2026-05-06,
KH-2,no_such_event,2026-05-06,
KH-2,account_closed,6.5.2026,
KH-1,account_closed,2026-05-07,

KH-2,relationship_ended,2026-05-08,
"""


def test_one_bad_line_refuses_the_whole_list_and_each_is_named(
    archive: Archive, people: People, accounts: list[UUID]
) -> None:
    with pytest.raises(EventListRefused) as refused:
        report_list(archive.ctx, people.keeper, BAD, "list-0001")
    assert [(p.line, p.field) for p in refused.value.problems] == [
        (3, "record"),
        (4, "event"),
        (5, "day"),
        (6, "events"),
    ]
    assert refused.value.facts == {"refused": 4, "lines": 6}
    assert _events(archive, accounts[0]) == []


def test_line_by_line_the_good_ones_are_taken(archive: Archive, people: People, accounts: list[UUID]) -> None:
    done = report_list(archive.ctx, people.keeper, BAD, "list-0001", each=True)
    assert done.report is not None
    assert len(done.report.events) == 3
    assert [p.line for p in done.problems] == [3, 4, 5, 6]
    nothing = report_list(archive.ctx, people.keeper, "record,event,day\nX,y,z\n", "list-0002", each=True)
    assert (nothing.report, [p.line for p in nothing.problems]) == (None, [2])


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("", "record"),
        ("record,event\nKH-1,account_closed\n", "day"),
        ("record,event,day\n", ""),
        ('record,event,day\n"KH-1,account_closed,2026-05-06\n', ""),
        ("x" * 5_000_000, ""),
    ],
    ids=["empty", "no day", "no line", "no table", "too long"],
)
def test_what_is_no_list_is_refused(archive: Archive, people: People, table: str, field: str) -> None:
    with pytest.raises(EventListRefused) as refused:
        report_list(archive.ctx, people.keeper, table, "list-0001")
    assert refused.value.problems[0].field == field
