"""The organisation's holidays, year by year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import BLANK, ActorName, Form


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year as it was entered; of several entries of a year the newest counts."""

    year: int
    holidays: tuple[date, ...]
    workdays: tuple[date, ...]
    source: str
    by: ActorName
    entered_at: datetime
    is_counting: bool = True


@dataclass(frozen=True, slots=True)
class HolidaysView:
    """Every entry, and for those who may the form to enter a year."""

    rows: tuple[YearRow, ...]
    may_enter: bool = False
    form: Form = BLANK
