"""Who comes back under a client key: with the same file and words, with others, while the first attempt is under way."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.catalogue.tables import record_states
from vault.foundation.ids import new_id
from vault.foundation.storage.errors import StoreUnavailable
from vault.intake.batches import close_batch, open_batch
from vault.intake.errors import ClientKeyReused, UploadBusy
from vault.intake.model import BatchState, ItemStatus
from vault.retention.due_dates import expected
from vault.retention.organisation import set_up
from vault.retention.sweep import is_due, sweep

pytestmark = pytest.mark.invariant("U2")
KEY = "one-and-the-same-key"


class Store:
    """The archive's own store, which fails the next put, or does something first."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.name = inner.name
        self.before_put: Any = None

    def put_new(self, *arguments: Any, **named: Any) -> Any:
        before, self.before_put = self.before_put, None
        if before is not None:
            before()
        return self._inner.put_new(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def store(archive: Archive) -> Store:
    wrapped = Store(archive.ctx.store)
    object.__setattr__(archive.ctx, "store", wrapped)
    return wrapped


def _fail() -> None:
    raise StoreUnavailable(store="test", problem="cut off")


def test_what_was_begun_goes_on_only_as_it_was_begun(archive: Archive, store: Store) -> None:
    batch = open_batch(archive.ctx, archive.operator, "周一", None)
    store.before_put = _fail
    with pytest.raises(StoreUnavailable):
        archive.send(jpeg(1), key=KEY, batch_id=batch.id)
    other = open_batch(archive.ctx, archive.operator, "周二", None)
    for said in ({"batch_id": other.id}, {"batch_id": None}, {"batch_id": new_id()}):
        with pytest.raises(ClientKeyReused):
            archive.send(jpeg(1), key=KEY, **said)
    with pytest.raises(ClientKeyReused):
        archive.send(jpeg(1), key=KEY, batch_id=batch.id, class_code="COMPLAINT")
    assert archive.send(jpeg(1), key=KEY, batch_id=batch.id).status is ItemStatus.ACCEPTED


def test_nobody_is_told_of_an_item_that_is_still_under_way(archive: Archive, store: Store) -> None:
    archive.send(jpeg(7))  # the bytes are here already, so that the second attempt would settle at once
    answers: list[Any] = []

    def another_attempt() -> None:
        with pytest.raises(UploadBusy):
            archive.send(jpeg(7), key=KEY)
        answers.append("busy")

    # Both looked before either had noted anything: the second meets the first one's intent at its commit.
    first_has_noted, second_has_looked = threading.Event(), threading.Event()

    @event.listens_for(archive.ctx.database.engine, "before_cursor_execute")
    def hold_back(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if threading.current_thread().name == "second" and "intake_items" in statement and "INSERT" in statement:
            second_has_looked.set()
            first_has_noted.wait(20)

    second = threading.Thread(target=another_attempt, name="second")
    second.start()
    assert second_has_looked.wait(20)
    with archive.ctx.database.transaction(archive.operator.actor) as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO intake_items (id, sender_id, client_key, unit_id, class_code, file_name, size_bytes, sha256,"
            " status, record_id, received_at) SELECT gen_random_uuid(), sender_id, %s, unit_id, class_code, file_name,"
            " size_bytes, sha256, 'intent', gen_random_uuid(), received_at FROM intake_items LIMIT 1",
            (KEY,),
        )
        tx.witness("intake:item:intend", "item", new_id())
        tx.commit()
    first_has_noted.set()
    second.join(30)
    assert answers == ["busy"]


def test_an_upload_during_which_the_law_changed_goes_by_the_new_law(archive: Archive, store: Store) -> None:
    set_up(archive.ctx, archive.operator, "滨湖区政务服务中心", "0001", "Pacific/Kiritimati")

    def the_law_changes() -> None:
        # 25 hours behind: it came in on another day than it had when it arrived.
        set_up(archive.ctx, archive.operator, "滨湖区政务服务中心", "0001", "Pacific/Niue")
        archive.clock.advance(timedelta(seconds=20))
        sweep(archive.ctx)

    store.before_put = the_law_changes
    receipt = archive.send(jpeg(1))
    assert receipt.record_id is not None
    with archive.ctx.database.read() as connection:
        row = connection.execute(select(record_states).where(record_states.c.record_id == receipt.record_id)).one()
        due = expected(connection, [receipt.record_id], archive.clock.now())[receipt.record_id]
        assert not is_due(connection, archive.clock.now())
    assert (row.what, row.retain_until, row.next_date) == (due.what.value, due.retain_until, due.next_date)


def test_the_same_name_in_two_units_is_two_batches_and_a_closed_one_is_free_again(archive: Archive) -> None:
    other: UUID = access.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    ours = open_batch(archive.ctx, archive.operator, "今日", 2)
    theirs = open_batch(archive.ctx, archive.operator, "今日", 3, other)
    assert ours.id != theirs.id
    assert theirs.unit_id == other
    assert open_batch(archive.ctx, archive.operator, "今日", None).id == ours.id
    assert close_batch(archive.ctx, archive.operator, ours.id).state is BatchState.UNBALANCED
    assert open_batch(archive.ctx, archive.operator, "今日", None).id not in {ours.id, theirs.id}


def test_intake_goes_on_under_another_fonds_number(archive: Archive) -> None:
    set_up(archive.ctx, archive.operator, "滨湖区政务服务中心", "0057", "Asia/Urumqi")
    receipt = archive.send(jpeg(1))
    assert receipt.status is ItemStatus.ACCEPTED
    assert receipt.archival_number is not None
    assert receipt.archival_number.startswith("0057-")
    archive.clock.advance(timedelta(minutes=1))
    with archive.ctx.database.read() as connection:
        assert is_due(connection, archive.clock.now()), "due dates follow another time zone"
