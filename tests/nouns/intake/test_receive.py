"""The road of one upload on real PostgreSQL: accepted once, refused with reasons, never doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.support.archive import Archive, jpeg, pdf, tiff
from vault.access.model import Viewer
from vault.catalogue.errors import BadFieldValue
from vault.catalogue.model import ComponentKind, FieldKind
from vault.catalogue.queries import get_record
from vault.catalogue.reading import open_original, unmask
from vault.catalogue.tables import component_copies, records
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.intake.batches import close_batch, open_batch
from vault.intake.errors import BatchClosed, ClientKeyReused, StoreNotTrusted
from vault.intake.jobs import render_waiting
from vault.intake.model import BatchState, ItemStatus
from vault.intake.tables import store_probes
from vault.retention.errors import UnknownClass


@pytest.mark.clause("V1")
@pytest.mark.invariant("U1")
@pytest.mark.parametrize(("data", "pages"), [(jpeg(1), 1), (tiff(3), 3), (pdf(1), 1)], ids=["jpeg", "tiff", "pdf"])
def test_accepted_file_is_catalogued_locked_and_comes_back(archive: Archive, data: bytes, pages: int) -> None:
    receipt = archive.send(data, customer_name="欧阳小明", occurred_date=date(2026, 3, 1))
    assert receipt.status is ItemStatus.ACCEPTED
    assert receipt.record_id is not None
    record, original, content = open_original(archive.ctx, archive.operator, receipt.record_id)
    with content:
        assert content.read() == data
    assert record.page_count == pages
    assert record.archival_number == receipt.archival_number == "0001-YW·2026-D5-GT01-0001"
    info = archive.ctx.store.head(original.object_key, original.version_id)
    assert info.lock.mode.value == original.lock_mode == "GOVERNANCE"
    assert info.lock.until == original.lock_until == record.lock_until
    assert info.sha256 == original.sealed_sha256


@pytest.mark.clause("C6.1")
def test_where_nothing_else_is_known_five_years_are_kept(archive: Archive) -> None:
    receipt = archive.send(jpeg(), occurred_date=date(2026, 2, 28))
    assert receipt.record_id is not None
    with archive.ctx.database.read() as connection:
        record = get_record(connection, archive.operator, receipt.record_id)
    assert record.retain_until is not None
    assert record.retain_until >= date(2031, 2, 28)


@pytest.mark.clause("C2.3")
def test_a_date_of_the_business_that_cannot_be_right_is_refused(archive: Archive) -> None:
    archive.clock.at = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight in Shanghai
    today = date(2027, 1, 1)
    for day, problem in (
        (date(2027, 1, 2), "has not come"),
        (date(2099, 1, 1), "has not come"),
        (date(1899, 12, 31), "1900"),
    ):
        with pytest.raises(BadFieldValue, match=problem):
            archive.send(jpeg(), occurred_date=day)
    assert _count(archive) == 0
    receipt = archive.send(jpeg(), occurred_date=today)
    assert receipt.archival_number == "0001-YW·2027-D5-GT01-0001"
    undated = archive.send(jpeg(2))
    assert undated.archival_number == "0001-YW·2027-D5-GT01-0002", "the organisation's year, not that of UTC"


@pytest.mark.invariant("U2")
def test_a_retry_gets_the_same_receipt_and_doubles_nothing(archive: Archive) -> None:
    first = archive.send(jpeg(), key="the-same-key")
    again = archive.send(jpeg(), key="the-same-key")
    assert again.is_repeated
    assert (again.record_id, again.ledger_leaf_hash) == (first.record_id, first.ledger_leaf_hash)
    assert _count(archive) == 1


def test_another_file_under_a_used_key_is_refused(archive: Archive) -> None:
    archive.send(jpeg(1), key="the-same-key")
    with pytest.raises(ClientKeyReused):
        archive.send(jpeg(2), key="the-same-key")


def test_the_same_bytes_under_another_key_are_a_duplicate(archive: Archive) -> None:
    first = archive.send(jpeg())
    second = archive.send(jpeg())
    assert second.status is ItemStatus.DUPLICATE
    assert second.record_id == first.record_id
    assert _count(archive) == 1


def test_racing_senders_of_one_file_make_one_record(archive: Archive) -> None:
    with ThreadPoolExecutor(8) as pool:
        same_key = list(pool.map(lambda _: archive.send(jpeg(7), key="one-key-for-all"), range(8)))
        other_keys = list(pool.map(lambda i: archive.send(jpeg(8), key=f"another-key-{i}"), range(8)))
    assert len({receipt.record_id for receipt in same_key}) == 1
    assert len({receipt.record_id for receipt in other_keys}) == 1
    statuses = sorted(receipt.status.value for receipt in other_keys)
    assert statuses == ["accepted", *["duplicate"] * 7]
    assert _count(archive) == 2


def test_a_damaged_file_is_refused_with_its_reason_and_stays_refused(archive: Archive) -> None:
    receipt = archive.send(jpeg()[:-3000], key="cut-off-file")
    assert receipt.status is ItemStatus.REFUSED
    assert [f.code for f in receipt.findings if f.severity == "refuse"] == ["damaged"]
    again = archive.send(jpeg()[:-3000], key="cut-off-file")
    assert again.is_repeated
    assert again.findings == receipt.findings
    assert _count(archive) == 0


def test_intake_stops_when_the_store_lies(archive: Archive) -> None:
    with archive.ctx.database.transaction(SYSTEM) as tx:
        archive.clock.advance(timedelta(seconds=1))
        tx.connection.execute(
            store_probes.insert(),
            {
                "id": new_id(),
                "store": archive.ctx.store.name,
                "at": archive.clock.now(),
                "lies": ["compliance-shorten-refused"],
                "checks": [],
            },
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    with pytest.raises(StoreNotTrusted, match="compliance-shorten-refused"):
        archive.send(jpeg())


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"class_code": "NO-SUCH"}, UnknownClass),
        ({"personal": ((FieldKind.ID_NUMBER, "110105194912310021"),)}, BadFieldValue),
        ({"customer_name": "x" * 300}, BadFieldValue),
        ({"unit_id": new_id()}, NotFoundOrNotYours),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_stored(
    archive: Archive, fields: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        archive.send(jpeg(), **fields)
    assert _count(archive) == 0


@pytest.mark.clause("C2.5")
def test_personal_fields_are_sealed_found_exactly_and_unmasked_with_a_reason(archive: Archive) -> None:
    receipt = archive.send(jpeg(), personal=((FieldKind.ID_NUMBER, "11010519491231002X"),))
    assert receipt.record_id is not None
    with archive.ctx.database.read() as connection:
        record = get_record(connection, archive.operator, receipt.record_id)
    assert b"11010519491231002X" not in record.personal[0].sealed
    value = unmask(archive.ctx, archive.operator, record.id, FieldKind.ID_NUMBER, 0, "案件 2026-15")
    assert value == "11010519491231002X"
    with archive.ctx.database.read() as connection:
        events = [entry.event for entry in entries_of_subject(connection, record.id)]
    assert events == ["catalogue:record:register", "catalogue:field:unmask"]


@pytest.mark.clause("C4.4")
def test_another_units_clerk_sees_nothing_and_may_not_send(archive: Archive) -> None:
    receipt = archive.send(jpeg())
    assert receipt.record_id is not None
    other = new_id()
    stranger = Viewer(new_id(), "person", "x", archive.operator.rights, other, frozenset({other}))
    with archive.ctx.database.read() as connection, pytest.raises(NotFoundOrNotYours):
        get_record(connection, stranger, receipt.record_id)
    powerless = Viewer(new_id(), "person", "x", frozenset(), archive.operator.unit_id, None)
    with pytest.raises(NotAllowed):
        archive.send(jpeg(3), viewer=powerless)


def test_a_batch_balances_and_then_takes_no_more(archive: Archive) -> None:
    batch = open_batch(archive.ctx, archive.operator, "上午", 3)
    assert open_batch(archive.ctx, archive.operator, "上午", 3).id == batch.id
    archive.send(jpeg(1), batch_id=batch.id)
    archive.send(jpeg(1), batch_id=batch.id)
    archive.send(b"", batch_id=batch.id)
    closed = close_batch(archive.ctx, archive.operator, batch.id)
    assert closed.state is BatchState.BALANCED
    counts = (closed.balance.received, closed.balance.accepted, closed.balance.duplicate, closed.balance.refused)
    assert counts == (3, 1, 1, 1)
    with pytest.raises(BatchClosed):
        archive.send(jpeg(2), batch_id=batch.id)


def test_a_batch_with_a_sheet_missing_is_unbalanced(archive: Archive) -> None:
    batch = open_batch(archive.ctx, archive.operator, "下午", 2)
    archive.send(jpeg(1), batch_id=batch.id)
    assert close_batch(archive.ctx, archive.operator, batch.id).state is BatchState.UNBALANCED


def test_renditions_are_sealed_under_the_record_and_made_once(archive: Archive) -> None:
    receipt = archive.send(tiff(2))
    assert receipt.record_id is not None
    assert list(render_waiting(archive.ctx)) == [receipt.record_id]
    assert list(render_waiting(archive.ctx)) == []
    with archive.ctx.database.read() as connection:
        record = get_record(connection, archive.operator, receipt.record_id)
        copies = connection.execute(select(func.count()).select_from(component_copies)).scalar_one()
    kinds = sorted((component.kind.value, component.ordinal) for component in record.components)
    assert kinds == [
        ("access_copy", 0),
        ("original", 0),
        ("page", 1),
        ("page", 2),
        ("thumbnail", 1),
        ("thumbnail", 2),
    ]
    assert copies == 6
    assert record.component(ComponentKind.PAGE, 1) is not None


def test_attachments_of_other_types_are_kept_unopened_where_the_class_allows(archive: Archive) -> None:
    data = b"PK\x03\x04 some office file" * 100
    assert archive.send(data, class_code="GENERAL").status is ItemStatus.REFUSED
    receipt = archive.send(data, class_code="ATTACHMENT")
    assert receipt.status is ItemStatus.ACCEPTED
    assert receipt.record_id is not None
    _, _, content = open_original(archive.ctx, archive.operator, receipt.record_id)
    with content:
        assert content.read() == data


def _count(archive: Archive) -> int:
    with archive.ctx.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(records)).scalar_one())
