"""The stores are told while others go on: nobody waits for a store, and one record keeps no other waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text

from tests.nouns.holds.conftest import Lawyers
from tests.support.archive import Archive
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.interface import ObjectInfo
from vault.holds import jobs
from vault.holds.tables import hold_tasks

pytestmark = [pytest.mark.clause("V5"), pytest.mark.invariant("H1")]


class _Watched:
    """A store to which something happens before every legal hold."""

    def __init__(self, inner: Any, happens: Callable[[str], None]) -> None:
        self._inner = inner
        self._happens = happens

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        self._happens(key)
        info: ObjectInfo = self._inner.set_hold(key, version_id, on=on)
        return info

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _tell(archive: Archive, happens: Callable[[str], None]) -> list[UUID]:
    return list(jobs.tell_waiting(replace(archive.ctx, store=_Watched(archive.ctx.store, happens))))


def test_a_store_is_never_asked_under_the_record_s_lock(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], database_url: str
) -> None:
    record_id, matter = send(), lawyers.matter()
    hold_id = lawyers.place(matter, record_id).hold.id
    lawyers.tell_stores()
    lawyers.release(hold_id)
    owner = create_engine(database_url)
    asked: list[str] = []

    def happens(key: str) -> None:
        with owner.connect() as connection:  # refused at once where somebody has the row
            connection.execute(text("SELECT FROM record_states FOR UPDATE NOWAIT"))
        if not asked:
            lawyers.place(matter, record_id)  # so that all is begun anew
        asked.append(key)

    assert _tell(archive, happens) == [record_id]
    owner.dispose()
    assert len(asked) == 2
    with archive.ctx.database.read() as connection:
        assert connection.execute(select(hold_tasks)).all() == []


def test_what_nobody_thought_of_at_one_record_stops_no_other(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    first, second = sorted([send(), send()])
    lawyers.place(lawyers.matter(), first, second)

    def happens(key: str) -> None:
        if str(first) in key:
            raise ValueError(key)

    assert _tell(archive, happens) == [first, second]
    with archive.ctx.database.read() as connection:
        (task,) = connection.execute(select(hold_tasks)).all()
    assert (task.record_id, task.attempts, task.problem) == (first, 1, "internal-error")
    assert task.not_before == archive.clock.now() + timedelta(seconds=2)
    archive.clock.advance(timedelta(seconds=3))
    assert lawyers.tell_stores() == [first]


def test_a_slow_store_outlasts_a_server_that_ends_idle_transactions(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], database_url: str
) -> None:
    record_id = send()
    lawyers.place(lawyers.matter(), record_id)
    owner = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        setting = f'ALTER DATABASE "{name}" {{}} idle_in_transaction_session_timeout'
        connection.execute(text(setting.format("SET") + " = '1500ms'"))
        try:
            archive.ctx.database.dispose()  # connections made from now on have it
            assert _tell(archive, lambda _: time.sleep(2)) == [record_id]
        finally:
            connection.execute(text(setting.format("RESET")))
            archive.ctx.database.dispose()
    owner.dispose()
    with archive.ctx.database.read() as connection:
        assert connection.execute(select(hold_tasks)).all() == []


def test_of_several_records_looked_at_again_the_lock_of_the_first_is_taken_first(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], database_url: str
) -> None:
    first, second = sorted([send(), send()])
    owner = create_engine(database_url)
    row = text("SELECT FROM record_states WHERE record_id = :id FOR UPDATE NOWAIT")

    def look() -> None:
        with archive.ctx.database.transaction(SYSTEM) as tx:
            jobs.look_again(tx, [second, first])
            tx.commit()

    with ThreadPoolExecutor(1) as pool:
        with owner.connect() as other:
            other.execute(row, {"id": first})
            looking = pool.submit(look)
            with pytest.raises(TimeoutError):
                looking.result(0.3)
            other.execute(row, {"id": second})  # nobody has it: else each would wait for the other
        looking.result(10)
    owner.dispose()
    with archive.ctx.database.read() as connection:
        assert set(connection.execute(select(hold_tasks.c.record_id)).scalars()) == {first, second}
