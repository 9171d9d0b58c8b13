"""Languages: Chinese first, English beside it. Messages, dates, durations, numbers and sizes in words.

Message ids are English. Chinese comes from `locale/zh/LC_MESSAGES/messages.po`, compiled in memory at start,
so that no binary file stands in the repository and none can be stale. Everything here returns plain text;
markup is the business of the web templates.
"""

from __future__ import annotations

import functools
import gettext as stdlib_gettext
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from retention_rules.errors import InvalidData
from vault.access.rights import RIGHT_WORDS, Right
from vault.foundation.errors import N_, Fault, VaultError
from vault.surfaces.field_words import FIELDS

LOCALE_DIRECTORY = Path(__file__).parent / "locale"
DEFAULT_ZONE = "Asia/Shanghai"


class Language(StrEnum):
    """A language that every text of the service exists in."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """The BCP 47 tag for `lang` and `Content-Language`."""
        return {"zh": "zh-CN", "en": "en"}[self.value]

    @property
    def own_name(self) -> str:
        """What the language calls itself."""
        return {"zh": "中文", "en": "English"}[self.value]


FAULT_WORDS: dict[Fault, str] = {
    Fault.CALLER: N_("What was asked for cannot be given: nothing is broken."),
    Fault.INPUT: N_("What was sent cannot be accepted as it is."),
    Fault.STORE: N_("A store, key or time-stamp service outside this program failed."),
    Fault.OURS: N_("The fault is in this installation, not in what you did."),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error in one language: what happened, whose fault it is, what can be done now."""

    code: str
    what_happened: str
    whose_fault: str
    what_to_do: str


