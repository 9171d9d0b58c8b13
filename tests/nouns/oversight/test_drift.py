"""The verdict on a version, as a table: what the catalogue says, what stands in the store, what differs and what is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.foundation.storage.interface import NO_LOCK, Lock, LockMode
from vault.oversight.drift import ADVICE, DRIFT_WORDS, MENDED, DriftKind, Said, Stands, judge

pytestmark = [pytest.mark.clause("C4.3"), pytest.mark.invariant("R1")]
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PAST, SOON, LATE = NOW - timedelta(days=1), NOW + timedelta(days=100), NOW + timedelta(days=4000)
G, C = LockMode.GOVERNANCE, LockMode.COMPLIANCE
K = DriftKind


def said(lock: Lock, *, is_held: bool = False, is_moving: bool = False) -> Said:
    return Said(UUID(int=1), UUID(int=2), "records/a", "v1", lock, is_held, is_moving)


@pytest.mark.parametrize(
    ("expected", "found", "kind", "repair"),
    [
        (Lock(C, SOON), Lock(C, SOON), None, None),
        (Lock(C, SOON), NO_LOCK, K.LOCK_MISSING, Lock(C, SOON)),
        (Lock(G, SOON), NO_LOCK, K.LOCK_MISSING, Lock(G, SOON)),
        (Lock(C, SOON), Lock(C, PAST), K.LOCK_MISSING, Lock(C, SOON)),  # one that has run out is none
        (Lock(C, LATE), Lock(C, SOON), K.LOCK_SHORTER, Lock(C, LATE)),
        (Lock(G, LATE), Lock(G, LATE - timedelta(seconds=1)), K.LOCK_SHORTER, Lock(G, LATE)),
        (Lock(G, LATE), Lock(C, SOON), K.LOCK_SHORTER, Lock(C, LATE)),  # the stronger mode stays
        (Lock(C, SOON), Lock(G, SOON), K.LOCK_WEAKER, Lock(C, SOON)),
        (Lock(C, LATE), Lock(G, SOON), K.LOCK_WEAKER, Lock(C, LATE)),
        (Lock(C, SOON), Lock(G, LATE), K.LOCK_WEAKER, None),  # COMPLIANCE to the later date could not be taken back
        (Lock(C, SOON), Lock(C, LATE), K.LOCK_LONGER, None),
        (Lock(G, SOON), Lock(C, SOON), K.LOCK_LONGER, None),
        (Lock(C, PAST), Lock(C, SOON), K.LOCK_LONGER, None),
        (Lock(C, PAST), Lock(C, PAST), None, None),
        (Lock(C, PAST), NO_LOCK, None, None),  # it has run out: nothing is promised any more
        (Lock(G, PAST), Lock(C, PAST - timedelta(days=9)), None, None),
    ],
)
def test_a_lock(expected: Lock, found: Lock, kind: DriftKind | None, repair: Lock | None) -> None:
    verdicts = judge(said(expected), Stands(found), NOW)
    assert [(one.kind, one.lock) for one in verdicts] == ([(kind, repair)] if kind else [])


@pytest.mark.parametrize(
    ("is_held", "stands", "kind", "is_set"),
    [
        (False, False, None, False),
        (True, True, None, False),
        (False, True, K.HOLD_UNKNOWN, False),
        (True, False, K.HOLD_GONE, True),
    ],
)
def test_a_hold(is_held: bool, stands: bool, kind: DriftKind | None, is_set: bool) -> None:
    lock = Lock(C, SOON)
    verdicts = judge(said(lock, is_held=is_held), Stands(lock, legal_hold=stands), NOW)
    assert [(one.kind, one.legal_hold, one.lock) for one in verdicts] == ([(kind, is_set, None)] if kind else [])


def test_lock_and_hold_are_told_apart() -> None:
    verdicts = judge(said(Lock(C, LATE)), Stands(NO_LOCK, legal_hold=True), NOW)
    assert [one.kind for one in verdicts] == [K.LOCK_MISSING, K.HOLD_UNKNOWN]


def test_what_is_not_there_or_damaged_has_no_lock_to_speak_of() -> None:
    assert [(one.kind, one.repair) for one in judge(said(Lock(C, SOON)), None, NOW)] == [(K.OBJECT_MISSING, None)]
    damaged = judge(said(Lock(C, SOON)), Stands(is_damaged=True), NOW)
    assert [(one.kind, one.repair) for one in damaged] == [(K.OBJECT_DAMAGED, None)]


def test_a_lock_that_is_being_made_longer_is_excused_for_being_longer_alone() -> None:
    moving = said(Lock(G, SOON), is_moving=True)
    assert judge(moving, Stands(Lock(C, LATE)), NOW) == ()
    assert [one.kind for one in judge(moving, Stands(NO_LOCK), NOW)] == [K.LOCK_MISSING]
    assert [one.kind for one in judge(moving, None, NOW)] == [K.OBJECT_MISSING]


_LOCKS = st.one_of(
    st.just(NO_LOCK),
    st.builds(Lock, st.sampled_from([G, C]), st.integers(-500, 9000).map(lambda days: NOW + timedelta(days=days))),
)


@given(expected=_LOCKS, found=_LOCKS)
def test_nothing_is_ever_set_shorter_or_weaker_nor_beyond_the_date_of_the_catalogue(
    expected: Lock, found: Lock
) -> None:
    for verdict in judge(said(expected), Stands(found), NOW):
        if verdict.lock is not None:
            assert verdict.kind in MENDED
            assert verdict.lock.covers(expected)
            assert verdict.lock.until == expected.until
            is_running = found.until is not None and found.until > NOW
            assert not is_running or verdict.lock.covers(found)


@given(lock=_LOCKS, found=_LOCKS)
def test_what_was_mended_is_in_order(lock: Lock, found: Lock) -> None:
    for verdict in judge(said(lock), Stands(found), NOW):
        if verdict.lock is not None:
            kinds = [one.kind for one in judge(said(lock), Stands(verdict.lock), NOW)]
            # only a mode that somebody made stronger, which cannot be taken back, is still told
            assert kinds in ([], [K.LOCK_LONGER])


def test_every_kind_has_its_words_and_its_advice() -> None:
    assert set(DRIFT_WORDS) == set(ADVICE) == set(DriftKind)
