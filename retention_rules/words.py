"""The law in plain Chinese and English. Everything said is made from structured reasons, so both say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from retention_rules.locks import FiledLock, LockKind
from retention_rules.model import Calendar, What
from retention_rules.reasons import Kind, Reason, Step, StepKind
from retention_rules.triggers import Happens, How, Trigger, parse_trigger

LANGUAGES = ("zh", "en")
Names = Mapping[str, Mapping[str, str]]  # event code -> language -> name

REASONS: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.HOLD: (
            "案件“{matter}”的冻结仍在生效：任何人不得以任何方式处置。",
            "Held under the matter “{matter}”: nothing may happen to it by anyone, by any path.",
        ),
        Kind.MINIMUM: (
            "依法自“{trigger}”起至少保存 {period}，至 {until_date} 止。",
            "By law kept at least {period} from “{trigger}”: to {until_date}.",
        ),
        Kind.MINIMUM_OPEN: (
            "依法自“{trigger}”起至少保存 {period}；该事件尚未发生，期限未起算。",
            "By law kept at least {period} from “{trigger}”, which has not happened yet.",
        ),
        Kind.MINIMUM_NEVER: (
            "期限 {period} 自“{trigger}”起算，但已登记该事件不会发生；法律未规定此时如何计算，须由人决定。",
            "The {period} count from “{trigger}”, which is known never to happen. No law says what then: a person decides.",
        ),
        Kind.MINIMUM_MATTER: (
            "“{matter}”尚未了结，期限（自“{trigger}”起 {period}）不届满。",
            "“{matter}” is not settled, so the {period} from “{trigger}” do not run out.",
        ),
        Kind.MINIMUM_HOLIDAYS: (
            "期限为自“{trigger}”起 {period}，按工作日计算；所需年份的节假日尚未登记，届满日无法确定。",
            "The {period} from “{trigger}” count in working days, and the holidays of a year they need are not entered yet.",
        ),
        Kind.PERMANENT: ("永久保存。", "Kept permanently."),
        Kind.MAXIMUM: (
            "依法自“{trigger}”起最多保存 {period}，至 {until_date} 止。",
            "By law kept at most {period} from “{trigger}”: to {until_date}.",
        ),
        Kind.MAXIMUM_OPEN: (
            "依法自“{trigger}”起最多保存 {period}；该事件尚未发生。",
            "By law kept at most {period} from “{trigger}”, which has not happened yet.",
        ),
        Kind.ADVICE: (
            "仅供参考，并非保存义务：自“{trigger}”起 {period}内可能主张权利。",
            "Advice, no duty: a claim may be raised for {period} from “{trigger}”.",
        ),
        Kind.NOT_YET_IN_FORCE: ("自 {effective_date} 起施行，现不适用。", "In force only from {effective_date}."),
        Kind.OWN: (
            "本单位规定该类自“{trigger}”起保存 {period}，至 {until_date} 止。",
            "The organisation keeps this class for {period} from “{trigger}”: to {until_date}.",
        ),
        Kind.OWN_OPEN: (
            "本单位规定该类自“{trigger}”起保存 {period}；该事件尚未发生。",
            "The organisation keeps this class for {period} from “{trigger}”, which has not happened yet.",
        ),
        Kind.FLOOR: (
            "无法律或行业标准规定期限：自收到之日起至少保存 {period}，至 {until_date} 止。",
            "No law or standard says how long: at least {period} from the day it came in, to {until_date}.",
        ),
        Kind.LOCKED: (
            "已锁定至 {until_date}；锁定从不缩短。",
            "Locked to {until_date} already, which is never shortened.",
        ),
        Kind.EXTENDED: (
            "经鉴定仍有价值，延长保存至 {until_date}。",
            "Appraised as still of value: kept to {until_date}.",
        ),
        Kind.UNCONFIRMED: (
            "规则 {rule} 的出处尚无人核实；核实之前不得据以销毁。",
            "Nobody has confirmed the source of rule {rule}: until then it cannot allow a destruction.",
        ),
        Kind.RESTRICTED: (
            "法定最长期限已于 {delete_by} 届满，但法定保存期限未满或尚无法删除：继续保存，除存储和安全保护外停止一切处理。",
            "A legal maximum ended on {delete_by}; a legal minimum still runs or it cannot be deleted: it is only stored.",
        ),
        Kind.OVERDUE: (
            "法律要求最迟于 {delete_by} 删除，现已逾期。",
            "By law it should have been gone after {delete_by}.",
        ),
        Kind.CONFLICT_HOUSE: (
            "法律要求最迟于 {delete_by} 删除，只有本单位的规定要求继续保存：法律未作裁断，须由人决定。",
            "By law it should be gone after {delete_by}; only the organisation's own rule keeps it. A person decides.",
        ),
        Kind.CONFLICT_ABROAD: (
            "一法域的法律要求最迟于 {delete_by} 删除，另一法域的法律要求继续保存：法律未作裁断，须由人决定。",
            "The law of one country wants it gone after {delete_by}, that of another still keeps it. A person decides.",
        ),
        Kind.CONFLICT_DISPOSITION: (
            "法律要求最迟于 {delete_by} 删除，而该类规定到期移交或永久保存：须由人决定。",
            "By law it should be gone after {delete_by}; the class wants it handed over or kept. A person decides.",
        ),
        Kind.NO_CLASS: (
            "保管期限表中没有类别 {class}：须由人重新归类，此前一律保存。",
            "The schedule has no class {class}: a person must classify it, and until then it is kept.",
        ),
    }
)

# Where a law leaves no time at all.
AT_ONCE: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.MAXIMUM: (
            "依法“{trigger}”后不得再保存：最迟 {until_date}。",
            "By law not kept after “{trigger}”: to {until_date}.",
        ),
        Kind.MAXIMUM_OPEN: (
            "依法“{trigger}”后不得再保存；该事件尚未发生。",
            "By law not kept after “{trigger}”, which has not happened yet.",
        ),
    }
)

STEPS: Mapping[StepKind, tuple[str, str]] = MappingProxyType(
    {
        StepKind.EVENT: ("“{event}”：{day}", "“{event}”: {day}"),
        StepKind.NEVER: ("“{event}”：已登记不会发生", "“{event}”: known never to happen"),
        StepKind.YEAR_OF: ("所在{year}终了：{day}", "the {year} ends: {day}"),
        StepKind.COMBINED: ("“{trigger}”：{day}", "“{trigger}”: {day}"),
        StepKind.COUNT_FROM: ("起算日（{calendar}）：{day}", "counted from ({calendar}): {day}"),
        StepKind.ADD: ("{from_date} 加 {period}：{day}", "{from_date} and {period}: {day}"),
        StepKind.MONTH_END: (
            "该月无 {from_day} 日，取月末：{day}",
            "the month has no day {from_day}, so its last one: {day}",
        ),
        StepKind.WORKING_DAYS: ("加 {period}，只计工作日：{day}", "and {period}, working days only: {day}"),
        StepKind.LAST_DAY: (
            "起算日 {start_date} 当日计入，末日为前一日：{day}",
            "{start_date} itself counts, so the last day is the one before: {day}",
        ),
        StepKind.MATTER: (
            "“{matter}”于 {closed_date}，其后 {period}：{day}",
            "“{matter}” on {closed_date}, and {period} after it: {day}",
        ),
        StepKind.MATTER_OPEN: ("“{matter}”：{day}，至今未了结", "“{matter}”: {day}, not settled since"),
    }
)

LOCKS: Mapping[LockKind, tuple[str, str]] = MappingProxyType(
    {
        LockKind.FULL: ("锁定至保管期满：{until_date}。", "Locked to the end of its retention, {until_date}."),
        LockKind.ROLLING: (
            "滚动锁定至 {until_date}，随时间顺延。",
            "Locked ahead of today to {until_date}, and renewed as time goes on.",
        ),
        LockKind.OPEN: (
            "期满日尚无法确定：滚动锁定至 {until_date}，随时间顺延。",
            "Its end cannot be told yet: locked ahead of today to {until_date}, and renewed as time goes on.",
        ),
        LockKind.PERMANENT: (
            "永久保存：滚动锁定至 {until_date}，随时间顺延。",
            "Kept permanently: locked ahead of today to {until_date}, and renewed as time goes on.",
        ),
        LockKind.CAPPED: (
            "锁定至存储所允许的最远日期 {until_date}，随时间顺延。",
            "Locked as long as a store can, to {until_date}, and renewed as time goes on.",
        ),
        LockKind.LIMITED: (
            "锁定至法律允许保存的最后一日 {until_date}。",
            "Locked to the last day on which a law allows it to be kept, {until_date}.",
        ),
        LockKind.KEPT: (
            "此前已锁定至 {until_date}，从不缩短。",
            "Locked to {until_date} already, which is never shortened.",
        ),
    }
)

WHAT: Mapping[What, tuple[str, str]] = MappingProxyType(
    {
        What.HELD: ("冻结", "held"),
        What.ESCALATE: ("须由人决定", "a person must decide"),
        What.RESTRICTED: ("限制使用", "kept, not to be used"),
        What.PERMANENT: ("永久保存", "kept permanently"),
        What.KEEP: ("保存", "keep"),
        What.TRANSFER: ("到期，待移交", "due to be handed over"),
        What.REVIEW: ("到期，待鉴定", "due for appraisal"),
        What.DESTROY: ("到期，待销毁", "due for destruction"),
    }
)

_CALENDARS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Calendar.EXACT_DATE: ("自事件之日", "the event"),
        Calendar.FISCAL_YEAR_END: ("会计年度终了后第一日", "first day after the accounting year"),
        Calendar.YEAR_END: ("公历年末", "end of the calendar year"),
        Calendar.NEXT_JANUARY: ("次年 1 月 1 日", "1 January of the following year"),
        Calendar.WORKING_DAYS: ("工作日", "working days"),
    }
)
_YEARS = {"fiscal": ("会计年度", "accounting year"), "calendar": ("公历年", "calendar year")}
_HOW = {
    How.ALL_OF: ("{}均已发生", "all of {}"),
    How.LATER_OF: ("{}中较晚者", "the later of {}"),
    How.EARLIER_OF: ("{}中较早者", "the earlier of {}"),
}
_PART = re.compile(r"([0-9]+)([YMD])")
_UNITS = {"Y": ("年", "year"), "M": ("个月", "month"), "D": ("天", "day")}


def say(reason: Reason, language: str, names: Names) -> str:
    """A reason as a sentence. `names` says what events are called (see `shipped.event_names`)."""
    is_at_once = reason.told.get("period") == "P0D" and reason.kind in AT_ONCE
    sentences = AT_ONCE[reason.kind] if is_at_once else REASONS[reason.kind]
    return _filled(sentences, reason.told, language, names)


def say_step(step: Step, language: str, names: Names) -> str:
    """A step of the arithmetic, with its evidence where there is any."""
    said = _filled(STEPS[step.kind], {**step.told, "day": str(step.day)}, language, names)
    evidence = step.told.get("evidence")
    if evidence is None:
        return said
    return f"{said}（依据：{evidence}）" if language == "zh" else f"{said} (evidence: {evidence})"


def say_lock(lock: FiledLock, language: str) -> str:
    """Why a lock runs as far as it does."""
    return _filled(LOCKS[lock.kind], {"until_date": lock.until_date.isoformat()}, language, {})


def say_what(what: What, language: str) -> str:
    """What must happen, in a word or two."""
    return WHAT[what][LANGUAGES.index(language)]


def say_event(code: str, language: str, names: Names) -> str:
    """What an event is called; its code when nobody has named it."""
    return names.get(code, {}).get(language, code)


def say_calendar(calendar: str, language: str) -> str:
    """What a period counts from."""
    return _CALENDARS[calendar][LANGUAGES.index(language)]


def say_trigger(trigger: str | Trigger, language: str, names: Names) -> str:
    """A trigger, with the names of its events."""
    parsed = parse_trigger(trigger) if isinstance(trigger, str) else trigger
    if isinstance(parsed, Happens):
        return say_event(parsed.name, language, names)
    joined = ("、" if language == "zh" else ", ").join(say_trigger(part, language, names) for part in parsed.parts)
    return _HOW[parsed.how][LANGUAGES.index(language)].format(joined)


def say_period(period: str, language: str) -> str:
    """`P1Y6M` as `1 年 6 个月` or `1 year 6 months`; `permanent` as `永久`."""
    if period == "permanent":
        return "永久" if language == "zh" else "for ever"
    place = LANGUAGES.index(language)
    said = []
    for count, unit in _PART.findall(period):
        word = _UNITS[unit][place]
        said.append(f"{count} {word}{'s' if language == 'en' and count != '1' else ''}")
    return " ".join(said)


def _filled(sentences: tuple[str, str], told: Mapping[str, str], language: str, names: Names) -> str:
    place = LANGUAGES.index(language)
    filled = dict(told)
    for name, value in told.items():
        if name == "period":
            filled[name] = say_period(value, language)
        elif name == "trigger":
            filled[name] = say_trigger(value, language, names)
        elif name in {"event", "matter"} and value in names:
            filled[name] = say_event(value, language, names)
        elif name == "calendar":
            filled[name] = say_calendar(value, language)
        elif name == "year":
            filled[name] = _YEARS[value][place]
    return sentences[place].format(**filled)