class Translator:
    """The messages of one language."""

    def __init__(self, language: Language, catalogue: stdlib_gettext.NullTranslations) -> None:
        self.language = language
        self.catalogue = catalogue

    def gettext(self, message: str) -> str:
        """The text for `message`, or `message` itself where there is none (English)."""
        return self.catalogue.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The form that fits `count`; `%(num)s` in it is for the caller to fill."""
        return self.catalogue.ngettext(singular, plural, count)

    def pgettext(self, context: str, message: str) -> str:
        """The text for `message` where one English word has several Chinese ones."""
        return self.catalogue.pgettext(context, message)

    def npgettext(self, context: str, singular: str, plural: str, count: int) -> str:
        """`pgettext` with a count."""
        return self.catalogue.npgettext(context, singular, plural, count)

    def explain(self, error: VaultError) -> Explanation:
        """What `error` says to a person who reads this language."""
        facts = {name: self._fact(name, value) for name, value in error.facts.items()}
        return Explanation(
            code=error.code,
            what_happened=self.gettext(error.message).format(**facts),
            whose_fault=self.gettext(FAULT_WORDS[error.fault]),
            what_to_do=self.gettext(error.hint).format(**facts),
        )

    def _fact(self, name: str, value: object) -> object:
        """Facts that are themselves message ids (a problem, a state) are translated too, and fields have their words."""
        if isinstance(value, InvalidData):
            return value.said(self.language.value)
        if not isinstance(value, str):
            return value
        if name == "right" and value in set(Right):
            return f"“{self.gettext(RIGHT_WORDS[Right(value)])}” ({value})"
        word = FIELDS.get(value, value) if name == "field" else value
        return self.gettext(word)


@functools.cache
def translator(language: Language) -> Translator:
    """The translator for `language`, read once for the life of the process.

    Raises:
        FileNotFoundError: the installation lacks the catalogue of a language other than English.
    """
    if language is Language.EN:
        return Translator(language, stdlib_gettext.NullTranslations())
    path = LOCALE_DIRECTORY / language.value / "LC_MESSAGES" / "messages.po"
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language.value))
    compiled.seek(0)
    return Translator(language, stdlib_gettext.GNUTranslations(compiled))


def choose_language(chosen: str | None, accept_language: str | None) -> Language:
    """The language to answer in: the person's choice, else what the browser asks for, else Chinese.

    Args:
        chosen: a person's setting or the language cookie; anything unknown counts as no choice.
        accept_language: the request header (RFC 9110 section 12.5.4).
    """
    for language in Language:
        if chosen == language.value:
            return language
    best, best_weight = Language.ZH, 0.0
    for part in (accept_language or "").split(",")[:20]:
        tag, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        for language in Language:
            if tag.lower().split("-")[0] == language.value and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Formats:
    """Values in words, in one language and the organisation's time zone."""

    translator: Translator
    zone: ZoneInfo

    def local(self, at: datetime) -> datetime:
        """`at` in the organisation's zone.

        Raises:
            ValueError: `at` has no zone; an instant is always aware.
        """
        if at.tzinfo is None:
            raise ValueError("an instant must be aware")
        return at.astimezone(self.zone)

    def day(self, day: date | datetime) -> str:
        """`2026-11-23`; an instant becomes the day it is in the organisation's zone."""
        return (self.local(day).date() if isinstance(day, datetime) else day).isoformat()

    def instant(self, at: datetime) -> str:
        """`2026-11-23 14:05`."""
        return self.local(at).strftime("%Y-%m-%d %H:%M")

    def time_of_day(self, at: datetime) -> str:
        """`14:05:09`."""
        return self.local(at).strftime("%H:%M:%S")

    def instant_in_full(self, at: datetime) -> str:
        """`2026-11-23 14:05:09 UTC+08:00 (Asia/Shanghai)`: what hovering over a time shows."""
        local = self.local(at)
        offset = local.strftime("%z")
        return f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:5]} ({self.zone.key})"

    def machine(self, at: datetime) -> str:
        """RFC 3339 in UTC, for `datetime` attributes."""
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def span(self, start: date, end: date) -> str:
        """The calendar time between two days in at most two units: `3 years 2 months`, `12 days`."""
        years, months, days = _calendar_difference(min(start, end), max(start, end))
        parts = [
            self._count(N_years, years) if years else "",
            self._count(N_months, months) if months else "",
            self._count(N_days, days) if days or not (years or months) else "",
        ]
        return " ".join([part for part in parts if part][:2])

    def left(self, until: date | datetime, now: datetime) -> str:
        """`3 years 2 months left`, `today`, or `12 days over` when the day has passed."""
        end = self.local(until).date() if isinstance(until, datetime) else until
        today = self.local(now).date()
        if end == today:
            return self.translator.gettext("today")
        text = self.translator.gettext("{span} left") if end > today else self.translator.gettext("{span} over")
        return text.format(span=self.span(today, end))

    def ago(self, at: datetime, now: datetime) -> str:
        """`just now`, `5 minutes ago`, `3 hours ago`, then days and longer."""
        seconds = max(0, int((now - at).total_seconds()))
        if seconds < 60:
            return self.translator.gettext("just now")
        if seconds < 86400:
            span = self.seconds(seconds - seconds % 60 if seconds < 3600 else seconds - seconds % 3600)
        else:
            span = self.span(self.local(at).date(), self.local(now).date())
        return self.translator.gettext("{span} ago").format(span=span)

    def seconds(self, seconds: float) -> str:
        """A working time in at most two units: `2 hours 5 minutes`, `40 seconds`; under ten, `0.3 seconds`."""
        if seconds < 10:
            text = f"{seconds:.1f}".removesuffix(".0")
            forms = N_seconds
            return self.translator.ngettext(*forms, 1 if text == "1" else 2) % {"num": text}
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        parts = [
            self._count(N_hours, hours) if hours else "",
            self._count(N_minutes, minutes) if minutes else "",
            self._count(N_seconds, rest) if rest or not (hours or minutes) else "",
        ]
        return " ".join([part for part in parts if part][:2])

    def number(self, value: float) -> str:
        """`12,345`; a fraction keeps one digit."""
        return f"{value:,.1f}" if isinstance(value, float) and value % 1 else f"{int(value):,}"

    def percent(self, share: float) -> str:
        """`0.973` as `97.3%`."""
        return f"{share * 100:.1f}%"

    def size(self, size_bytes: int) -> str:
        """`3.2 MB` in powers of ten, as stores bill and disks are sold."""
        value, unit = float(size_bytes), "B"
        for bigger in ("KB", "MB", "GB", "TB", "PB"):
            if value < 1000:
                break
            value, unit = value / 1000, bigger
        return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"

    def _count(self, forms: tuple[str, str], count: int) -> str:
        return self.translator.ngettext(forms[0], forms[1], count) % {"num": count}


def N_n(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802 - the internationalisation convention: marks both forms, as N_ does
    """Marks a counted message for translation and returns its two forms."""
    return singular, plural


N_years = N_n("%(num)s year", "%(num)s years")
N_months = N_n("%(num)s month", "%(num)s months")
N_days = N_n("%(num)s day", "%(num)s days")
N_hours = N_n("%(num)s hour", "%(num)s hours")
N_minutes = N_n("%(num)s minute", "%(num)s minutes")
N_seconds = N_n("%(num)s second", "%(num)s seconds")


def _calendar_difference(start: date, end: date) -> tuple[int, int, int]:
    """Whole years, months and days from `start` to the later `end`."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if _add_months(start, months) > end:
        months -= 1
    days = (end - _add_months(start, months)).days
    return months // 12, months % 12, days


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"no day {day.day} or earlier in {year}-{month + 1}")
