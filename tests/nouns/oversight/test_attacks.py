"""What somebody with the database, the store or both in their hands may do, and that verification names it.

The attacker here owns the database: no trigger, constraint or role stops him. He has no secret of the custodian.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.engine import Engine

from tests.nouns.oversight.holding import hold
from tests.support.archive import Archive, jpeg
from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.model import NewDescription
from vault.catalogue.tables import component_copies, components, corrections, personal_fields, record_states, records
from vault.foundation.db.metadata import metadata
from vault.foundation.ids import new_id
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys
from vault.foundation.ledger.entry import Actor, Entry
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.publisher import publish, renew_locks
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_entries, ledger_leaves, ledger_tiles
from vault.holds.jobs import tell_waiting
from vault.holds.tables import RECORD_TABLES as HOLDS_TABLES
from vault.holds.tables import held_records
from vault.oversight.verification import verify
from vault.retention.description import describe
from vault.retention.tables import RECORD_TABLES as RETENTION_TABLES

pytestmark = [pytest.mark.clause("V7"), pytest.mark.slow]
Named = set[tuple[str, str]]


def named(archive: Archive) -> Named:
    """What verification says: codes with the table, or the code of the ledger, that it is about."""
    found = verify(archive.ctx).findings
    return {(f.code.value, f.facts.get("table") or f.facts.get("code", "")) for f in found}


@contextmanager
def lawless(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


@contextmanager
def undone(engine: Engine, *tables: Table) -> Iterator[None]:
    """Puts the tables back afterwards."""
    with lawless(engine) as connection:
        for table in tables:
            connection.execute(text(f"CREATE TABLE kept_{table.name} AS SELECT * FROM {table.name}"))
    yield
    with lawless(engine) as connection:
        for table in tables:
            connection.execute(text(f"DELETE FROM {table.name}"))
            columns = ", ".join(column.name for column in table.columns if column.computed is None)
            connection.execute(text(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM kept_{table.name}"))
            connection.execute(text(f"DROP TABLE kept_{table.name}"))


def correct_and_hold(archive: Archive) -> None:
    """Leaves a row in each table of a record; numbered and published."""
    first = _record_ids(archive)[0]
    new = NewDescription(values={"customer_name": "李四"})
    describe(archive.ctx, archive.operator, first, new, revision=1, reason="录入有误")
    hold(archive, first)
    list(tell_waiting(archive.ctx))
    archive.sequence()
    publish(archive.ctx.database, archive.ctx.store, archive.ctx.custodian.public_key())


# Every column of these, one by one. What a row says of itself by its table is expected unless it stands below.
COLUMNS = [
    (table, column)
    for table in (
        *(records, record_states, components, component_copies, personal_fields, corrections, held_records),
        *(record_keys, key_groups, key_epochs),
        *(ledger_entries, ledger_leaves, ledger_tiles, ledger_checkpoints),
    )
    for column in table.columns
]
_UNREADABLE: Named = {("object-unreadable", "")}
_LEDGER: dict[str, Named] = {
    code: {("ledger", code)} for code in ("entry-altered", "leaf-altered", "tile-altered", "checkpoint-altered")
}
EXPECTED: dict[str, Named] = {
    "records.id": {("row-removed", ""), ("row-unwitnessed", "")},
    # Every digest of the record is made with it.
    "records.salt": {
        ("row-altered", table.name)
        for table in (
            records,
            record_states,
            components,
            component_copies,
            personal_fields,
            corrections,
            held_records,
        )
    },
    "records.class_code": {("row-altered", "records"), ("due-date-altered", "")},
    "records.occurred_date": {("row-altered", "records"), ("due-date-altered", "")},
    "records.received_at": {("row-altered", "records"), ("due-date-altered", "")},
    **{
        f"record_states.{name}": {("due-date-altered", "")}
        for name in ("what", "retain_until", "delete_by", "is_hard")
    },
    "components.id": {("row-altered", "components"), ("row-altered", "component_copies")},
    "components.record_id": {("row-altered", "components"), ("row-altered", "component_copies")},
    "components.sha256": {("row-altered", "components"), ("object-unreadable", "")},
    "components.sealed_sha256": {("row-altered", "components"), ("object-altered", "")},
    "component_copies.object_key": {("row-altered", "component_copies"), ("object-missing", "")},
    "component_copies.version_id": {("row-altered", "component_copies"), ("object-missing", "")},
    **{f"record_keys.{name}": _UNREADABLE for name in ("record_id", "group_id", "wrapped")},
    "key_groups.id": {("key-altered", "key_groups"), ("object-unreadable", "")},
    **{f"key_groups.{name}": {("key-altered", "key_groups")} for name in ("class_code", "period", "generation")},
    **{f"key_groups.{name}": _UNREADABLE for name in ("epoch", "wrapped")},
    **{f"key_epochs.{name}": {("key-altered", "key_epochs")} for name in ("number",)},
    **{
        f"ledger_entries.{name}": _LEDGER["entry-altered"]
        for name in ("at", "event", "actor_kind", "actor_id", "subject_type", "subject_id", "context_id", "body")
    },
    "ledger_entries.id": {("ledger", "entry-removed"), ("ledger", "entry-unnumbered")},
    "ledger_entries.mark": {("ledger", "entry-forged")},
    "ledger_leaves.leaf_index": {("ledger", "leaf-removed"), ("ledger", "leaf-inserted")},
    "ledger_leaves.entry_id": {("ledger", "entry-removed"), ("ledger", "entry-unnumbered")},
    "ledger_leaves.leaf_hash": _LEDGER["leaf-altered"],
    **{f"ledger_tiles.{name}": _LEDGER["tile-altered"] for name in ("level", "tile_index", "width", "hashes")},
    **{f"ledger_checkpoints.{name}": _LEDGER["checkpoint-altered"] for name in ("root", "size", "note")},
}
# Not named, and why: docs/operate/threats.md says so, too.
SILENT = {
    "record_states.next_date",  # says when to look again: what it would keep from happening is named on that day
    "record_states.schedule_number",  # says which version decided last: the dates themselves are derived anew
    "key_groups.state",  # whether records still join it
    "key_epochs.custodian",
    "key_epochs.state",  # only whether its secret exists: a word in between changes nothing
    "key_epochs.created_at",
    "key_epochs.destroyed_at",
    "ledger_entries.xact",  # looked at once, when the transaction was committed
    "ledger_checkpoints.at",  # our own word on the time: a time stamp is somebody else's
}
_OTHER_VALUE = {
    "uuid": "gen_random_uuid()",
    "text": "COALESCE({c}, '') || 'x'",
    "integer": "COALESCE({c}, 0) + 1",
    "bigint": "COALESCE({c}, 0) + 1000",
    "smallint": "COALESCE({c}, 0) + 1",
    "bytea": "overlay(COALESCE({c}, '\\x00'::bytea) PLACING '\\x5a'::bytea FROM 1 FOR 1)",
    "date": "COALESCE({c}, current_date) - 400",
    "timestamp with time zone": "COALESCE({c}, now()) - interval '400 days'",
    "jsonb": '\'{{"x": "y"}}\'::jsonb',
    "boolean": "NOT COALESCE({c}, false)",
    "xid8": "'5'::xid8",
    "date[]": "'{{2020-01-01}}'::date[]",
}


@pytest.mark.timeout(600)
def test_every_column_of_what_is_catalogued_one_by_one(kept: Archive, attacker: Engine) -> None:
    correct_and_hold(kept)
    wrong = {}
    for table, column in COLUMNS:
        place = f"{table.name}.{column.name}"
        with undone(attacker, table):
            with lawless(attacker) as connection:
                alter_first(connection, table, column)
            found = named(kept)
        expected = set() if place in SILENT else EXPECTED.get(place, {("row-altered", table.name)})
        if found != expected:
            wrong[place] = found
    assert wrong == {}
    assert named(kept) == set()


def test_a_finding_is_about_nobody_else(kept: Archive, attacker: Engine) -> None:
    first, second = _record_ids(kept)
    with lawless(attacker) as connection:
        connection.execute(text("UPDATE records SET handler = 'x' WHERE id = :id"), {"id": first})
    assert [(f.subject_type, f.subject_id) for f in verify(kept.ctx).findings] == [("record", str(first))]
    assert str(second) not in str(verify(kept.ctx).findings)


@pytest.mark.parametrize(
    "table", [personal_fields, components, component_copies, record_states], ids=lambda t: t.name
)
def test_rows_taken_away_are_named(kept: Archive, attacker: Engine, table: Table) -> None:
    with lawless(attacker) as connection:
        owner = "component_id" if table is component_copies else "record_id"
        row = connection.execute(text(f"SELECT {owner} FROM {table.name} ORDER BY 1 LIMIT 1")).scalar_one()
        connection.execute(text(f"DELETE FROM {table.name} WHERE {owner} = :row"), {"row": row})
    found = named(kept)
    assert ("row-altered", table.name) in found
    assert {code for code, _ in found} == {"row-altered"}


@pytest.mark.parametrize("table", [corrections, *RETENTION_TABLES, *HOLDS_TABLES], ids=lambda t: t.name)
def test_rows_that_no_act_put_there_are_named(kept: Archive, attacker: Engine, table: Table) -> None:
    first, _ = _record_ids(kept)
    values = {column.name: _made_up(column) for column in table.columns} | {"record_id": str(first)}
    with lawless(attacker) as connection:
        connection.execute(
            text(f"INSERT INTO {table.name} SELECT * FROM json_populate_record(NULL::{table.name}, :row)"),
            {"row": json.dumps(values)},
        )
    # A made-up event also changes what the law says, and that is named beside it.
    assert ("row-altered", table.name) in named(kept)


def test_a_component_moved_to_another_record_is_named_at_both(kept: Archive, attacker: Engine) -> None:
    first, second = _record_ids(kept)
    with lawless(attacker) as connection:
        connection.execute(text("UPDATE components SET ordinal = 1, record_id = :b WHERE record_id = :a"),
                           {"a": first, "b": second})  # fmt: skip
    findings = verify(kept.ctx).findings
    rows = {(f.subject_id, f.facts["table"]) for f in findings if f.code.value == "row-altered"}
    assert rows == {(str(r), t) for r in (first, second) for t in ("components", "component_copies")}
    assert "object-unreadable" in {f.code.value for f in findings}, "its seal is bound to the record it belongs to"


@pytest.mark.invariant("L2")
def test_a_row_replaced_together_with_its_digest_needs_the_custodian(kept: Archive, attacker: Engine) -> None:
    """The salt lies in the database, so the digest can be made; the mark of the entry cannot."""
    first, _ = _record_ids(kept)
    forged = _forge(kept, attacker, first, mark=bytes(32))
    assert named(kept) == {("row-altered", "records"), ("ledger", "entry-forged")}
    kept.sequence()
    assert named(kept) == {("row-altered", "records"), ("ledger", "entry-forged")}
    with attacker.connect() as connection:
        numbered = text("SELECT count(*) FROM ledger_leaves WHERE entry_id = :id")
        assert connection.execute(numbered, {"id": forged}).scalar_one() == 0, "nobody signs what we did not write"


@pytest.mark.invariant("L2")
def test_the_mark_of_another_entry_fits_no_other(kept: Archive, attacker: Engine) -> None:
    first, _ = _record_ids(kept)
    with attacker.connect() as connection:
        mark = bytes(connection.execute(text("SELECT mark FROM ledger_entries LIMIT 1")).scalar_one())
    _forge(kept, attacker, first, mark=mark)
    assert ("ledger", "entry-forged") in named(kept)


@pytest.mark.invariant("L2")
def test_an_old_entry_played_again_is_named(kept: Archive, attacker: Engine) -> None:
    """The same bytes with a row of their own, so that an older state would be witnessed last."""
    with lawless(attacker) as connection:
        connection.execute(
            text("""
            INSERT INTO ledger_entries (id, at, event, actor_kind, actor_id, subject_type, subject_id, context_id,
                body, mark)
            SELECT gen_random_uuid(), at, event, actor_kind, actor_id, subject_type, subject_id, context_id, body, mark
            FROM ledger_entries WHERE event = 'catalogue:record:register' LIMIT 1""")
        )
    assert named(kept) == {("ledger", "entry-unnumbered")}


@pytest.mark.invariant("L2")
def test_a_database_set_back_to_an_earlier_day_is_found_out_by_the_store(kept: Archive, attacker: Engine) -> None:
    tables = [table for table in metadata.sorted_tables if table.name != "store_probes"]
    with undone(attacker, *tables):
        kept.send(jpeg(7))
        kept.sequence()
        size = publish(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key())
        assert size is not None
    findings = verify(kept.ctx).findings
    assert [(f.facts["code"], f.subject_id) for f in findings] == [("rolled-back", str(size))]

    # Going on from there makes another history; the store keeps the first.
    for seed in (8, 9):
        kept.send(jpeg(seed))
    kept.sequence()
    publish(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key())
    assert named(kept) == {("ledger", "forked")}


@pytest.mark.invariant("L2")
def test_the_tail_cut_off_is_named(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        last = (
            "SELECT entry_id FROM ledger_leaves WHERE leaf_index >= (SELECT max(leaf_index) - 1 FROM ledger_leaves)"
        )
        connection.execute(text(f"DELETE FROM ledger_entries WHERE id IN ({last})"))
        connection.execute(text(f"DELETE FROM ledger_leaves WHERE entry_id IN ({last})"))
    assert ("ledger", "rolled-back") in named(kept)


@pytest.mark.invariant("L2")
def test_the_newest_checkpoint_taken_away_is_named(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        newest = "SELECT max(size) FROM ledger_checkpoints"
        connection.execute(text(f"DELETE FROM ledger_checkpoints WHERE size = ({newest})"))
    assert {("ledger", "leaf-inserted"), ("ledger", "rolled-back")} <= named(kept)


@pytest.mark.invariant("L2")
def test_nothing_is_signed_that_does_not_continue_what_was_signed(kept: Archive, attacker: Engine) -> None:
    with undone(attacker, ledger_tiles):
        with lawless(attacker) as connection:
            alter_first(connection, ledger_tiles, ledger_tiles.c.hashes)
        kept.send(jpeg(5))
        with pytest.raises(LedgerDamaged):
            kept.sequence()
    kept.sequence()
    assert named(kept) == set()


@pytest.mark.parametrize(
    ("prefix", "change", "code"),
    [
        ("ledger/tile/0/", lambda data: data[:-1] + bytes([data[-1] ^ 1]), "published-entry-altered"),
        ("ledger/tile/entries/", lambda data: data[:-1] + bytes([data[-1] ^ 1]), "published-entry-altered"),
        ("ledger/tile/entries/", None, "published-bundle-missing"),
        ("ledger/checkpoints/", None, "published-signature-wrong"),
    ],
)
def test_what_was_published_is_watched_too(
    kept: Archive, tmp_path: Path, prefix: str, change: Callable[[bytes], bytes] | None, code: str
) -> None:
    info = list(kept.ctx.store.list_versions(prefix))[-1]
    path = next((tmp_path / "store" / "objects").rglob(hashlib.sha256(info.key.encode()).hexdigest()))
    path.chmod(0o600)
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    assert ("ledger", code) in named(kept)


def test_locks_of_what_was_published_are_renewed_before_they_end(kept: Archive) -> None:
    assert renew_locks(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key()) == 0
    kept.clock.advance(timedelta(days=24))
    short = {f.facts["code"] for f in verify(kept.ctx).findings}
    assert short == {"published-lock-short"}
    # One partial tile, one partial bundle and the checkpoint; what an earlier checkpoint needed is left to run out.
    assert renew_locks(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key()) == 3
    assert renew_locks(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key()) == 0
    assert named(kept) == set()
    kept.sequence()
    assert named(kept) == set()
    with kept.ctx.database.read() as connection:
        event = text("SELECT body FROM ledger_entries WHERE event = 'ledger:locks:renew'")
        assert json.loads(bytes(connection.execute(event).scalar_one()))["details"] == {"objects": 3}


def _forge(archive: Archive, engine: Engine, record_id: UUID, *, mark: bytes) -> UUID:
    """Alters a record's row and adds an entry that witnesses just that, as the service would have written it."""
    with lawless(engine) as connection:
        connection.execute(text("UPDATE records SET customer_name = '李四' WHERE id = :id"), {"id": record_id})
        row = dict(connection.execute(records.select().where(records.c.id == record_id)).mappings().one())
        entry = Entry(
            new_id(),
            archive.clock.now(),
            "catalogue:record:describe",
            Actor("person", new_id()),
            "record",
            record_id,
            details={"revision": 99, "digests": {"records": rows_digest("records", bytes(row["salt"]), [row])}},
        )
        connection.execute(
            ledger_entries.insert(),
            {
                "id": entry.id,
                "at": entry.at,
                "event": entry.event,
                "actor_kind": entry.actor.kind,
                "actor_id": entry.actor.id,
                "subject_type": "record",
                "subject_id": record_id,
                "body": entry.to_bytes(),
                "mark": mark,
            },
        )
        connection.execute(text("INSERT INTO ledger_pending VALUES (:id)"), {"id": entry.id})
    return entry.id


def alter_first(connection: Connection, table: Table, column: Column[object]) -> None:
    """Another value of the same type in the first row."""
    kind = connection.execute(
        text(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attname = :c"
        ),
        {"t": table.name, "c": column.name},
    ).scalar_one()
    value = _OTHER_VALUE[kind].format(c=column.name)
    key = ", ".join(part.name for part in table.primary_key.columns)
    first = f"(SELECT ctid FROM {table.name} ORDER BY {key} LIMIT 1)"
    connection.execute(text(f"UPDATE {table.name} SET {column.name} = {value} WHERE ctid = {first}"))


def _made_up(column: Column[object]) -> object:
    """Something of the column's type, as JSON; nothing where nothing is allowed."""
    if column.nullable:
        return None
    made = {UUID: str(new_id()), str: "GENERAL", int: 1, bool: False, bytes: "\\x00", date: "2026-01-01"}
    return made.get(column.type.python_type, "2026-01-01T00:00:00Z")


def _record_ids(archive: Archive) -> list[UUID]:
    with archive.ctx.database.read() as connection:
        return list(connection.execute(text("SELECT id FROM records ORDER BY id")).scalars())
