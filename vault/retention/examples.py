"""A class tried out before it is anybody's law: how long a slip that is closed on a day would be kept by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from retention_rules.clauses import Clause
from retention_rules.decision import Decision, decide
from retention_rules.errors import InvalidData
from retention_rules.law import Law, law_of
from retention_rules.model import RECEIVED, ClassDefinition, Facts, State
from retention_rules.packs import by_code
from retention_rules.triggers import events_in
from vault.retention.book import known_packs, read_book
from vault.retention.dossier import business_events
from vault.retention.errors import ScheduleInvalid
from vault.retention.model import Content


@dataclass(frozen=True)
class Example:
    """What the law says of a slip that came in when its business was done, on the day `on`.

    `settled` is what it would say if every event that its periods still wait for had happened on that day too; none when
    they wait for nothing. `awaited` names those events.
    """

    on: date
    decision: Decision
    settled: Decision | None = None
    awaited: tuple[str, ...] = ()


def example(connection: Connection, definition: ClassDefinition, content: Content, on: date) -> Example:
    """A class as it would apply in a version of the schedule with this content. Writes nothing.

    Raises:
        ScheduleInvalid: the class names rules that are in none of the version's packs.
    """
    law = _law(connection, definition, content)
    facts = Facts(definition.code, on, business_events(on, on))
    decision = decide(facts, law, on)
    awaited = tuple(sorted(set(_awaited(law, definition.code, on)) - set(facts.events) - {RECEIVED}))
    if decision.state is not State.OPEN or not awaited:
        return Example(on, decision)
    happened = replace(facts, events={**facts.events, **dict.fromkeys(awaited, on)})
    return Example(on, decision, decide(happened, law, on), awaited)


def _law(connection: Connection, definition: ClassDefinition, content: Content) -> Law:
    book = read_book(connection).book
    packs = known_packs(connection)
    organisation = replace(book.organisation, fiscal_year=content.fiscal_year)
    confirmations = [known.confirmation for known in book.confirmations if known.withdrawn_at is None]
    try:
        rules = by_code(packs[version] for version in content.packs if version in packs)
        return law_of([definition], rules, organisation, confirmations)
    except InvalidData as error:
        raise ScheduleInvalid(problem=error) from error


def _awaited(law: Law, code: str, on: date) -> Iterator[str]:
    """The events from which the periods of a class count."""
    span = law.classes[code].on(on)
    clauses: tuple[Clause, ...] = (*span.keeping, *span.maxima)
    for clause in clauses:
        yield from events_in(clause.trigger)
