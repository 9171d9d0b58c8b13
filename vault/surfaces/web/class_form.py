"""The form of a class: what was typed to a class, every problem beside its field, and a class to the form. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from retention_rules.model import ClassDefinition, Period
from retention_rules.problems import InvalidFile, Problem, Wrong, say_fault
from retention_rules.schedule_files import class_from_texts
from vault.foundation.errors import N_
from vault.surfaces.i18n import Translator
from vault.surfaces.web.views.parts import FieldError, Form

TEXTS = (
    *("code", "name_zh", "name_en", "category_code", "period_code", "sensitivity", "own_trigger", "own_calendar"),
    *("disposition", "lock", "intake_lasts_days", "copies"),
)
_PERIODS = ("own_period", "horizon")
_UNITS = (("years", "Y", 3), ("months", "M", 4), ("days", "D", 6))
_NUMBER = re.compile(r"[0-9]*")


@dataclass(frozen=True)
class Typed:
    """What was typed: the texts by field, the rules that are ticked, and the two boxes."""

    values: Mapping[str, str]
    rules: tuple[str, ...]
    is_unopened_kept: bool
    is_own_permanent: bool

    def read(self, say: Translator, rules: Collection[str]) -> tuple[ClassDefinition | None, Form]:
        """The class, or none and what is wrong with each field. `rules` are the codes of the rules there are."""
        errors = []
        texts: dict[str, str | list[str]] = {name: self.values.get(name, "").strip() for name in TEXTS}
        for name in _PERIODS:
            try:
                texts[name] = self._period(name)
            except ValueError:
                told = say.gettext(N_("Whole numbers are needed, at most 999 years."))
                errors.append(FieldError(name, told))
        texts["rules"] = list(self.rules)
        texts["keep_unopened"] = "yes" if self.is_unopened_kept else "no"
        definition = None
        try:
            definition = class_from_texts(texts, rules)
        except InvalidFile as error:
            errors += [FieldError(one.field, _said(say, one)) for one in error.problems]
        return (None if errors else definition), Form(self.values, tuple(errors))

    def _period(self, name: str) -> str:
        """The period of three numbers as text; empty when there is none. Raises ValueError."""
        if name == "own_period" and self.is_own_permanent:
            return "permanent"
        parts = []
        for unit, letter, digits in _UNITS:
            text = self.values.get(f"{name}_{unit}", "").strip()
            if not _NUMBER.fullmatch(text) or len(text) > digits:
                raise ValueError(text)
            if text and int(text):
                parts.append(f"{int(text)}{letter}")
        return "P" + "".join(parts) if parts else ""


def typed_of(definition: ClassDefinition) -> Typed:
    """A class as the form shows it."""
    own = definition.own_period
    values = {
        "code": definition.code,
        "name_zh": definition.name_zh,
        "name_en": definition.name_en,
        "category_code": definition.category_code,
        "period_code": definition.period_code,
        "sensitivity": str(definition.sensitivity),
        "own_trigger": definition.own_trigger,
        "own_calendar": definition.own_calendar.value,
        "disposition": definition.disposition.value,
        "lock": "rolling" if definition.lock.is_rolling else "full",
        "intake_lasts_days": str(definition.lock.intake_lasts_days),
        "copies": str(definition.copies),
        **_numbers("own_period", own if own and not own.is_permanent else None),
        **_numbers("horizon", definition.lock.horizon),
    }
    return Typed(values, definition.rule_codes, definition.keep_unopened, bool(own and own.is_permanent))


def typed_in(form: Mapping[str, str], rules: Collection[str]) -> Typed:
    """What a form says."""
    names = (*TEXTS, *(f"{name}_{unit}" for name in _PERIODS for unit, _, _ in _UNITS))
    values = {name: form.get(name, "").strip() for name in names}
    return Typed(values, tuple(rules), bool(form.get("keep_unopened")), bool(form.get("own_permanent")))


NEW = ClassDefinition(code="", name_zh="", name_en="", category_code="YW", period_code="D5")


def _numbers(name: str, period: Period | None) -> dict[str, str]:
    years, months = divmod(period.months, 12) if period else (0, 0)
    counted = zip(_UNITS, (years, months, period.days if period else 0), strict=True)
    return {f"{name}_{unit}": str(number) if number else "" for (unit, _, _), number in counted}


def _said(say: Translator, problem: Problem) -> str:
    told = say_fault(problem, say.language.value)
    if problem.kind is Wrong.MISSING:
        return say.gettext(N_("This field is needed."))
    return told[:1].upper() + told[1:]
