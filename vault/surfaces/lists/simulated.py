"""The list of records that a schedule version would treat otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection

from retention_rules.words import say_what
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.retention.effects import Effect
from vault.retention.simulations import AffectedRecord, EffectFilters, count_affected, find_affected
from vault.surfaces.lists.listing import Listing, Question, Speech

EFFECT_WORDS: Mapping[Effect, str] = MappingProxyType(
    {
        Effect.LONGER: N_("kept longer"),
        Effect.SHORTER: N_("kept less long"),
        Effect.OPEN_LONGER: N_("kept longer in any case, end open"),
        Effect.OPEN_SHORTER: N_("kept less long in any case, end open"),
        Effect.PERMANENT: N_("kept for ever from then on"),
        Effect.NOT_PERMANENT: N_("no longer kept for ever"),
        Effect.OPEN: N_("end can no longer be told"),
        Effect.NOT_OPEN: N_("end can be told from then on"),
        Effect.DUE: N_("becomes due"),
        Effect.NOT_DUE: N_("no longer due"),
        Effect.DISPOSITION: N_("due for something else"),
        Effect.RESTRICTED: N_("use must stop"),
        Effect.NOT_RESTRICTED: N_("may be used again"),
        Effect.ESCALATED: N_("a person must decide"),
        Effect.NOT_ESCALATED: N_("no person need decide any more"),
        Effect.LIMIT: N_("must be gone by another day"),
        Effect.LOCK: N_("kept by a lock that stands"),
        Effect.HOLD: N_("kept by a hold"),
        Effect.LOCK_GROWS: N_("lock will be made longer"),
    }
)


def _ask(
    _ctx: Context, connection: Connection, viewer: Viewer, filters: EffectFilters, picked: Picked
) -> Question[AffectedRecord]:
    """Those of the viewer's units. Raises NotAllowed: the viewer may not read the schedule."""
    viewer.require(Right.RETENTION_SCHEDULE_READ)
    return Question(
        lambda span: find_affected(connection, filters, span, units=viewer.units, picked=picked),
        lambda at_most: count_affected(connection, filters, units=viewer.units, picked=picked, at_most=at_most),
    )


def effects_in_words(speech: Speech, line: AffectedRecord) -> tuple[str, ...]:
    """What would become of a record, in the order in which effects are told."""
    return tuple(speech.say(EFFECT_WORDS[effect]) for effect in Effect if effect in line.effects)


def _rows(speech: Speech, lines: Sequence[AffectedRecord]) -> Iterable[Sequence[object]]:
    language = speech.language.value
    separator = "、" if language == "zh" else ", "
    for line in lines:
        yield (
            line.archival_number,
            speech.units.get(line.unit_id, ""),
            speech.classes.get(line.class_code, line.class_code),
            separator.join(effects_in_words(speech, line)),
            say_what(line.what_before, language),
            say_what(line.what_after, language),
            line.until_before,
            line.until_after,
            line.at_least_before,
            line.at_least_after,
            line.delete_by_before,
            line.delete_by_after,
            line.lock_before,
            line.lock_after,
            line.locked_until,
            line.id,
        )


SIMULATED: Listing[EffectFilters, AffectedRecord] = Listing(
    name="simulated-records",
    right=Right.RECORDS_RECORD_READ,
    ask=_ask,
    headings=(
        N_("Archival number"),
        N_("Unit"),
        N_("Retention class"),
        N_("What would change"),
        N_("What to do now"),
        N_("What to do then"),
        N_("Keep until, now"),
        N_("Keep until, then"),
        N_("In any case until, now"),
        N_("In any case until, then"),
        N_("Gone by, now"),
        N_("Gone by, then"),
        N_("To be locked until, now"),
        N_("To be locked until, then"),
        N_("Locked until"),
        N_("Id"),
    ),
    rows=_rows,
)
