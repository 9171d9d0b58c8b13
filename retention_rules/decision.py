"""The judgement: what must happen to a record on a day, and why. Pure: the same facts, law and day always give the
same decision.

The longest binding minimum wins; permanent beats an open end, and that beats any date. The last day of a period
belongs to it. A maximum never deletes: where a minimum of the same legal order still runs the record is restricted,
where only the organisation's wish or another country's law keeps it a person decides. A hold beats everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from retention_rules.clauses import Clause, Span, Unknown, end_of, yields_to
from retention_rules.law import ClassLaw, Law
from retention_rules.locks import Ahead, FiledLock, filed_lock
from retention_rules.model import Bound, Disposition, Facts, State, What
from retention_rules.reasons import (
    Kind,
    Reason,
    clause_reason,
    clauses_of,
    conflict_reason,
    hold_reason,
    in_order,
    promise_reasons,
    unconfirmed_reason,
)

_DUE = {
    Disposition.DESTROY: What.DESTROY,
    Disposition.REVIEW: What.REVIEW,
    Disposition.TRANSFER: What.TRANSFER,
    Disposition.PERMANENT: What.PERMANENT,
}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """What must happen to a record on the day `on`; everything else is worked out when it is asked for.

    `retain_until` is the last day on which it must be kept, none while that cannot be told or there is none.
    `at_least_until` is what is certain already, also while an event is still open. `delete_by` is the last day on which
    a law allows it to be kept. `state` is what the periods alone say. `conflict` names what a person must settle.
    """

    what: What
    state: State
    on: date
    retain_until: date | None
    at_least_until: date | None
    delete_by: date | None
    conflict: Kind | None
    facts: Facts = field(repr=False, compare=False)
    law: Law = field(repr=False, compare=False)
    span: Span = field(repr=False, compare=False)

    @property
    def is_held(self) -> bool:
        """Whether a hold is in force."""
        return bool(self.facts.holds)

    @property
    def is_restricted(self) -> bool:
        """Whether all use of it but storage and protection must stop: a legal maximum has passed."""
        return self.delete_by is not None and self.on > self.delete_by

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Every rule that applied, the one that decides first."""
        return in_order(_reasons(self))

    @property
    def winning(self) -> Reason:
        """The reason that decides."""
        return self.reasons[0]

    @property
    def unconfirmed_rules(self) -> tuple[str, ...]:
        """The deciding rules whose source nobody has read: while there are any, nothing is destroyed."""
        return tuple(sorted({clause.code for clause in self.span.untrusted}))

    @cached_property
    def lock(self) -> FiledLock | None:
        """The lock that a filed record should have today; none when nothing keeps it any more."""
        rules = self.law.classes.get(self.facts.class_code)
        if rules is None:
            return None
        limit = None if self.delete_by is None else _lawful_until(self)
        periods = Ahead(self.state, self.retain_until, self.at_least_until, limit)
        return filed_lock(periods, self.on, rules.definition.lock, self.facts.locked_until)

    @property
    def lock_until(self) -> date | None:
        """Until which day a filed record should be locked today."""
        return None if self.lock is None else self.lock.until_date

    @cached_property
    def next_date(self) -> date | None:
        """The next day on which the decision may change by itself; none when only a new fact can change it."""
        return min((day for day in _changes(self) if day > self.on), default=None)


def decide(facts: Facts, law: Law, on: date) -> Decision:
    """What the law says of a record on the day `on`."""
    rules = law.classes.get(facts.class_code)
    until = facts.locked_until if facts.extended_until is None else _later(facts.locked_until, facts.extended_until)
    if rules is None:
        what = What.HELD if facts.holds else What.ESCALATE
        return Decision(what, State.OPEN, on, None, until, None, Kind.NO_CLASS, facts, law, Span())
    span = rules.on(on)
    is_open = is_never = False
    for clause in span.counting:
        end = end_of(clause, facts, law.organisation)
        if isinstance(end, Unknown):
            is_open = True
            is_never = is_never or end is Unknown.NEVER
        elif until is None or end > until:
            until = end
    delete_by = None
    if span.maxima:
        delete_by = _earliest(span.maxima, facts, law)
        if span.is_only_limited:
            # A law does say how long, so the five years of clause C6.1 have no place: it is kept to the maximum.
            is_open = is_open or delete_by is None
            until = _later(until, delete_by)
    if span.is_permanent:
        what, state, retain_until = What.PERMANENT, State.PERMANENT, None
    elif is_open or until is None:
        what, state, retain_until = What.KEEP, State.OPEN, None
    elif on <= until:
        what, state, retain_until = What.KEEP, State.RUNNING, until
    else:
        what, state, retain_until = _DUE[rules.definition.disposition], State.DUE, until
    conflict = None
    if is_never:
        conflict = Kind.MINIMUM_NEVER
    elif delete_by is not None and on > delete_by:
        conflict = _beyond_maximum(state, span, rules, facts, law, on)
    if conflict is None and state is State.DUE and span.untrusted:
        conflict = Kind.UNCONFIRMED
    if conflict is not None:
        what = What.RESTRICTED if conflict is Kind.RESTRICTED else What.ESCALATE
    if facts.holds:
        what = What.HELD
    return Decision(what, state, on, retain_until, until, delete_by, conflict, facts, law, span)


