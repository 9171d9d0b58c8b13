"""Reconciliation: what crashes and senders that never came back left over, and what others changed in the store.

Three passes, each of which may end anywhere and begin again: uploads that were begun long ago and never finished are
given up; leftovers that are known are looked at again; then every version in the store is held against the catalogue,
with its lock and its hold (`comparison`). Each thing settled is one transaction with its ledger entry. Nothing is removed,
and a leftover younger than `older_than` is left alone: it may be under way. One process at a time reconciles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import text

from vault.foundation.context import Context
from vault.foundation.ledger.entry import Actor
from vault.foundation.storage.errors import ObjectNotFound, StoreLied
from vault.foundation.storage.interface import ObjectInfo
from vault.intake.abandonment import ABANDONED_AFTER, count_open, settle_abandoned
from vault.oversight import drifts, leftovers
from vault.oversight.comparison import PAGE, PER_SECOND, Comparison
from vault.oversight.errors import ReconciliationUnderWay
from vault.oversight.model import Finding, FindingCode, Leftover, Reconciliation, Resolution

# A stage (abandoned, leftovers, versions), how many are done, and of how many if that is known.
Progress = Callable[[str, int, int | None], None]
_RECONCILING = 0x5359_4E43


def reconcile(
    ctx: Context,
    actor: Actor,
    *,
    older_than: timedelta = ABANDONED_AFTER,
    per_second: float | None = PER_SECOND,
    progress: Progress | None = None,
    page: int = PAGE,
) -> Reconciliation:
    """Settles what is left over in the store and in intake, and mends locks; safe after any crash.

    `per_second`: requests to the store, at most; none: as many as it answers; `page`: versions
    between two marks. Leaves `intake:item:abandon`,
    `oversight:leftover:note`, `oversight:leftover:resolve`, `oversight:drift:note` and `oversight:drift:resolve`.

    Raises:
        ReconciliationUnderWay: another process is at it.
        StoreUnavailable, StoreDenied: the store cannot be asked; what was settled so far stays settled.
    """
    say = progress or (lambda _stage, _done, _all: None)
    with _alone(ctx) as still_alone:
        reconciling = _Reconciling(ctx, actor, ctx.clock.now() - older_than, say, still_alone)
        return reconciling.run(Comparison(ctx, actor, per_second, page))


@contextmanager
def _alone(ctx: Context) -> Iterator[Callable[[], object]]:
    """One at a time by an advisory lock, which dies with the connection of whoever holds it.

    Gives what fails with DatabaseUnavailable once that connection is gone: somebody else may have begun.
    """
    with ctx.database.alone(_RECONCILING) as guard:
        if guard is None:
            raise ReconciliationUnderWay
        yield lambda: guard.execute(text("SELECT 1"))


class _Reconciling:
    def __init__(
        self, ctx: Context, actor: Actor, before: datetime, say: Progress, still_alone: Callable[[], object]
    ) -> None:
        self._ctx = ctx
        self._actor = actor
        self._before = before
        self._say = say
        self._still_alone = still_alone
        self._settled: list[Finding] = []

    def run(self, comparison: Comparison) -> Reconciliation:
        """The three passes, one after the other."""
        ctx = self._ctx
        self._give_up_uploads()
        self._look_again()
        versions = self._compare(comparison)
        with ctx.database.read() as connection:
            known = leftovers.summary(connection, ctx.store.name, ctx.clock.now())
            drifted = drifts.summary(connection, ctx.store.name, comparison.begun_at)
        return Reconciliation(tuple(self._settled), versions, known, drifted, comparison.begun_at)

    def _give_up_uploads(self) -> None:
        with self._ctx.database.read() as connection:
            total = count_open(connection, self._before)
        self._say("abandoned", 0, total)
        for done, item in enumerate(settle_abandoned(self._ctx, self._actor, self._before), 1):
            facts = {"record_id": str(item.record_id), "batch_id": str(item.batch_id or "")}
            self._settled.append(Finding(FindingCode.UPLOAD_ABANDONED, "item", str(item.id), facts))
            self._say("abandoned", done, max(done, total))

    def _look_again(self) -> None:
        """Known leftovers: catalogued by now, gone from the store, or under another lock."""
        for done, leftover in enumerate(self._open_leftovers(), 1):
            self._look_at(leftover)
            self._say("leftovers", done, None)

    def _open_leftovers(self) -> Iterator[Leftover]:
        last: Leftover | None = None
        while True:
            with self._ctx.database.read() as connection:
                page = leftovers.list_open(connection, self._ctx.store.name, after=last.id if last else None)
            if not page:
                return
            yield from page
            last = page[-1]

    def _look_at(self, leftover: Leftover) -> None:
        try:
            info = self._ctx.store.head(leftover.object_key, leftover.version_id)
        except ObjectNotFound:
            self._resolve(leftover, Resolution.GONE)
            return
        except StoreLied:  # it is there, and what is known of it stays known
            return
        with self._ctx.database.read() as connection:
            is_catalogued = leftovers.is_catalogued(connection, leftover)
        if is_catalogued:
            self._resolve(leftover, Resolution.TAKEN_UP)
        elif leftovers.removable_from(info) != leftover.removable_from:
            with self._ctx.database.transaction(self._actor) as tx:
                leftovers.move_date(tx, leftover, leftovers.removable_from(info))
                tx.commit()

    def _resolve(self, leftover: Leftover, resolution: Resolution) -> None:
        with self._ctx.database.transaction(self._actor) as tx:
            if not leftovers.resolve(tx, leftover, resolution):
                return
            tx.commit()
        facts = {"object_key": leftover.object_key, "version_id": leftover.version_id}
        self._settled.append(Finding(_RESOLVED[resolution], "leftover", str(leftover.id), facts))

    def _compare(self, comparison: Comparison) -> int:
        """Every version against the catalogue; returns how many there are."""
        ctx, done = self._ctx, 0
        with ctx.database.read() as connection:
            total = leftovers.versions_expected(connection, ctx.store.name)
        for page in comparison.pages():
            self._still_alone()
            for info in self._unknown(page.unnamed):
                if info.stored_at < self._before:
                    self._note(info)
            done = page.done
            self._say("versions", done, max(done, total))
        return done

    def _unknown(self, versions: tuple[ObjectInfo, ...]) -> list[ObjectInfo]:
        if not versions:
            return []
        with self._ctx.database.read() as connection:
            return leftovers.unnamed(connection, self._ctx.store.name, versions)

    def _note(self, info: ObjectInfo) -> None:
        with self._ctx.database.transaction(self._actor) as tx:
            leftover_id = leftovers.note(tx, self._ctx.store.name, info)
            if leftover_id is None:
                return
            tx.commit()
        until = leftovers.removable_from(info)
        facts = {
            "object_key": info.key,
            "version_id": info.version_id,
            "removable_from": until.isoformat(timespec="seconds") if until else "(held)",
        }
        self._settled.append(Finding(FindingCode.LEFTOVER_NOTED, "leftover", str(leftover_id), facts))


_RESOLVED = {Resolution.TAKEN_UP: FindingCode.LEFTOVER_TAKEN_UP, Resolution.GONE: FindingCode.LEFTOVER_GONE}
