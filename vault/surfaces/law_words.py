"""The law's sentences in the reader's language."""

from __future__ import annotations

from retention_rules import shipped, words
from retention_rules.decision import Decision
from retention_rules.differences import Change, say_change
from retention_rules.locks import FiledLock
from retention_rules.model import Bound, ClassDefinition, Disposition, LockPolicy, Rule, Sensitivity
from retention_rules.reasons import Reason
from vault.foundation.errors import N_
from vault.retention.why import LockStanding
from vault.surfaces.i18n import Translator

CATEGORIES = {
    "YW": N_("business slips"),
    "HT": N_("contracts"),
    "YL": N_("medical care"),
    "WS": N_("documents"),
    "KJ": N_("accounts"),
}


def reason_in_words(speaker: Translator, reason: Reason) -> str:
    """One reason of a decision in the reader's language."""
    return words.say(reason, speaker.language.value, shipped.event_names())


def steps_in_words(speaker: Translator, reason: Reason) -> tuple[str, ...]:
    """The arithmetic behind a reason, step by step."""
    return tuple(words.say_step(step, speaker.language.value, shipped.event_names()) for step in reason.steps)


def trigger_in_words(speaker: Translator, reason: Reason) -> str:
    """What a reason counts from, or nothing where it counts from nothing."""
    trigger = reason.told.get("trigger")
    return words.say_trigger(trigger, speaker.language.value, shipped.event_names()) if trigger else ""


_STANDING = {
    LockStanding.PLANNED: N_("This lock is only planned: no lock that nobody can shorten stands in the stores yet."),
    LockStanding.SHORTER: N_(
        "This lock is planned: the one that stands in the stores ends earlier and is made longer in time."
    ),
    LockStanding.STANDS: N_("This lock stands in the stores, on every copy."),
}


def lock_in_words(speaker: Translator, lock: FiledLock) -> str:
    """Why a filed record is locked as far as it is."""
    return words.say_lock(lock, speaker.language.value)


def standing_in_words(speaker: Translator, standing: LockStanding) -> str:
    """Whether the lock that the law plans stands in the stores."""
    return speaker.gettext(_STANDING[standing])


def period_code_in_words(speaker: Translator, code: str) -> str:
    """The code of a retention period in an archival number (DA/T 22) with what it means: `D10 · fixed term, 10 years`."""
    if code == "Y":
        meaning = speaker.gettext(N_("permanent"))
    elif code.startswith("D") and code[1:].isdigit():
        text = speaker.gettext(N_("fixed term, {period}"))
        meaning = text.format(period=words.say_period(f"P{code[1:]}Y", speaker.language.value))
    else:
        return code
    return f"{code} · {meaning}"


def category_in_words(speaker: Translator, code: str) -> str:
    """The code of a category 门类 with what it holds; one that is not known stays as it is."""
    return f"{code} · {speaker.gettext(CATEGORIES[code])}" if code in CATEGORIES else code


def rule_in_words(speaker: Translator, rule: Rule) -> str:
    """What a rule demands, in one sentence: how long, from when."""
    language, names = speaker.language.value, shipped.event_names()
    period = words.say_period(str(rule.period), language)
    text = speaker.gettext(_BOUNDS[rule.bound]).format(
        period=period, trigger=words.say_trigger(rule.trigger, language, names)
    )
    if rule.max_period is not None:
        longest = words.say_period(str(rule.max_period), language)
        text += speaker.gettext(N_(" At most {period}.")).format(period=longest)
    return text


def own_period_in_words(speaker: Translator, definition: ClassDefinition) -> str:
    """How long the organisation keeps a class beyond the law; nothing where it does not."""
    if definition.own_period is None:
        return ""
    language, names = speaker.language.value, shipped.event_names()
    return speaker.gettext(N_("{period} from “{trigger}”")).format(
        period=words.say_period(str(definition.own_period), language),
        trigger=words.say_trigger(definition.own_trigger, language, names),
    )


def lock_policy_in_words(speaker: Translator, lock: LockPolicy) -> str:
    """How far the locks of a class reach."""
    if not lock.is_rolling:
        return speaker.gettext(N_("at once to the end of retention"))
    ahead = words.say_period(str(lock.horizon), speaker.language.value)
    return speaker.gettext(N_("rolling, {period} ahead of today")).format(period=ahead)


def calendar_in_words(speaker: Translator, calendar: str) -> str:
    """From which day a period counts once its trigger has happened."""
    return words.say_calendar(calendar, speaker.language.value)


def event_in_words(speaker: Translator, code: str) -> str:
    """What an event is called."""
    return words.say_event(code, speaker.language.value, shipped.event_names())


def change_in_words(speaker: Translator, change: Change) -> str:
    """One difference between two versions, as a sentence."""
    return say_change(change, speaker.language.value, shipped.event_names())


_BOUNDS = {
    Bound.MIN: N_("At least {period} from “{trigger}”."),
    Bound.MAX: N_("At most {period} from “{trigger}”."),
    Bound.MIN_THEN_DELETE: N_("{period} from “{trigger}”, then deleted."),
    Bound.PERMANENT: N_("For ever."),
    Bound.ADVISORY: N_("Advice, no duty: {period} from “{trigger}”."),
}
DISPOSITIONS = {
    Disposition.DESTROY: N_("destroy"),
    Disposition.REVIEW: N_("appraise"),
    Disposition.TRANSFER: N_("hand over to an archive"),
    Disposition.PERMANENT: N_("keep for ever"),
}
SENSITIVITIES = {
    Sensitivity.NORMAL: N_("normal"),
    Sensitivity.PERSONAL: N_("personal data"),
    Sensitivity.SENSITIVE: N_("sensitive personal data"),
}


def outcome_in_words(speaker: Translator, decision: Decision) -> str:
    """What must happen to a record and until when, in a few words."""
    what = words.say_what(decision.what, speaker.language.value)
    if decision.retain_until is not None:
        until = speaker.gettext(N_("{what}, until {day}"))
        return until.format(what=what, day=decision.retain_until.isoformat())
    if decision.at_least_until is not None:
        text = speaker.gettext(N_("{what}, until {day} at least"))
        return text.format(what=what, day=decision.at_least_until.isoformat())
    return what