def _later(one: date | None, other: date | None) -> date | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _earliest(maxima: tuple[Clause, ...], facts: Facts, law: Law) -> date | None:
    ends = [end_of(clause, facts, law.organisation) for clause in maxima]
    return min((end for end in ends if not isinstance(end, Unknown)), default=None)


def _beyond_maximum(state: State, span: Span, rules: ClassLaw, facts: Facts, law: Law, on: date) -> Kind | None:
    """What a maximum that has passed means for a record that is still there."""
    if state is State.DUE:
        wish = rules.definition.disposition
        return Kind.CONFLICT_DISPOSITION if wish in {Disposition.TRANSFER, Disposition.PERMANENT} else None
    if facts.locked_until is not None and facts.locked_until >= on:
        return Kind.RESTRICTED  # its bytes cannot be removed: PIPL art. 47, deletion is technically hard
    keepers = [clause for clause in span.minima if _keeps(clause, facts, law, on)]
    for maximum in span.maxima:
        end = end_of(maximum, facts, law.organisation)
        if isinstance(end, Unknown) or on <= end or any(yields_to(maximum, keeper) for keeper in keepers):
            continue
        return Kind.CONFLICT_ABROAD if keepers else Kind.CONFLICT_HOUSE
    return Kind.RESTRICTED


def _keeps(clause: Clause, facts: Facts, law: Law, on: date) -> bool:
    if clause.bound is Bound.PERMANENT:
        return True
    end = end_of(clause, facts, law.organisation)
    return isinstance(end, Unknown) or on <= end


def _lawful_until(decision: Decision) -> date | None:
    """How far a lock may run where a law sets a maximum: to it, or to the end of a minimum to which it yields."""
    facts, law, span = decision.facts, decision.law, decision.span
    limit = decision.delete_by
    for clause in span.minima:
        if all(yields_to(maximum, clause) for maximum in span.maxima):
            if clause.bound is Bound.PERMANENT:
                return None
            end = end_of(clause, facts, law.organisation)
            if isinstance(end, Unknown):
                return None
            limit = _later(limit, end)
    return limit


def _reasons(decision: Decision) -> Iterator[Reason]:
    facts, law, on, span = decision.facts, decision.law, decision.on, decision.span
    yield from (hold_reason(hold) for hold in facts.holds)
    yield from (clause_reason(clause, facts, law, on) for clause in clauses_of(span))
    yield from promise_reasons(facts)
    conflict = decision.conflict
    if conflict is Kind.UNCONFIRMED:
        yield from (unconfirmed_reason(clause) for clause in span.untrusted)
    elif conflict is not None and conflict is not Kind.MINIMUM_NEVER:
        yield conflict_reason(conflict, facts, law, span, decision.delete_by)
    elif decision.is_restricted:
        yield conflict_reason(Kind.OVERDUE, facts, law, span, decision.delete_by)


def _changes(decision: Decision) -> Iterator[date]:
    """The days on which the decision may become another, if nothing else happens."""
    if decision.span.ends_date is not None:
        yield decision.span.ends_date
    ends = [decision.retain_until, decision.delete_by]
    if decision.delete_by is not None:
        found = [end_of(clause, decision.facts, decision.law.organisation) for clause in decision.span.counting]
        ends += [end for end in found if not isinstance(end, Unknown)]
        ends.append(decision.facts.locked_until)
    yield from (end + _DAY for end in ends if end is not None and end < date.max)
    yield from (hold.review_date for hold in decision.facts.holds if hold.review_date is not None)
