"""What differs between two schedule versions or two rule packs: as data, and as sentences in Chinese and English.

`effect` says what a change does to how long records are kept, as far as the change alone can tell; what it does to the
records at hand is for a simulation to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from retention_rules.errors import InvalidData
from retention_rules.model import PERMANENT, ClassDefinition, Period, Rule
from retention_rules.packs import Pack, plain_class, plain_rule
from retention_rules.periods import parse_period
from retention_rules.schedules import Schedule
from retention_rules.words import Names, say_calendar, say_period, say_trigger


class How(StrEnum):
    """What happened to a class, a rule or one of their fields."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Effect(StrEnum):
    """What it does to how long records are kept."""

    LONGER = "longer"
    SHORTER = "shorter"
    OTHER = "other"  # it may do either, or nothing


@dataclass(frozen=True)
class Change:
    """One difference. `subject` is schedule, class, pack or rule; `field` is empty when the whole came or went."""

    subject: str
    code: str
    how: How
    effect: Effect
    field: str = ""
    before: str = ""
    after: str = ""


def between_schedules(old: Schedule, new: Schedule) -> tuple[Change, ...]:
    """What differs between two versions of a schedule, the schedule itself first, then class by class."""
    head = _fields("schedule", new.version, _plain_schedule(old), _plain_schedule(new))
    return (*head, *between_classes(old.classes, new.classes))


def between_classes(old: Iterable[ClassDefinition], new: Iterable[ClassDefinition]) -> tuple[Change, ...]:
    """What differs between two sets of classes."""
    return tuple(
        _rows("class", {c.code: plain_class(c) for c in old}, {c.code: plain_class(c) for c in new}, Effect.OTHER)
    )


def between_packs(old: Pack, new: Pack) -> tuple[Change, ...]:
    """What differs between two packs; a rule with several versions is told by the date of each."""
    head = _fields(
        "pack",
        new.version,
        {"version": old.version, "published": old.published_date.isoformat()},
        {"version": new.version, "published": new.published_date.isoformat()},
    )
    return (*head, *_rows("rule", _plain_rules(old.rules), _plain_rules(new.rules), Effect.LONGER))


def say_change(change: Change, language: str, names: Names = MappingProxyType({})) -> str:
    """A change as a sentence; `names` are those of the events."""
    place = ("zh", "en").index(language)
    told = {
        "subject": _SUBJECTS[change.subject][place],
        "code": change.code,
        "field": FIELDS.get(change.field, (change.field, change.field))[place],
        "before": _said(change.field, change.before, language, names),
        "after": _said(change.field, change.after, language, names),
    }
    sentence = _CHANGED if change.how is How.CHANGED else _CAME_OR_WENT[change.how]
    return sentence[place].format(**told) + _EFFECTS[change.effect][place]


def _said(field: str, value: str, language: str, names: Names) -> str:
    """A value as people say it: a period of `P10Y` is one of 10 years."""
    place = ("zh", "en").index(language)
    if not value:
        return _NOTHING[place]
    if field in _PERIODS:
        value = say_period(value, language)
    elif field in _TRIGGERS:
        value = say_trigger(value, language, names)
    elif field in _CALENDARS:
        value = say_calendar(value, language)
    elif value in _VALUES.get(field, {}):
        value = _VALUES[field][value][place]
    return value


def _plain_schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "version": schedule.version,
        "effective_date": schedule.effective_date.isoformat(),
        "fiscal_year_end": f"{schedule.fiscal_year.end_month:02d}-{schedule.fiscal_year.end_day:02d}",
        "packs": sorted(schedule.packs),
    }


def _plain_rules(rules: Iterable[Rule]) -> dict[str, dict[str, Any]]:
    rows = [(rule, plain_rule(rule)) for rule in rules]
    several = {code for code in (rule.code for rule, _ in rows) if sum(rule.code == code for rule, _ in rows) > 1}
    return {
        f"{rule.code} ({rule.effective_date or '…'})" if rule.code in several else rule.code: row
        for rule, row in rows
    }


def _rows(
    subject: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]], new_is: Effect
) -> Iterator[Change]:
    gone = Effect.SHORTER if new_is is Effect.LONGER else Effect.OTHER
    for code in sorted({*old, *new}):
        if code not in new:
            yield Change(subject, code, How.REMOVED, gone)
        elif code not in old:
            yield Change(subject, code, How.ADDED, new_is)
        else:
            yield from _fields(subject, code, old[code], new[code])


