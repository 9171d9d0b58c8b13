"""Whether another class keeps a record at least as long. Pure; where nobody can tell yet, the answer is no."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from retention_rules.clauses import Clause, Unknown, end_of
from retention_rules.decision import Decision, decide
from retention_rules.law import Law
from retention_rules.model import Bound, Facts, State


def keeps_at_least_as_long(facts: Facts, class_code: str, law: Law, on: date) -> bool:
    """Whether the class keeps the record as long as its present class does, whatever happens.

    Where the present end is known, the other class must be certain to reach it. Where it is open, every period that
    makes it open must stand in the other class too, at least as long and counted in the same way.
    """
    present, other = decide(facts, law, on), decide(replace(facts, class_code=class_code), law, on)
    if other.state is State.PERMANENT:
        return True
    if present.state is State.PERMANENT or not _reaches(other, present.at_least_until):
        return False
    if present.state is not State.OPEN:
        return True
    return all(any(_covers(one, clause) for one in other.span.keeping) for clause in _open(present))


def _reaches(other: Decision, day: date | None) -> bool:
    return day is None or (other.at_least_until is not None and other.at_least_until >= day)


def _open(decision: Decision) -> list[Clause]:
    return [
        clause
        for clause in decision.span.keeping
        if isinstance(end_of(clause, decision.facts, decision.law.organisation), Unknown)
    ]


def _covers(one: Clause, clause: Clause) -> bool:
    if one.bound is Bound.PERMANENT:
        return True
    return (
        (str(one.trigger), one.calendar) == (str(clause.trigger), clause.calendar)
        and one.period.months >= clause.period.months
        and one.period.days >= clause.period.days
        and set(clause.extensions) <= set(one.extensions)
        and (
            clause.longer_on is None or (clause.longer_on, clause.longer_period) == (one.longer_on, one.longer_period)
        )
    )
