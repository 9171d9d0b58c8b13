"""Lists of events, as a table: whole or not at all, or each line for itself; every problem is told with its line.

Columns: record (id, archival number, or business number, then of every record that has it), event, day (YYYY-MM-DD, or
`never`), evidence. Headings may be Chinese: 档案、事件、日期、依据. An event is named by its code, or as pages call it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from retention_rules import shipped
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.tables import records
from vault.foundation.context import Context
from vault.foundation.errors import N_
from vault.retention.book import read_book
from vault.retention.errors import EventListRefused
from vault.retention.events import EVENTS_MAX, Report, known_events, problem_with, report
from vault.retention.model import NewEvent

COLUMNS = ("record", "event", "day", "evidence")
_HEADINGS = {"档案": "record", "档号": "record", "事件": "event", "日期": "day", "依据": "evidence"}
_NEVER = frozenset({"never", "不会发生"})
CHARACTERS_MAX = 4 << 20


@dataclass(frozen=True)
class LineProblem:
    """What is wrong on a line; `problem` is a msgid."""

    line: int
    field: str
    problem: str


@dataclass(frozen=True)
class ReadList:
    """A list as it was read: how many lines it has, what the good ones report, what is wrong with the others."""

    lines: int
    events: tuple[NewEvent, ...]
    problems: tuple[LineProblem, ...]

    @property
    def refused(self) -> int:
        """How many lines cannot be taken."""
        return len({problem.line for problem in self.problems})


@dataclass(frozen=True)
class ListReport:
    """What became of a list: the report of the good lines, none when there were none, and the problems of the others."""

    report: Report | None
    problems: tuple[LineProblem, ...]


def report_list(ctx: Context, viewer: Viewer, text: str, client_key: str, *, each: bool = False) -> ListReport:
    """Reports the events of a list: all or none, or with `each` those lines that can be taken. Leaves as `report`.

    Raises:
        NotAllowed: the viewer lacks `retention:event:report`.
        EventListRefused: lines cannot be taken, and all were wanted; its `problems` name them.
        InvalidInput, ReportKeyReused: as `report`.
    """
    viewer.require(Right.RETENTION_EVENT_REPORT)
    with ctx.database.read() as connection:
        told = read_list(ctx, connection, viewer, text)
    if told.problems and not (each and told.events):
        if each:
            return ListReport(None, told.problems)
        raise EventListRefused(told.problems, refused=told.refused, lines=told.lines)
    return ListReport(report(ctx, viewer, told.events, client_key), told.problems)


def read_list(ctx: Context, connection: Connection, viewer: Viewer, text: str) -> ReadList:
    """What a list says, and what is wrong with it; nothing is reported."""
    rows, problems = _rows(text)
    named = _named(connection, viewer, {row.get("record", "") for _, row in rows})
    lawbook = read_book(connection)
    now = ctx.clock.now()
    today = lawbook.day_of(now)
    names = known_events(lawbook.law(today, now))
    called = {label: code for code, labels in shipped.event_names().items() for label in labels.values()}
    seen: set[tuple[UUID, str]] = set()
    events: list[NewEvent] = []
    for line, row in rows:
        row["event"] = called.get(row.get("event", ""), row.get("event", ""))
        found, wrong = _line_events(row, named, names, today, seen)
        events += found
        problems += [LineProblem(line, field, problem) for field, problem in wrong]
    if len(events) > EVENTS_MAX:
        problems.append(LineProblem(1, "events", N_("1 to 10,000 events can be reported at once")))
    return ReadList(len(rows), tuple(events), tuple(problems))


def _line_events(
    row: Mapping[str, str],
    named: Mapping[str, list[UUID]],
    names: frozenset[str],
    today: date,
    seen: set[tuple[UUID, str]],
) -> tuple[list[NewEvent], list[tuple[str, str]]]:
    record_ids = named.get(row.get("record", ""), [])
    if not record_ids:
        return [], [("record", N_("no record that you may see has this number"))]
    try:
        day = _day(row.get("day", ""))
    except ValueError:
        return [], [("day", N_("it is no day of the form YYYY-MM-DD"))]
    events = [NewEvent(one, row.get("event", ""), day, row.get("evidence", "")) for one in record_ids]
    problem = problem_with(events[0], names, today)
    if problem is not None:
        return [], [problem]
    places = {(event.record_id, event.name) for event in events}
    if places & seen:
        return [], [("events", N_("an event is reported twice of the same record"))]
    seen |= places
    return events, []


def _day(told: str) -> date | None:
    return None if told.lower() in _NEVER else date.fromisoformat(told)


def _rows(text: str) -> tuple[list[tuple[int, dict[str, str]]], list[LineProblem]]:
    """The lines under the heading, each with its number; what is wrong with the table as a whole."""
    if len(text) > CHARACTERS_MAX:
        return [], [LineProblem(1, "", N_("the list is too long"))]
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    first = 1
    try:
        for cells in reader:
            told = [cell.strip() for cell in cells]
            if not header:
                header = [_HEADINGS.get(cell, cell) for cell in told]
            elif any(told):
                rows.append((first, dict(zip(header, told, strict=False))))
            first = reader.line_num + 1
    except csv.Error:
        return [], [LineProblem(reader.line_num, "", N_("this is no table of comma-separated values"))]
    missing = [column for column in COLUMNS[:3] if column not in header]
    if missing:
        return [], [LineProblem(1, column, N_("this column is missing")) for column in missing]
    if not rows:
        return [], [LineProblem(1, "", N_("the list is empty"))]
    return rows, []


def _named(connection: Connection, viewer: Viewer, told: Iterable[str]) -> dict[str, list[UUID]]:
    """The records that each text names, within the viewer's sight."""
    texts = sorted(text for text in told if text)
    ids = {text: made for text in texts if (made := _uuid(text)) is not None}
    query = select(records.c.id, records.c.archival_number, records.c.business_number).where(
        records.c.id.in_(sorted(ids.values()))
        | records.c.archival_number.in_(texts)
        | records.c.business_number.in_(texts)
    )
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    wanted = {str(made): text for text, made in ids.items()}
    found: dict[str, list[UUID]] = {}
    for row in connection.execute(query.order_by(records.c.id)):
        for name in {wanted.get(str(row.id)), row.archival_number, row.business_number}:
            if name is not None:
                found.setdefault(name, []).append(row.id)
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
