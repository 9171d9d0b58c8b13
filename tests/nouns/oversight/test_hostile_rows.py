"""Rows and objects of a form that the service never writes: each is named, and nothing ends or hangs at it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine

from tests.nouns.oversight.test_attacks import COLUMNS, correct_and_hold, lawless, named, undone
from tests.support.archive import Archive, jpeg
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM, leaf_hash, mark_of
from vault.foundation.ledger.publisher import publish, renew_locks
from vault.foundation.ledger.queries import pending_count
from vault.foundation.ledger.sequencer import BATCH_MAX
from vault.foundation.ledger.signed import newest_signed, published_size
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_publications
from vault.foundation.storage.interface import NO_LOCK, Content
from vault.oversight.reconciliation import reconcile
from vault.oversight.record_check import verify_record
from vault.oversight.verification import verify

pytestmark = [pytest.mark.clause("V7"), pytest.mark.invariant("L2"), pytest.mark.slow]
HUGE = 9 * 10**18


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b"[" * 60_000], ids=["bytes", "list", "empty", "deep"])
@pytest.mark.parametrize("is_marked", [False, True], ids=["forged", "marked"])
def test_an_entry_of_another_form_is_named(kept: Archive, attacker: Engine, body: bytes, is_marked: bool) -> None:
    mark = mark_of(kept.ctx.custodian.witness_secret(), body) if is_marked else bytes(32)
    with lawless(attacker) as connection:
        entry = "(SELECT entry_id FROM ledger_leaves WHERE leaf_index = 0)"
        connection.execute(
            text(f"UPDATE ledger_entries SET body = :body, mark = :mark WHERE id = {entry}"),
            {"body": body, "mark": mark},
        )
        connection.execute(
            text("UPDATE ledger_leaves SET leaf_hash = :leaf WHERE leaf_index = 0"), {"leaf": leaf_hash(body)}
        )
    assert ("ledger", "entry-altered" if is_marked else "entry-forged") in named(kept)


def test_a_signature_in_other_letters_is_named_and_hides_none(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("UPDATE ledger_checkpoints SET note = replace(note, E'\\n\\n', E'\\n\\n— x é\\n')"))
    assert ("ledger", "checkpoint-altered") in named(kept)
    with lawless(attacker) as connection:
        connection.execute(text("UPDATE ledger_checkpoints SET note = substr(note, 1, 90) || E'\\n\\n— x é\\n'"))
    assert ("ledger", "signature-wrong") in named(kept)
    found = verify_record(kept.ctx, kept.operator, _a_record(kept)).findings
    assert {f.facts["code"] for f in found} == {"signature-wrong"}


@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC", "9999-12-31 23:00Z"])
def test_instants_and_days_that_python_has_not_are_named(kept: Archive, attacker: Engine, value: str) -> None:
    correct_and_hold(kept)
    silent = {"record_states.next_date", "key_epochs.created_at", "key_epochs.destroyed_at", "ledger_checkpoints.at"}
    for table, column in COLUMNS:
        if column.type.python_type.__name__ not in {"datetime", "date"}:
            continue
        with undone(attacker, table):
            with lawless(attacker) as connection:
                connection.execute(text(f"UPDATE {table.name} SET {column.name} = :value"), {"value": value})
            place = f"{table.name}.{column.name}"
            assert named(kept) or place in silent, place
    assert named(kept) == set()


def test_a_number_that_no_witness_can_have_seen_is_named(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("""UPDATE records SET attributes = '{"x": 1.5, "y": 1e300}'"""))
    assert ("row-altered", "records") in named(kept)


def test_a_forged_publication_neither_hangs_nor_hides_what_waits(kept: Archive, attacker: Engine) -> None:
    store, key = kept.ctx.store.name, kept.ctx.custodian.public_key()
    with lawless(attacker) as connection:
        connection.execute(ledger_publications.insert(), {"size": HUGE, "store": store, "at": kept.clock.now()})
        connection.execute(
            ledger_checkpoints.insert(), {"size": HUGE, "root": bytes(32), "note": "x", "at": kept.clock.now()}
        )
    assert {("ledger", "publication-altered"), ("ledger", "signature-wrong")} <= named(kept)
    assert verify_record(kept.ctx, kept.operator, _a_record(kept)).findings == (), (
        "its proof leads to what was signed"
    )
    assert renew_locks(kept.ctx.database, kept.ctx.store, key) == 0
    with lawless(attacker) as connection:
        connection.execute(text("DELETE FROM ledger_checkpoints WHERE size = :size"), {"size": HUGE})
    kept.send(jpeg(7))
    kept.sequence()
    size = publish(kept.ctx.database, kept.ctx.store, key)
    with kept.ctx.database.read() as connection:
        assert published_size(connection, store, key) == size
    assert named(kept) == {("ledger", "publication-altered")}


def test_the_newest_signed_checkpoint_is_found_below_many_that_are_not(kept: Archive, attacker: Engine) -> None:
    with kept.ctx.database.read() as connection:
        before = newest_signed(connection, kept.ctx.custodian.public_key())
    with lawless(attacker) as connection:
        connection.execute(
            text("""INSERT INTO ledger_checkpoints SELECT 1000000 + n, '\\x00', 'x', now()
                FROM generate_series(1, 500) AS n""")
        )
    with kept.ctx.database.read() as connection:
        assert newest_signed(connection, kept.ctx.custodian.public_key()) == before


def test_forged_entries_before_all_others_starve_nobody(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        ids = "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
        made = f"FROM generate_series(1, {BATCH_MAX + 1}) AS n"
        connection.execute(
            text(f"""INSERT INTO ledger_entries
                (id, at, event, actor_kind, subject_type, subject_id, body, mark)
                SELECT {ids}, now(), 'a:b:c', 'system', 'x', {ids}, '\\x7b7d', '\\x00' {made}""")
        )
        connection.execute(text(f"INSERT INTO ledger_pending SELECT {ids} {made}"))
    kept.send(jpeg(7))
    kept.sequence()
    with kept.ctx.database.read() as connection:
        assert pending_count(connection) == BATCH_MAX + 1
    found = [f.subject_id for f in verify(kept.ctx).findings if f.facts.get("code") == "entry-forged"]
    assert len(found) == BATCH_MAX + 1


@pytest.mark.parametrize("name", ["²", "99999999999999999999", "12", "note", "0000000000000000000١"])
def test_a_published_name_of_another_form_is_named(kept: Archive, name: str) -> None:
    data = str(new_id()).encode()
    content = Content.from_bytes(data, hashlib.sha256(data).digest())
    kept.ctx.store.put_new(f"ledger/checkpoints/{name}", content, NO_LOCK)
    found = verify(kept.ctx).findings
    assert [(f.facts["code"], f.subject_id) for f in found] == [("published-altered", f"ledger/checkpoints/{name}")]


def test_a_published_checkpoint_is_read_and_not_only_asked_for_its_digest(kept: Archive, tmp_path: Path) -> None:
    old = next(iter(kept.ctx.store.list_versions("ledger/checkpoints/"))).key
    kept.send(jpeg(7))
    kept.sequence()
    publish(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key())
    path = next((tmp_path / "store" / "objects").rglob(hashlib.sha256(old.encode()).hexdigest()))
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert [(f.facts["code"], f.subject_id) for f in verify(kept.ctx).findings] == [("published-altered", old)]


def test_a_lock_file_that_is_none_is_named_and_hides_nothing(kept: Archive, tmp_path: Path) -> None:
    """Of a component, of what was published, and of an object that no row names."""
    data = b"left over"
    kept.ctx.store.put_new("records/x/y/z", Content.from_bytes(data, hashlib.sha256(data).digest()), NO_LOCK)
    kept.clock.advance(timedelta(days=2))
    reconcile(kept.ctx, SYSTEM)
    keys = [info.key for info in kept.ctx.store.list_versions("")]
    records, tile = [key for key in keys if key.startswith("records/")], "ledger/tile/0/"
    spoiled = [records[0], "records/x/y/z", next(key for key in keys if key.startswith(tile))]
    for key in spoiled:
        name = hashlib.sha256(key.encode()).hexdigest()
        (tmp_path / "store" / "locks" / name[:2] / name).write_bytes(b"junk")
    assert [info.key for info in kept.ctx.store.list_versions("")] == keys
    found = verify(kept.ctx).findings
    told = {(f.code.value, f.facts.get("object_key") or f.subject_id) for f in found}
    assert told == {("lock-damaged", spoiled[0]), ("ledger", spoiled[2].removeprefix("ledger/"))}
    assert renew_locks(kept.ctx.database, kept.ctx.store, kept.ctx.custodian.public_key()) == 0
    assert reconcile(kept.ctx, SYSTEM).versions == len(records)


def test_a_second_copy_elsewhere_is_counted_and_hides_nothing_of_the_one_here(
    kept: Archive, attacker: Engine, tmp_path: Path
) -> None:
    with lawless(attacker) as connection:
        key = connection.execute(
            text("""INSERT INTO component_copies (component_id, store, object_key, version_id, lock_mode, lock_until)
                SELECT component_id, 'z://elsewhere', 'nowhere', version_id, lock_mode, lock_until
                FROM component_copies ORDER BY object_key LIMIT 1 RETURNING
                (SELECT object_key FROM component_copies AS own ORDER BY object_key LIMIT 1)""")
        ).scalar_one()
    assert named(kept) == {("row-altered", "component_copies")}, "nobody looks for it here"
    path = next((tmp_path / "store" / "objects").rglob(hashlib.sha256(key.encode()).hexdigest()))
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert named(kept) == {("row-altered", "component_copies"), ("object-altered", "")}
    told = [(n.code.value, n.subject_id, n.facts["count"]) for n in verify(kept.ctx).notes]
    assert told == [("copies-elsewhere", "z://elsewhere", "1")]


def _a_record(archive: Archive) -> object:
    with archive.ctx.database.read() as connection:
        return connection.execute(text("SELECT id FROM records ORDER BY id LIMIT 1")).scalar_one()
