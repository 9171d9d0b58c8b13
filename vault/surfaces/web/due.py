"""The due calendar: what falls due when, by class and unit; each number leads to its records."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from retention_rules import words
from retention_rules.model import What
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.falling_due import DueCount, DueFilters, Step, due_counts, nearest_due, overdue_counts
from vault.foundation.errors import N_
from vault.surfaces.i18n import Translator
from vault.surfaces.lists.listing import Speech
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.charts import bar_chart
from vault.surfaces.web.listing import unit_options, uuid_of
from vault.surfaces.web.pages import language_for, page
from vault.surfaces.web.views import due as views
from vault.surfaces.web.views.parts import Choices, Link, Option

routes = Routes("", "pages", in_schema=False)
YEARS_AHEAD = 12
_YEAR_FIRST, _YEAR_LAST = 1900, 9998
_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


@dataclass(frozen=True)
class _Asked:
    """What the address asks for: a stretch of time cut into steps, and the filters as they stand in addresses."""

    step: Step
    starts: tuple[date, ...]
    last: date
    filters: DueFilters
    address: dict[str, str]

    def end_of(self, place: int) -> date:
        """The last day of a stretch."""
        return self.starts[place + 1] - timedelta(days=1) if place + 1 < len(self.starts) else self.last

    def records(self, first: date, last: date, **more: str) -> str:
        """The address of the records that must be kept to a day of the stretch."""
        return "/records?" + urlencode(
            {**self.address, "due_from": first.isoformat(), "due_to": last.isoformat(), **more}
        )

    def here(self, **more: str) -> str:
        """The address of another stretch with the same filters."""
        query = urlencode({**self.address, **more})
        return f"/due?{query}" if query else "/due"


@routes.get("/due", Right.RECORDS_RECORD_READ, response_class=Response)
def due_page(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    class_code: str = "",
    unit: str = "",
    year: str = "",
    month: str = "",
) -> Response:
    """What falls due: in the years to come, in the months of a year, on the days of a month."""
    told = views.DueFilter(class_code, unit, year, month)
    with ctx.database.read() as connection:
        speech = Speech(connection, language_for(request), ctx.clock.now())
        today = speech.formats.local(ctx.clock.now()).date()
        asked = _asked(told, today)
        if not (told.year or told.month):
            # Opened as it is: the first year from today on in which there is something to see.
            _, first = nearest_due(connection, asked.filters, today, today - timedelta(days=1), units=viewer.units)
            asked = _asked(told, first or today)
        counts = due_counts(connection, asked.filters, asked.starts[0], asked.last, asked.step, units=viewer.units)
        overdue = overdue_counts(connection, asked.filters, today, units=viewer.units)
        near = nearest_due(connection, asked.filters, asked.starts[0], asked.last, units=viewer.units)
        view = _view(speech, viewer, told, asked, counts, overdue, today, near)
    return page(request, "due.html", view, current="due")


def _asked(told: views.DueFilter, today: date) -> _Asked:
    filters = DueFilters(told.class_code or None, uuid_of(told.unit))
    address = {"class_code": told.class_code} if told.class_code else {}
    if filters.unit_id is not None:
        address["unit"] = str(filters.unit_id)
    begin = _month(told.month)
    if begin is not None:
        days = calendar.monthrange(begin.year, begin.month)[1]
        starts = tuple(begin + timedelta(days=n) for n in range(days))
        return _Asked(Step.DAY, starts, starts[-1], filters, address)
    if told.year == "all":
        starts = tuple(date(today.year + n, 1, 1) for n in range(YEARS_AHEAD))
        return _Asked(Step.YEAR, starts, date(today.year + YEARS_AHEAD - 1, 12, 31), filters, address)
    number = int(told.year) if told.year.isascii() and told.year.isdigit() and len(told.year) == 4 else today.year
    number = min(max(number, _YEAR_FIRST), _YEAR_LAST)
    return _Asked(Step.MONTH, tuple(date(number, n, 1) for n in range(1, 13)), date(number, 12, 31), filters, address)


def _month(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01") if text else None
    except ValueError:
        return None
    return found if found is not None and _YEAR_FIRST <= found.year <= _YEAR_LAST else None


def _view(
    speech: Speech,
    viewer: Viewer,
    told: views.DueFilter,
    asked: _Asked,
    counts: Sequence[DueCount],
    overdue: dict[str, int],
    today: date,
    near: tuple[date | None, date | None],
) -> views.DueView:
    say = speech.translator
    sums = {start: sum(c.count for c in counts if c.start_date == start) for start in asked.starts}
    classes = sorted({c.class_code for c in counts}, key=lambda code: speech.classes.get(code, code))
    totals = _cells(asked, sums, today, max(sums.values(), default=0))
    is_month = asked.step is Step.DAY
    by_class = {code: {c.start_date: c.count for c in counts if c.class_code == code} for code in classes}
    highest = max((c.count for c in counts), default=0)
    return views.DueView(
        title=_title(say, asked),
        filter=told,
        choices=_choices(speech, viewer),
        chart=bar_chart([(cell.label, cell.count) for cell in totals], label_every=2 if is_month else 1),
        chart_hrefs=tuple(cell.href for cell in totals),
        headings=tuple(
            Link(f"{start:%m}" if asked.step is Step.MONTH else _label(asked.step, start), _deeper(asked, start))
            for start in asked.starts
        ),
        rows=tuple(
            views.DueRow(
                speech.classes.get(code, code),
                () if is_month else _cells(asked, by_class[code], today, highest, class_code=code),
                views.DueCell(
                    "", sum(by_class[code].values()), asked.records(asked.starts[0], asked.last, class_code=code), 0
                ),
            )
            for code in classes
        ),
        totals=totals,
        weeks=_weeks(asked, totals) if is_month else (),
        weekdays=tuple(say.gettext(day) for day in _WEEKDAYS),
        total_count=sum(sums.values()),
        tabs=_tabs(say, asked, today),
        previous=_beside(asked, -1),
        next=_beside(asked, 1),
        overdue=tuple(
            (
                words.say_what(What(what), say.language.value),
                count,
                asked.records(date(_YEAR_FIRST, 1, 1), today - timedelta(days=1), what=what),
            )
            for what, count in sorted(overdue.items())
        ),
        today=today,
        nearest=tuple(Link(_near_label(asked, day), _near_href(asked, day)) for day in near if day is not None),
    )


def _near_label(asked: _Asked, day: date) -> str:
    return f"{day:%Y-%m}" if asked.step is Step.DAY else str(day.year)


def _near_href(asked: _Asked, day: date) -> str:
    return asked.here(month=f"{day:%Y-%m}") if asked.step is Step.DAY else asked.here(year=str(day.year))


def _cells(
    asked: _Asked, counted: dict[date, int], today: date, highest: int, **more: str
) -> tuple[views.DueCell, ...]:
    cells = []
    for place, start in enumerate(asked.starts):
        count, end = counted.get(start, 0), asked.end_of(place)
        heat = -(-4 * count // highest) if count and highest else 0
        href = asked.records(start, end, **more)
        cells.append(views.DueCell(_label(asked.step, start), count, href, heat, start <= today <= end))
    return tuple(cells)


def _label(step: Step, start: date) -> str:
    return {Step.DAY: str(start.day), Step.MONTH: f"{start:%Y-%m}", Step.YEAR: str(start.year)}[step]


def _title(say: Translator, asked: _Asked) -> str:
    first = asked.starts[0]
    if asked.step is Step.DAY:
        return f"{first:%Y-%m}"
    if asked.step is Step.MONTH:
        return say.gettext(N_("Year {year}")).format(year=first.year)
    return f"{first.year} – {asked.last.year}"


def _deeper(asked: _Asked, start: date) -> str:
    """A year leads to its months, a month to its days, a day to its records."""
    if asked.step is Step.YEAR:
        return asked.here(year=str(start.year))
    if asked.step is Step.MONTH:
        return asked.here(month=f"{start:%Y-%m}")
    return asked.records(start, start)


def _tabs(say: Translator, asked: _Asked, today: date) -> tuple[tuple[Link, bool], ...]:
    shown = asked.starts[0] if asked.step is not Step.YEAR else today
    return (
        (Link(say.gettext(N_("Days of a month")), asked.here(month=f"{shown:%Y-%m}")), asked.step is Step.DAY),
        (Link(say.gettext(N_("Months of a year")), asked.here(year=str(shown.year))), asked.step is Step.MONTH),
        (Link(say.gettext(N_("Years ahead")), asked.here(year="all")), asked.step is Step.YEAR),
    )


def _beside(asked: _Asked, way: int) -> Link | None:
    """The stretch before or after."""
    if asked.step is Step.YEAR:
        return None
    first = asked.starts[0]
    if asked.step is Step.MONTH:
        year = first.year + way
        return Link(str(year), asked.here(year=str(year))) if _YEAR_FIRST <= year <= _YEAR_LAST else None
    other = first - timedelta(days=1) if way < 0 else asked.last + timedelta(days=1)
    if not _YEAR_FIRST <= other.year <= _YEAR_LAST:
        return None
    return Link(f"{other:%Y-%m}", asked.here(month=f"{other:%Y-%m}"))


def _weeks(asked: _Asked, cells: Sequence[views.DueCell]) -> tuple[tuple[views.DueCell | None, ...], ...]:
    """The days of a month by weeks, Monday first."""
    before = asked.starts[0].weekday()
    days: list[views.DueCell | None] = [None] * before + list(cells)
    days += [None] * (-len(days) % 7)
    return tuple(tuple(days[at : at + 7]) for at in range(0, len(days), 7))


def _choices(speech: Speech, viewer: Viewer) -> Choices:
    return Choices(
        {
            "class_code": tuple(Option(code, name) for code, name in speech.classes.items()),
            "unit": unit_options(speech, viewer),
        }
    )
