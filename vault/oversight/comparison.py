"""A store's listing read beside the catalogue in key order: every version's lock and hold against what is said of it.

Page by page: names from the listing, their heads by a few threads at a bounded pace, the catalogue's rows of the same
stretch of keys. What seems to differ is looked at again between two readings of its row, so that what is being filed
meanwhile is no finding. Then what differs is noted, mended where that is lawful, and noted as mended; what was noted before
and is in order now is settled. At last the mark moves on: whoever begins again goes on behind it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from vault.foundation.clock import is_over
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ledger.entry import Actor
from vault.foundation.storage.errors import LockRefused, ObjectNotFound, StoreDenied, StoreLied
from vault.foundation.storage.interface import NO_LOCK, Listed, ObjectInfo, words
from vault.holds.jobs import look_again
from vault.holds.queries import being_told
from vault.oversight import drifts
from vault.oversight.drift import MARKER, DriftKind, Said, Stands, Verdict, judge
from vault.oversight.drifts import DriftEnd, KeptDrift
from vault.oversight.expectations import said_by_key, said_of
from vault.oversight.leftovers import OBJECTS_PREFIX
from vault.oversight.pace import Pace
from vault.oversight.record_check import proven
from vault.oversight.tables import comparisons

THREADS = 8
PER_SECOND = 500
GOES_ON_WITHIN = timedelta(hours=24)
PAGE = 500
_LOOKS_MAX = 3
# Why nothing was set: what the catalogue says of the record is not what the ledger witnessed.
ROW_UNPROVEN = "row-unproven"

_Version: TypeAlias = tuple[str, str]
_Look: TypeAlias = "tuple[Stands | None, ObjectInfo | None]"
_Sure: TypeAlias = "dict[tuple[str, str, DriftKind], tuple[Said, Verdict]]"
_OF_HOLDS = frozenset({DriftKind.HOLD_GONE, DriftKind.HOLD_UNKNOWN})
_MARKER = Verdict(DriftKind.DELETE_MARKER, MARKER, words(NO_LOCK))


@dataclass(frozen=True)
class ComparedPage:
    """Versions that neither catalogue row nor copy names, and how many have been compared since the beginning."""

    unnamed: tuple[ObjectInfo, ...]
    done: int


@dataclass
class _Page:
    """A stretch of the listing, all versions of a key together, with the looks that are under way."""

    names: list[Listed]
    looks: dict[_Version, Future[_Look]]
    is_last: bool = False


class Comparison:
    """One comparison; `begun_at` is when it was begun, by whichever process."""

    def __init__(self, ctx: Context, actor: Actor, per_second: float | None = PER_SECOND, page: int = PAGE) -> None:
        self._ctx = ctx
        self._actor = actor
        self._page = page
        self._pace = Pace(per_second)
        self._through, self._done, self.begun_at = self._begin()

    def pages(self) -> Iterator[ComparedPage]:
        """Compares page by page; a page counts as done when the next is asked for.

        Leaves `oversight:drift:note` and `oversight:drift:resolve`.

        Raises:
            StoreUnavailable, StoreDenied: what was compared so far stays compared.
        """
        pool = ThreadPoolExecutor(THREADS)
        try:
            for page in self._pages_looked_at(pool):
                last = None if page.is_last else page.names[-1].key
                found = {version: look.result() for version, look in page.looks.items()}
                named = self._compare(pool, page, found, last)
                unnamed = [info for version, (_, info) in found.items() if info and version not in named]
                self._done += len(found)
                yield ComparedPage(tuple(unnamed), self._done)
                self._move_mark(last)
        finally:
            pool.shutdown(cancel_futures=True)

    def _begin(self) -> tuple[str, int, datetime]:
        """Goes on with one that was interrupted not long ago, else begins anew."""
        with self._ctx.database.transaction(self._actor) as tx:
            now, store = tx.clock.now(), self._ctx.store.name
            row = tx.connection.execute(select(comparisons).where(comparisons.c.store == store)).one_or_none()
            if row is not None and row.finished_at is None and not is_over(row.begun_at, GOES_ON_WITHIN, now):
                return row.through_key, row.versions, row.begun_at
            fresh = {"begun_at": now, "through_key": "", "versions": 0, "finished_at": None}
            tx.connection.execute(
                insert(comparisons)
                .values(store=store, **fresh)
                .on_conflict_do_update(index_elements=[comparisons.c.store], set_=fresh)
            )
            tx.commit()
        return "", 0, now

    def _move_mark(self, last: str | None) -> None:
        with self._ctx.database.transaction(self._actor) as tx:
            moved = {"through_key": last} if last is not None else {"finished_at": tx.clock.now()}
            tx.connection.execute(
                comparisons.update()
                .where(comparisons.c.store == self._ctx.store.name, comparisons.c.begun_at == self.begun_at)
                .values(versions=self._done, **moved)
            )
            tx.commit()
        self._through = last or self._through

    def _pages_looked_at(self, pool: ThreadPoolExecutor) -> Iterator[_Page]:
        """The next page is being looked at while one is compared; the last one reaches to the end, and may be empty."""
        ahead: _Page | None = None
        for names in _whole_keys(self._ctx.store.list_names(OBJECTS_PREFIX, self._through or None), self._page):
            looks = {
                (one.key, one.version_id): pool.submit(self._look, one.key, one.version_id)
                for one in names
                if not one.is_marker
            }
            if ahead is not None:
                yield ahead
            ahead = _Page(names, looks)
        ahead = ahead or _Page([], {})
        ahead.is_last = True
        yield ahead

    def _look(self, key: str, version_id: str) -> _Look:
        self._pace.wait()
        try:
            info = self._ctx.store.head(key, version_id)
        except ObjectNotFound:
            return None, None
        except StoreLied:
            return Stands(is_damaged=True), None
        if info.key != key:  # another object was put in its place: its lock says nothing of this one
            return Stands(is_damaged=True), None
        return Stands(info.lock, info.legal_hold), info

    def _compare(
        self, pool: ThreadPoolExecutor, page: _Page, found: dict[_Version, _Look], last: str | None
    ) -> set[_Version]:
        """Settles a page; returns the versions that the catalogue names."""
        named: set[_Version] = set()
        after = self._through
        for said, through in said_by_key(self._ctx, after, last):
            now = self._ctx.clock.now()
            suspects = [
                one for one in said if judge(one, found.get((one.object_key, one.version_id), (None, None))[0], now)
            ]
            named |= {(one.object_key, one.version_id) for one in said}
            sure, unsure = self._look_again(pool, suspects) if suspects else ({}, set())
            sure |= _markers(page.names, said)
            self._settle(pool, sure, unsure, {one.object_key for one in said}, after, through)
            after = through or after
        return named

    def _look_again(self, pool: ThreadPoolExecutor, suspects: list[Said]) -> tuple[_Sure, set[_Version]]:
        """What differs for certain: looked at while its row stayed as it was. And the versions that never stood still."""
        sure: _Sure = {}
        for _ in range(_LOOKS_MAX):
            before = self._said_now(suspects)
            looks = list(pool.map(lambda one: self._look(one.object_key, one.version_id)[0], before))
            still = {one.component_id: one for one in self._said_now(before)}
            now = self._ctx.clock.now()
            for said, stands in zip(before, looks, strict=True):
                if still.get(said.component_id) == said:
                    sure |= {
                        (said.object_key, said.version_id, one.kind): (said, one) for one in judge(said, stands, now)
                    }
            suspects = [one for one in before if one.component_id in still and still[one.component_id] != one]
            if not suspects:
                break
        return sure, {(one.object_key, one.version_id) for one in suspects}

    def _said_now(self, said: Iterable[Said]) -> list[Said]:
        with self._ctx.database.read() as connection:
            return list(said_of(connection, self._ctx.store.name, [one.component_id for one in said]).values())

    def _settle(
        self,
        pool: ThreadPoolExecutor,
        sure: _Sure,
        unsure: set[_Version],
        said_keys: set[str],
        after: str,
        through: str | None,
    ) -> None:
        """Notes what differs, before anything is mended; mends; settles what is in order.

        Whatever the catalogue says nothing of any more stays open: a row that is gone puts nothing in order. So does what
        is wrong with a legal hold while a worker is to set it or take it off: only when that is done it is in order.
        """
        store = self._ctx.store.name
        if sure:
            with self._ctx.database.transaction(self._actor) as tx:
                if [1 for said, verdict in sure.values() if drifts.note(tx, store, said, verdict)]:
                    tx.commit()
        with self._ctx.database.read() as connection:
            known = drifts.open_between(connection, store, after, through)
        if not known:
            return
        differing = {drift.id: sure.get((drift.object_key, drift.version_id, drift.kind)) for drift in known}
        to_mend = [(drift, found[1]) for drift in known if (found := differing[drift.id]) and found[1].repair]
        problems = self._mend_all(pool, to_mend)
        in_order = [
            drift
            for drift in known
            if differing[drift.id] is None
            and drift.object_key in said_keys
            and (drift.object_key, drift.version_id) not in unsure
        ]
        with self._ctx.database.transaction(self._actor) as tx:
            if _note_ends(tx, known, problems, in_order):
                tx.commit()

    def _mend_all(
        self, pool: ThreadPoolExecutor, to_mend: Sequence[tuple[KeptDrift, Verdict]]
    ) -> dict[UUID, str | None]:
        """Mends by threads; why not, where not.

        A COMPLIANCE lock cannot be taken back: it is set only where the ledger witnessed what the catalogue says.
        """
        right = proven(self._ctx, {drift.record_id for drift, _ in to_mend}) if to_mend else frozenset()
        problems: dict[UUID, str | None] = {
            drift.id: ROW_UNPROVEN for drift, _ in to_mend if drift.record_id not in right
        }
        work = [one for one in to_mend if one[0].id not in problems]
        return problems | dict(zip((drift.id for drift, _ in work), pool.map(self._mend, work), strict=True))

    def _mend(self, work: tuple[KeptDrift, Verdict]) -> str | None:
        """Sets what the catalogue says, read back by the store's own check; the code of what stood against it."""
        drift, verdict = work
        self._pace.wait()
        try:
            if verdict.lock is not None:
                self._ctx.store.set_retention(drift.object_key, drift.version_id, verdict.lock)
            else:
                self._ctx.store.set_hold(drift.object_key, drift.version_id, on=True)
        except (LockRefused, ObjectNotFound, StoreDenied, StoreLied) as error:
            return error.code
        return None


