"""The list of what in the stores was not as the catalogue says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.oversight import drifts
from vault.oversight.drift import ADVICE, DRIFT_WORDS
from vault.oversight.drifts import DriftFilters, KeptDrift
from vault.surfaces.lists.listing import Listing, Question, Speech

_MENDED = N_("It was found as {found} and set to {repair}.")
_NOT_MENDED = N_("It is {found}; {repair} could not be set: {problem}.")
_OPEN = N_("It is {found}; the catalogue says {expected}.")


def sentence(drift: KeptDrift, say: Callable[[str], str]) -> str:
    """What was found and what was done about it, in one sentence."""
    message = _MENDED if drift.state == "repaired" else _NOT_MENDED if drift.problem else _OPEN
    told = say(message).format(found=drift.found, repair=drift.repair, expected=drift.expected, problem=drift.problem)
    return f"{say(DRIFT_WORDS[drift.kind])}{say(N_(': '))}{told}"


def drift_body(drift: KeptDrift, say: Callable[[str], str]) -> dict[str, Any]:
    """A drift for programs. `repaired` is what stands there now because it was set, if it was."""
    return {
        "id": str(drift.id),
        "kind": drift.kind.value,
        "state": drift.state,
        "record_id": str(drift.record_id),
        "component_id": str(drift.component_id),
        "store": drift.store,
        "object_key": drift.object_key,
        "version_id": drift.version_id,
        "found": drift.found,
        "expected": drift.expected,
        "repaired": drift.repair if drift.state == "repaired" else None,
        "problem": drift.problem,
        "found_at": drift.found_at.isoformat(),
        "resolved_at": drift.resolved_at.isoformat() if drift.resolved_at else None,
        "message": sentence(drift, say),
        "advice": say(ADVICE[drift.kind]),
    }


def _ask(
    _ctx: Context, connection: Connection, _viewer: Viewer, filters: DriftFilters, picked: Picked
) -> Question[KeptDrift]:
    return Question(
        lambda span: drifts.find(connection, filters, span, picked=picked),
        lambda at_most: drifts.count(connection, filters, picked=picked, at_most=at_most),
    )


def _rows(speech: Speech, lines: Sequence[KeptDrift]) -> Iterable[Sequence[object]]:
    for drift in lines:
        yield (
            speech.say(DRIFT_WORDS[drift.kind]),
            speech.state("drift", drift.state),
            drift.record_id,
            drift.store,
            drift.object_key,
            drift.version_id,
            drift.found,
            drift.expected,
            drift.repair if drift.state == "repaired" else "",
            drift.problem,
            speech.say(ADVICE[drift.kind]),
            drift.found_at,
            drift.resolved_at,
            drift.id,
        )


DRIFTS: Listing[DriftFilters, KeptDrift] = Listing(
    name="reconciliation",
    right=Right.STORES_HEALTH_READ,
    ask=_ask,
    headings=(
        N_("What was found"),
        N_("State"),
        N_("Record"),
        N_("Store"),
        N_("Object"),
        N_("Version"),
        N_("Stood there"),
        N_("Catalogue says"),
        N_("Was set to"),
        N_("Problem"),
        N_("What to do"),
        N_("Found at"),
        N_("Settled at"),
        N_("Id"),
    ),
    rows=_rows,
)