def _fields(subject: str, code: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for field in sorted({*old, *new}, key=_place):
        before, after = old.get(field), new.get(field)
        if before != after:
            effect = _effect(field, before, after)
            yield Change(subject, code, How.CHANGED, effect, field, _told(before), _told(after))


def _effect(field: str, before: Any, after: Any) -> Effect:
    if field in {"min_period", "own_period"}:
        return _longer(_period(before), _period(after))
    if field == "rules":
        lost, won = set(before or ()) - set(after or ()), set(after or ()) - set(before or ())
        if lost and won:
            return Effect.OTHER
        return Effect.LONGER if won else Effect.SHORTER if lost else Effect.OTHER
    return Effect.OTHER


def _longer(before: Period, after: Period) -> Effect:
    """A month has 28 to 31 days: periods that differ in both, one up and one down, cannot be compared by themselves."""
    if PERMANENT in {before, after}:
        return Effect.LONGER if after == PERMANENT else Effect.SHORTER
    months, days = after.months - before.months, after.days - before.days
    if months >= 0 and days >= 0:
        return Effect.LONGER
    return Effect.SHORTER if months <= 0 and days <= 0 else Effect.OTHER


def _period(value: Any) -> Period:
    try:
        return parse_period(str(value)) if value else Period()
    except InvalidData:
        return Period()


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(entry) if not isinstance(entry, dict) else _pairs(entry) for entry in value)
    return (
        ""
        if value is None
        else {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


def _pairs(entry: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in entry.items())


def _place(field: str) -> tuple[int, str]:
    return (list(FIELDS).index(field) if field in FIELDS else len(FIELDS), field)


_NOTHING = ("（无）", "(nothing)")
_PERIODS = frozenset({"min_period", "max_period", "own_period", "horizon"})
_TRIGGERS = frozenset({"trigger_event", "own_trigger", "longer_on", "delete_on"})
_CALENDARS = frozenset({"calendar_rule", "own_calendar"})
_YES_NO = {"yes": ("是", "yes"), "no": ("否", "no")}
_VALUES: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "bound": {
            "min": ("至少", "at least"),
            "max": ("至多", "at most"),
            "min_then_delete": ("届满即删除", "then deleted"),
            "permanent": ("永久", "for ever"),
            "advisory": ("建议", "advice"),
        },
        "disposition": {
            "destroy": ("销毁", "destroy"),
            "review": ("鉴定", "appraise"),
            "transfer": ("移交", "hand over"),
            "permanent": ("永久保管", "keep for ever"),
        },
        "sensitivity": {
            "normal": ("一般", "normal"),
            "personal": ("个人信息", "personal data"),
            "sensitive": ("敏感个人信息", "sensitive personal data"),
        },
        "lock": {"full": ("一次锁定至期满", "at once to the end"), "rolling": ("滚动锁定", "rolling")},
        "keep_unopened": _YES_NO,
        "verified": _YES_NO,
        "date_verified": _YES_NO,
    }
)
_SUBJECTS = {
    "schedule": ("保管期限表", "schedule"),
    "class": ("类别", "class"),
    "pack": ("规则包", "rule pack"),
    "rule": ("规则", "rule"),
}
_CHANGED = ("{subject} {code}：{field}由 {before} 改为 {after}", "{subject} {code}: {field} from {before} to {after}")
_CAME_OR_WENT = {
    How.ADDED: ("新增{subject} {code}", "{subject} {code} is new"),
    How.REMOVED: ("{subject} {code} 已删除", "{subject} {code} is gone"),
}
_EFFECTS = {
    Effect.LONGER: ("（期限变长）", " (longer)"),
    Effect.SHORTER: ("（期限可能变短）", " (may be shorter)"),
    Effect.OTHER: ("", ""),
}
# The fields in the order in which they are told.
FIELDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "version": ("版本", "version"),
        "effective_date": ("生效日期", "effective date"),
        "ended_date": ("失效日期", "end of validity"),
        "published": ("发布日期", "date of publication"),
        "fiscal_year_end": ("会计年度终了日", "end of the accounting year"),
        "packs": ("规则包", "rule packs"),
        "name_zh": ("中文名称", "Chinese name"),
        "name_en": ("英文名称", "English name"),
        "rules": ("适用规则", "rules"),
        "min_period": ("最短期限", "minimum"),
        "max_period": ("最长期限", "maximum"),
        "bound": ("约束方式", "bound"),
        "trigger_event": ("起算事件", "trigger"),
        "calendar_rule": ("起算方式", "calendar"),
        "extensions": ("延长事项", "matters that extend it"),
        "longer_on": ("延长触发", "event that makes it longer"),
        "delete_on": ("删除触发", "event that makes deletion due"),
        "own_period": ("本单位期限", "own period"),
        "own_trigger": ("本单位期限起算事件", "own trigger"),
        "own_calendar": ("本单位期限起算方式", "own calendar"),
        "disposition": ("到期处置", "disposition"),
        "lock": ("锁定方式", "lock"),
        "horizon": ("滚动锁定期", "horizon of the lock"),
        "intake_lasts_days": ("入库锁定天数", "days of the lock at intake"),
        "copies": ("份数", "copies"),
        "sensitivity": ("敏感程度", "sensitivity"),
        "category_code": ("门类代码", "category"),
        "period_code": ("期限代码", "period code"),
        "keep_unopened": ("原样保管", "keeping unopened"),
        "citation": ("出处", "citation"),
        "verified": ("已核实", "verification"),
        "date_verified": ("施行日期已核实", "verification of the date"),
        "jurisdiction": ("法域", "jurisdiction"),
        "sector": ("行业", "sector"),
        "note": ("备注", "note"),
        "code": ("代码", "code"),
    }
)