def _note_ends(
    tx: Transaction, known: Iterable[KeptDrift], problems: Mapping[UUID, str | None], in_order: Iterable[KeptDrift]
) -> bool:
    """Notes what was mended, what could not be, and what is in order without that; whether there was anything to note."""
    of_holds = {drift.record_id for drift in in_order if drift.kind in _OF_HOLDS}
    moving = being_told(tx.connection, of_holds)
    ends = {
        drift.id: _end_of(drift) for drift in in_order if drift.kind not in _OF_HOLDS or drift.record_id not in moving
    }
    ends |= {drift_id: DriftEnd.REPAIRED for drift_id, problem in problems.items() if problem is None}
    refused = [
        drift for drift in known if (problem := problems.get(drift.id)) and drifts.note_problem(tx, drift, problem)
    ]
    ended = [drift for drift in known if drift.id in ends and drifts.resolve(tx, drift, ends[drift.id])]
    # Whether by this process or by one that died before it could note it: it may have been set after a release.
    look_again(tx, {drift.record_id for drift in ended if drift.kind is DriftKind.HOLD_GONE})
    return bool(refused or ended)


def _end_of(drift: KeptDrift) -> DriftEnd:
    """A process that died between mending and noting it left one that is in order because it was mended."""
    return DriftEnd.REPAIRED if drift.repair and not drift.problem else DriftEnd.IN_ORDER


def _markers(names: Iterable[Listed], said: Sequence[Said]) -> _Sure:
    """Delete markers on keys of the catalogue, as versions of their own."""
    by_key = {one.object_key: one for one in said}
    return {
        (one.key, one.version_id, _MARKER.kind): (
            Said(
                by_key[one.key].record_id, by_key[one.key].component_id, one.key, one.version_id, by_key[one.key].lock
            ),
            _MARKER,
        )
        for one in names
        if one.is_marker and one.key in by_key
    }


def _whole_keys(names: Iterator[Listed], size: int) -> Iterator[list[Listed]]:
    """Pages that never part the versions of a key, so that a mark may stand between any two."""
    page: list[Listed] = []
    for _, of_key in itertools.groupby(names, key=lambda one: one.key):
        page += of_key
        if len(page) >= size:
            yield page
            page = []
    if page:
        yield page
