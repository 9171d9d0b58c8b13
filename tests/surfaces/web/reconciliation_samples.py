"""The page of reconciliation with lines of every kind, and without any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vault.oversight.drift import ADVICE, ALARMS, DRIFT_WORDS, DriftKind
from vault.surfaces.web.reconciliation import standing
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.health import JobRow
from vault.surfaces.web.views.lists import Empty, ListFrame
from vault.surfaces.web.views.parts import Action, Choices, Link, Option, Paging, Progress
from vault.surfaces.web.views.reconciliation import DriftFilter, DriftRow, ReconciliationView

_AT = datetime(2026, 11, 25, 3, 20, tzinfo=UTC)
_RECORD = "0192a1b2-0000-7000-8000-000000000001"
_KEY = f"records/{_RECORD}/0192a1b2-0000-7000-8000-000000000002/{'9f' * 32}"
_SOON, _LATE = "COMPLIANCE 2027-01-01T16:00:00Z", "COMPLIANCE 2042-01-01T16:00:00Z"


@dataclass(frozen=True)
class _Seen:
    kind: DriftKind
    state: str
    found: str
    expected: str
    problem: str = ""


_SEEN = (
    _Seen(DriftKind.OBJECT_MISSING, "open", "MISSING", _LATE),
    _Seen(DriftKind.HOLD_UNKNOWN, "open", "LEGAL_HOLD ON", "LEGAL_HOLD OFF"),
    _Seen(DriftKind.LOCK_MISSING, "open", "NONE", _LATE, "store-denied"),
    _Seen(DriftKind.LOCK_SHORTER, "repaired", _SOON, _LATE),
    _Seen(DriftKind.DELETE_MARKER, "in-order", "DELETE_MARKER", "NONE"),
)


def _row(number: int, seen: _Seen) -> DriftRow:
    return DriftRow(
        id=str(number),
        kind=DRIFT_WORDS[seen.kind],
        state=seen.state,
        is_alarm=seen.kind in ALARMS,
        record=Link("J042-YW·2026-D10-YYB-0138", f"/records/{_RECORD}") if number % 2 == 0 else None,
        record_id=_RECORD,
        store="s3+https://store.example/slips",
        object_key=_KEY,
        found=standing(seen.found),
        expected=standing(seen.expected),
        repair=standing(seen.expected) if seen.state == "repaired" else None,
        problem=seen.problem,
        advice=ADVICE[seen.kind],
        found_at=_AT,
        settled_at=None if seen.state == "open" else _AT + timedelta(hours=1),
    )


def full(paging: Paging) -> ReconciliationView:
    """One run under way, one that failed, and lines of every state."""
    cancel = (Action(labels.CANCEL, "/jobs/j1/cancel", "post"),)
    return ReconciliationView(
        list=ListFrame(
            "reconciliation", "/reconciliation", "Reconciliation", paging, Empty(""), may_save=True, may_export=True
        ),
        filter=DriftFilter(state="all"),
        choices=Choices({"kind": tuple(Option(one.value, one.value) for one in DriftKind)}),
        rows=tuple(_row(number, seen) for number, seen in enumerate(_SEEN)),
        runs=(
            JobRow("j1", "/jobs/j1", "x", "running", Progress(412_000, 1_004_217), _AT, None, 1, actions=cancel),
            JobRow("j0", "/jobs/j0", "x", "failed", None, _AT, _AT, 1, problem="store-unavailable"),
        ),
        open_count=3,
        alarms_count=1,
        actions=(Action(labels.RECONCILE, "/health/reconcile", "post", "primary"),),
        progress_href="/jobs/j1/progress",
    )


def empty(paging: Paging) -> ReconciliationView:
    """Never run, nothing found, for somebody who may only look."""
    frame = ListFrame(
        "reconciliation", "/reconciliation", "Reconciliation", paging, Empty(DRIFT_WORDS[DriftKind.HOLD_GONE])
    )
    return ReconciliationView(frame, DriftFilter(), Choices(), (), (), 0, 0)
