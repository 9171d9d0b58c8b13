"""What the database refuses of holds and of held records by itself, and what it lets pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.nouns.holds.conftest import Lawyers
from tests.support.archive import Archive, trust
from vault.catalogue.model import FieldKind, NewDescription
from vault.catalogue.queries import RecordView
from vault.foundation.db.transaction import Transaction
from vault.foundation.ledger.entry import SYSTEM
from vault.holds import releasing
from vault.holds.model import Hold
from vault.holds.tables import held_records
from vault.retention.description import describe
from vault.retention.filing import file
from vault.retention.locking import lock_waiting

pytestmark = [pytest.mark.clause("V5"), pytest.mark.invariant("A1"), pytest.mark.invariant("H1")]

_CORRECTED = NewDescription(values={"customer_name": "李四", "occurred_date": "2026-03-02"})
# Two records, each under a hold of its own: the release of the one is proposed and approved by one, that of the other not.
FORGERIES = {
    "released without anybody": "UPDATE holds SET released_at = now(), release_reason = NULL"
    " WHERE release_proposal_id IS NULL",
    "released on an open proposal": "UPDATE holds SET released_at = now() WHERE release_proposal_id IS NOT NULL",
    "released on another hold's proposal": "UPDATE holds SET released_at = now(), release_reason = other.release_reason,"
    " release_proposal_id = other.release_proposal_id FROM holds other"
    " WHERE holds.release_proposal_id IS NULL AND other.release_proposal_id IS NOT NULL",
    "a record released alone": "UPDATE held_records SET released_at = now()",
    "a record taken out": "DELETE FROM held_records",
    "a hold removed": "DELETE FROM holds",
    "another reason": "UPDATE holds SET reason = 'another reason'",
    "a matter removed": "DELETE FROM matters",
    "a matter closed": "UPDATE matters SET closed_at = now(), closed_by = id",
    "the record removed": "DELETE FROM records",
    "the record under another name": "UPDATE records SET id = gen_random_uuid()",
    "its state removed": "DELETE FROM record_states",
    "its state given away": "UPDATE record_states SET record_id = gen_random_uuid()",
    "its copies removed": "DELETE FROM component_copies",
    "its copies of another object": "UPDATE component_copies SET object_key = 'records/another'",
    "its copies of another version": "UPDATE component_copies SET version_id = 'another'",
    "its copies of another component": "UPDATE component_copies SET component_id = gen_random_uuid()",
    "its copies in another store": "UPDATE component_copies SET store = 'another'",
    "its components removed": "DELETE FROM components",
    "its components given away": "UPDATE components SET record_id = (SELECT max(id::text)::uuid FROM records)",
    "its components under another name": "UPDATE components SET id = gen_random_uuid()",
    "its earlier values removed": "DELETE FROM corrections",
    "its earlier values overwritten": "UPDATE corrections SET sealed = ''",
    "its earlier values given away": "UPDATE corrections SET record_id = gen_random_uuid()",
    "its key destroyed": "DELETE FROM record_keys",
    "its key given away": "UPDATE record_keys SET record_id = gen_random_uuid()",
}


def test_the_database_refuses_by_itself(
    archive: Archive,
    lawyers: Lawyers,
    send: Callable[..., UUID],
    look: Callable[[UUID], RecordView],
    database_url: str,
) -> None:
    record_id, matter = send(customer_name="张三"), lawyers.matter()
    describe(
        archive.ctx, archive.operator, record_id, _CORRECTED, revision=look(record_id).revision, reason="录入有误"
    )
    hold_id = lawyers.place(matter, record_id).hold.id
    lawyers.place(matter, send())
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    releasing.approve_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id))
    owner = create_engine(database_url)
    passed = {}
    for forgery, statement in FORGERIES.items():
        with owner.connect() as connection:
            try:
                connection.execute(text(statement))
                passed[forgery] = "done"
            except DBAPIError as error:
                state = error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
                if state not in {"SV003", "SV006"}:
                    passed[forgery] = str(error.orig)
    owner.dispose()
    assert passed == {}


def test_what_may_change_of_a_held_record_still_does(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    trust(archive)
    record_id = send("CONTRACT", personal=((FieldKind.PHONE, "13800138000"),))
    lawyers.place(lawyers.matter(), record_id)
    describe(
        archive.ctx, archive.operator, record_id, _CORRECTED, revision=look(record_id).revision, reason="录入有误"
    )
    file(archive.ctx, archive.operator, [record_id])
    assert list(lock_waiting(archive.ctx)) == [record_id]
    lawyers.tell_stores()
    assert look(record_id).customer_name == "李四"


def _approve(tx: Transaction, lawyers: Lawyers, hold: Hold) -> None:
    """What two people say, behind the service's back."""
    assert hold.release is not None
    for head in lawyers.heads[:2]:
        tx.connection.execute(
            text("INSERT INTO approvals VALUES (:proposal, :person, true, '', now())"),
            {"proposal": hold.release.id, "person": head.id},
        )
    tx.connection.execute(text("UPDATE proposals SET state = 'approved', settled_at = now()"))


@pytest.mark.parametrize("what", ["nothing", "another reason", "another record"])
def test_a_release_that_was_approved_counts_for_its_reason_and_records_only(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], what: str
) -> None:
    one, two = send(), send()
    hold_id = lawyers.place(lawyers.matter(), one).hold.id
    hold = releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    release = text("UPDATE holds SET released_at = :at")
    with archive.ctx.database.transaction(SYSTEM) as tx:
        _approve(tx, lawyers, hold)
        if what == "another reason":
            tx.connection.execute(text("UPDATE holds SET release_reason = 'another reason'"))
        if what == "another record":
            tx.connection.execute(
                held_records.insert(), {"hold_id": hold_id, "record_id": two, "held_at": hold.placed_at}
            )
        after = {"at": hold.placed_at + timedelta(days=1)}
        if what == "nothing":
            assert tx.connection.execute(release, after).rowcount == 1
            return
        with pytest.raises(DBAPIError) as refused:
            tx.connection.execute(release, after)
    assert isinstance(refused.value.orig, psycopg.Error)
    assert refused.value.orig.sqlstate == "SV003"
