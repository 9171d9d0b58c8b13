"""A question to the law as JSON: facts, law and a day. Format: docs/formats/retention-facts.md.

Everything that is wrong is refused with the place where it stands; nothing is guessed and no field is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention_rules import shipped
from retention_rules.aggregates import Member, Together, decide_together
from retention_rules.decision import Decision
from retention_rules.errors import InvalidData
from retention_rules.model import (
    RECEIVED,
    Calendar,
    ClassDefinition,
    Confirmation,
    FiscalYear,
    Hold,
    Organisation,
    Rule,
    WorkingDays,
)
from retention_rules.packs import CLASS_KEYS, RULE_KEYS, Pack, by_code, class_from, rule_digest, rule_from
from retention_rules.places import Place
from retention_rules.schedules import (
    ALWAYS,
    Book,
    Classified,
    Dossier,
    KnownConfirmation,
    Promise,
    ReportedEvent,
    ReportedHold,
    Schedule,
    day_of,
    why,
)
from retention_rules.triggers import NAME

T = TypeVar("T")
FORMAT = "retention-facts/1"
MEMBERS_MAX = 100_000
_OWN_PACK = "own"
_RECORD = frozenset({"class", "classified", "received", "events", "holds", "locks", "appraisals"})
_SHARED = frozenset(
    {
        "format",
        "on",
        "known_at",
        "schedule",
        "schedules",
        "classes",
        "organisation",
        "rules",
        "confirmations",
        "members",
    }
)
_MONTH_AND_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_BARE_CLASS = {"code": "CLASS", "name_zh": "本类", "name_en": "This class", "category_code": "", "period_code": ""}


@dataclass(frozen=True)
class Question:
    """What is asked: about one record, or about the members of a volume."""

    book: Book
    on: date
    known_at: datetime | None
    dossiers: Mapping[str, Dossier]
    is_volume: bool

    def decide(self) -> Decision | Together:
        """The answer.

        Raises:
            InvalidData: a record had no class at that instant, or no schedule was in effect.
        """
        decisions = {name: why(dossier, self.book, self.on, self.known_at) for name, dossier in self.dossiers.items()}
        if not self.is_volume:
            return next(iter(decisions.values()))
        return decide_together([Member(name, decision) for name, decision in decisions.items()])


def read_question(text: str) -> Question:
    """A question from JSON.

    Raises:
        InvalidData: it is none; the message names the place and what is expected there.
    """
    try:
        content = json.loads(text, parse_constant=_no_number, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise InvalidData(
            f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}",
            f"第 {error.lineno} 行第 {error.colno} 列：不是有效的 JSON：{error.msg}",
        ) from error
    except RecursionError as error:
        raise InvalidData("nested too deeply", "嵌套过深") from error
    asked = Place(content).object(_RECORD | _SHARED)
    if asked.at("format").text() != FORMAT:
        raise asked.at("format").wrong(f"{FORMAT} is expected", f"应为 {FORMAT}")
    is_volume = asked.has("members")
    if is_volume and asked.has("received"):
        raise asked.wrong(
            "either members, or one record's received, events and so on",
            "members 与单件的 received、events 等只能写其一",
        )
    book, class_codes = _book(asked)
    records = list(asked.each("members", MEMBERS_MAX)) if is_volume else [asked]
    dossiers = {}
    for record in records:
        name = record.object(_RECORD | {"id"}).at("id").text() if is_volume else ""
        if name in dossiers:
            raise record.at("id").wrong("named twice", "编号重复")
        dossiers[name] = _dossier(record, asked, class_codes, book.organisation.time_zone)
    if not dossiers:
        raise asked.at("members").wrong("a volume has at least one member", "卷内至少有一件")
    known_at = asked.at("known_at").instant() if asked.has("known_at") else None
    return Question(book, asked.at("on").day(), known_at, dossiers, is_volume)


def _book(asked: Place) -> tuple[Book, frozenset[str]]:
    """Schedules, packs and confirmations; and the codes of all classes."""
    own = Pack(_OWN_PACK, "", date.min, tuple(_rule(row) for row in asked.each("rules")))
    packs = {**shipped.packs(), _OWN_PACK: own}
    organisation = _organisation(asked)
    if asked.has("schedules"):
        if any(asked.has(name) for name in ("classes", "schedule")):
            raise asked.wrong(
                "either schedules, each with its classes, or classes and schedule",
                "schedules（各含 classes）与 classes、schedule 只能写其一",
            )
        schedules = tuple(_schedule(row, organisation.fiscal_year, packs) for row in asked.each("schedules"))
    else:
        label = asked.at("schedule").text() if asked.has("schedule") else ""
        schedules = (Schedule(label, date.min, _classes(asked), _current(packs), organisation.fiscal_year),)
    for schedule in schedules:
        _check(asked, schedule, packs)
    rules = {rule.code: rule for pack in packs.values() for rule in pack.rules}
    confirmations = tuple(_confirmation(row, rules) for row in asked.each("confirmations"))
    codes = frozenset(definition.code for schedule in schedules for definition in schedule.classes)
    return Book(schedules, packs, confirmations, organisation), codes


def _current(packs: Mapping[str, Pack]) -> tuple[str, ...]:
    superseded = {pack.supersedes for pack in packs.values()}
    return tuple(version for version in packs if version not in superseded)


def _check(asked: Place, schedule: Schedule, packs: Mapping[str, Pack]) -> None:
    try:
        known = by_code(packs[version] for version in schedule.packs)
    except InvalidData as error:
        raise asked.wrong(
            f"{error} (own rules need codes of their own)", f"{error.chinese}（自定规则须用不同的代码）"
        ) from error
    for definition in schedule.classes:
        missing = [code for code in definition.rule_codes if code not in known]
        if missing:
            named = ", ".join(missing)[:200]
            raise asked.wrong(
                f"class {definition.code} names unknown rules: {named}",
                f"类别 {definition.code} 引用的规则不存在：{named}",
            )


def _classes(asked: Place) -> tuple[ClassDefinition, ...]:
    """The shipped classes, those of the question, and the one that stands at its top."""
    found = {definition.code: definition for definition in shipped.classes()}
    rows = list(asked.each("classes"))
    if asked.has("class") and isinstance(asked.at("class").value, dict):
        rows.append(asked.at("class"))
    for row in rows:
        definition = _class(row)
        found[definition.code] = definition
    return tuple(found.values())


def _class(row: Place) -> ClassDefinition:
    fields = row.object(CLASS_KEYS).value
    return _meant(row, lambda: class_from({**_BARE_CLASS, **fields}))


def _rule(row: Place) -> Rule:
    fields = row.object(RULE_KEYS).value
    usual = {"name_zh": "", "name_en": "", "sector": "", "calendar_rule": Calendar.EXACT_DATE}
    return _meant(row, lambda: rule_from({**usual, **fields}, _OWN_PACK))


def _meant(row: Place, make: Callable[[], T]) -> T:
    try:
        return make()
    except InvalidData as error:
        raise row.wrong(str(error), error.chinese) from error


def _schedule(row: Place, fiscal_year: FiscalYear, packs: Mapping[str, Pack]) -> Schedule:
    row.object({"version", "effective_date", "known_at", "withdrawn_at", "approved_by", "packs", "classes"})
    named = tuple(place.text() for place in row.each("packs")) or _current(packs)
    missing = [version for version in named if version not in packs]
    if missing:
        absent = ", ".join(missing)[:200]
        raise row.at("packs").wrong(f"no such pack is shipped: {absent}", f"没有这个规则包：{absent}")
    return Schedule(
        version=row.at("version").text(),
        effective_date=row.at("effective_date").day(),
        classes=tuple(_class(place) for place in row.each("classes")),
        packs=named if _OWN_PACK in named else (*named, _OWN_PACK),
        fiscal_year=fiscal_year,
        known_at=_since(row, "known_at"),
        withdrawn_at=_until(row, "withdrawn_at"),
        approved_by=tuple(place.text() for place in row.each("approved_by")),
    )


def _organisation(asked: Place) -> Organisation:
    if not asked.has("organisation"):
        return Organisation()
    row = asked.at("organisation").object({"fiscal_year_end", "time_zone", "holidays", "workdays", "holiday_years"})
    fiscal_year = FiscalYear()
    if row.has("fiscal_year_end"):
        ends = row.at("fiscal_year_end")
        match = _MONTH_AND_DAY.fullmatch(ends.text())
        if match is None or not 1 <= int(match[1]) <= 12 or not 1 <= int(match[2]) <= 31:
            raise ends.wrong("a month and a day such as 12-31 are expected", "应为月和日，如 12-31")
        fiscal_year = FiscalYear(int(match[1]), int(match[2]))
    zone = row.at("time_zone").text() if row.has("time_zone") else Organisation().time_zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise row.at("time_zone").wrong(f"no such time zone: {zone[:40]}", f"没有这个时区：{zone[:40]}") from error
    years = []
    for place in row.each("holiday_years"):
        if not isinstance(place.value, int) or not MINYEAR <= place.value < MAXYEAR:
            raise place.wrong("a year such as 2026 is expected", "应为年份，如 2026")
        years.append(place.value)
    working = WorkingDays(
        frozenset(place.day() for place in row.each("holidays")),
        frozenset(place.day() for place in row.each("workdays")),
        frozenset(years),
    )
    return Organisation(fiscal_year, working, zone)


def _confirmation(row: Place, rules: Mapping[str, Rule]) -> KnownConfirmation:
    row.object({"rule", "by", "source", "date", "known_at", "withdrawn_at"})
    code = row.at("rule").text()
    if code not in rules:
        raise row.at("rule").wrong(f"no such rule: {code[:60]}", f"没有这条规则：{code[:60]}")
    confirmation = Confirmation(
        code, rule_digest(rules[code]), row.at("by").text(), row.at("source").text(), row.at("date").day()
    )
    return KnownConfirmation(confirmation, _since(row, "known_at"), _until(row, "withdrawn_at"))


def _dossier(record: Place, asked: Place, codes: frozenset[str], time_zone: str) -> Dossier:
    return Dossier(
        received_date=record.at("received").day(),
        classified=tuple(_classified(record if record.has("class") else asked, record, codes)),
        events=tuple(_events(record)),
        holds=tuple(_hold(row, time_zone) for row in record.each("holds")),
        locks=tuple(_promise(row) for row in record.each("locks")),
        appraisals=tuple(_promise(row) for row in record.each("appraisals")),
    )


def _classified(holder: Place, record: Place, codes: frozenset[str]) -> Iterator[Classified]:
    if record.has("classified"):
        for row in record.each("classified"):
            code = row.object({"class", "known_at"}).at("class")
            yield Classified(_known_class(code, codes), _since(row, "known_at"))
        return
    given = holder.at("class")
    if isinstance(given.value, dict):
        yield Classified(str(given.value.get("code", _BARE_CLASS["code"])))
    else:
        yield Classified(_known_class(given, codes))


def _known_class(code: Place, codes: frozenset[str]) -> str:
    if code.text() not in codes:
        raise code.wrong(f"no such class: {code.value[:60]}", f"没有这个类别：{code.value[:60]}")
    return code.text()


def _events(record: Place) -> Iterator[ReportedEvent]:
    if record.has("events") and isinstance(record.at("events").value, dict):
        events = record.at("events")
        for name in events.value:
            yield ReportedEvent(_event_name(events, name), events.at(name).day())
        return
    for row in record.each("events"):
        row.object({"event", "day", "never", "evidence", "known_at", "undone_at"})
        is_never = row.has("never") and row.at("never").value is True
        if is_never == row.has("day"):
            raise row.wrong("an event has a day, or never: true", "事件须有 day，或写 never: true")
        yield ReportedEvent(
            _event_name(row, row.at("event").text()),
            None if is_never else row.at("day").day(),
            row.at("evidence").text() if row.has("evidence") else "",
            _since(row, "known_at"),
            _until(row, "undone_at"),
        )


def _event_name(place: Place, name: str) -> str:
    if NAME.fullmatch(name) is None or name == RECEIVED:
        raise place.wrong(f"not the name of an event: {name[:60]!r}", f"不是事件名称：{name[:60]!r}")
    return name


def _hold(row: Place, time_zone: str) -> ReportedHold:
    row.object({"matter", "placed_at", "released_at", "review_date"})
    review = row.at("review_date").day() if row.has("review_date") else None
    placed_at = _since(row, "placed_at")
    placed_date = None if placed_at == ALWAYS else day_of(placed_at, time_zone)
    hold = Hold(row.at("matter").text(), placed_date, review)
    return ReportedHold(hold, placed_at, _until(row, "released_at"))


def _promise(row: Place) -> Promise:
    row.object({"until", "known_at"})
    return Promise(row.at("until").day(), _since(row, "known_at"))


def _since(row: Place, name: str) -> datetime:
    return row.at(name).instant() if row.has(name) else ALWAYS


def _until(row: Place, name: str) -> datetime | None:
    return row.at(name).instant() if row.has(name) else None


def _no_number(text: str) -> NoReturn:
    raise InvalidData(f"not JSON: {text}", f"不是有效的 JSON：{text}")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
        raise InvalidData(f"the field {twice[:60]} stands twice in one object", f"同一对象中 {twice[:60]} 出现两次")
    return found
