"""From a class and its example to what its page shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from retention_rules import shipped, words
from retention_rules.decision import Decision
from retention_rules.model import Calendar, ClassDefinition, Disposition, Rule, Sensitivity, State
from retention_rules.packs import rule_digest
from retention_rules.reasons import Reason
from vault.foundation.errors import N_, VaultError
from vault.retention.book import Lawbook
from vault.retention.examples import Example, example
from vault.retention.model import Content, ScheduleVersion
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.law_words import (
    CATEGORIES,
    DISPOSITIONS,
    SENSITIVITIES,
    calendar_in_words,
    category_in_words,
    event_in_words,
    lock_in_words,
    lock_policy_in_words,
    own_period_in_words,
    period_code_in_words,
    reason_in_words,
    rule_in_words,
    steps_in_words,
)
from vault.surfaces.web.views import retention_class as views
from vault.surfaces.web.views.parts import Choices, Option


def example_box(
    connection: Connection, say: Translator, definition: ClassDefinition | None, content: Content, on: date
) -> views.ExampleBox:
    """A slip closed on a day under the class; what is in the way while it cannot be told."""
    if definition is None:
        return views.ExampleBox(on, say.gettext(N_("It shows here as soon as the fields marked are right.")))
    try:
        told = example(connection, definition, content, on)
    except VaultError as error:
        return views.ExampleBox(on, say.explain(error).what_happened)
    return _box(say, told)


def rule_options(
    say: Translator, version: ScheduleVersion, lawbook: Lawbook, chosen: Iterable[str], today: date
) -> tuple[views.RuleOption, ...]:
    """Every rule of the version's packs, those chosen first; of several versions of a rule the one in force."""
    packs = [lawbook.book.packs[name] for name in sorted(version.content.packs) if name in lawbook.book.packs]
    held: dict[str, Rule] = {}
    for rule in (rule for pack in packs for rule in pack.rules):
        if rule.code not in held or rule.is_in_force(today):
            held[rule.code] = rule
    confirmed = {(k.confirmation.rule_code, k.confirmation.rule_digest) for k in lawbook.book.confirmations}
    picked = set(chosen)
    ordered = sorted(held.values(), key=lambda rule: (rule.code not in picked, rule.code))
    return tuple(_rule_option(say, rule, confirmed, picked) for rule in ordered)


def facts_of(say: Translator, definition: ClassDefinition) -> tuple[tuple[str, str], ...]:
    """What a class lays down beside its rules: label (a message id) and value."""
    kept = say.gettext(N_("yes")) if definition.keep_unopened else say.gettext(N_("no"))
    return (
        (N_("Category"), category_in_words(say, definition.category_code)),
        (N_("Code of the period"), period_code_in_words(say, definition.period_code)),
        (N_("Own period"), own_period_in_words(say, definition)),
        (N_("When due"), say.gettext(DISPOSITIONS[definition.disposition])),
        (N_("Lock"), lock_policy_in_words(say, definition.lock)),
        (N_("Days of the lock at intake"), str(definition.lock.intake_lasts_days)),
        (N_("Copies"), str(definition.copies)),
        (N_("Sensitivity"), say.gettext(SENSITIVITIES[Sensitivity(definition.sensitivity)])),
        (N_("Keeps what cannot be examined"), kept),
    )


def choices_of(say: Translator, own_trigger: str) -> Choices:
    """What the fields of a class can be chosen from."""
    events = sorted({*shipped.event_names(), own_trigger or "received"})
    language, names = say.language.value, shipped.event_names()
    triggers = [Option(name, words.say_trigger(name, language, names)) for name in events if name]
    return Choices(
        {
            "category_code": tuple(Option(code, say.gettext(told)) for code, told in CATEGORIES.items()),
            "sensitivity": tuple(Option(code.value, say.gettext(told)) for code, told in SENSITIVITIES.items()),
            "disposition": tuple(Option(code.value, say.gettext(DISPOSITIONS[code])) for code in Disposition),
            "own_trigger": tuple(sorted(triggers, key=lambda option: option.label)),
            "own_calendar": tuple(Option(code.value, calendar_in_words(say, code.value)) for code in Calendar),
            "lock": (
                Option(
                    "full",
                    say.gettext(N_("At once to the end of retention")),
                    say.gettext(N_("Nobody can shorten it afterwards, even if the class was wrong.")),
                ),
                Option(
                    "rolling",
                    say.gettext(N_("Rolling ahead of today")),
                    say.gettext(N_("Renewed by itself as time goes on; for long or open periods.")),
                ),
            ),
        }
    )


def _rule_option(say: Translator, rule: Rule, confirmed: set[tuple[str, str]], picked: set[str]) -> views.RuleOption:
    name = rule.name_en if say.language is Language.EN else rule.name_zh
    text = rule_in_words(say, rule)
    return views.RuleOption(
        code=rule.code,
        name=name,
        text=text,
        citation=rule.citation,
        is_chosen=rule.code in picked,
        is_verified=rule.is_verified or (rule.code, rule_digest(rule)) in confirmed,
        words=f"{rule.code} {rule.name_zh} {rule.name_en} {rule.citation} {rule.sector} {text}".casefold(),
    )


def _box(say: Translator, told: Example) -> views.ExampleBox:
    return views.ExampleBox(
        on=told.on,
        first=_outcome(say, told.decision, told.on),
        awaited=tuple(event_in_words(say, name) for name in told.awaited),
        settled=_outcome(say, told.settled, told.on) if told.settled else None,
    )


def _outcome(say: Translator, decision: Decision, on: date) -> views.Outcome:
    return views.Outcome(
        conclusion=_conclusion(say, decision, on),
        lock=lock_in_words(say, decision.lock) if decision.lock is not None else "",
        grounds=tuple(_ground(say, reason) for reason in decision.reasons),
    )


def _conclusion(say: Translator, decision: Decision, on: date) -> str:
    day = on.isoformat()
    if decision.state is State.PERMANENT:
        return say.gettext(N_("A slip closed on {day} would be kept for ever.")).format(day=day)
    if decision.retain_until is not None:
        text = say.gettext(N_("A slip closed on {day} would be kept until {until}."))
        return text.format(day=day, until=decision.retain_until.isoformat())
    if decision.at_least_until is not None:
        text = say.gettext(N_("A slip closed on {day} would be kept until {until} at least; its end stays open."))
        return text.format(day=day, until=decision.at_least_until.isoformat())
    return say.gettext(N_("Of a slip closed on {day} nobody could say yet how long it is kept.")).format(day=day)


def _ground(say: Translator, reason: Reason) -> views.Ground:
    parts = [part for part in (reason.rule, reason.citation) if part]
    return views.Ground(
        text=reason_in_words(say, reason),
        source=" · ".join(dict.fromkeys(parts)),
        href=f"/rules/{reason.rule}" if reason.version else None,
        is_verified=reason.is_verified or bool(reason.confirmed_source),
        steps=steps_in_words(say, reason),
    )
