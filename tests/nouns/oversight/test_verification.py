"""Verification names exactly what differs, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.archive import Archive, jpeg, make_archive, trust
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.intake.jobs import render_waiting
from vault.oversight.verification import verify


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """Three records with their renditions in a write-once directory, the ledger sequenced."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    for seed in range(3):
        archive.send(jpeg(seed), customer_name="张三")
    assert len(list(render_waiting(archive.ctx))) == 3
    archive.sequence()
    return archive


def test_an_untouched_archive_is_clean(kept: Archive) -> None:
    verdict = verify(kept.ctx)
    assert verdict.is_clean
    assert (verdict.records, verdict.components) == (3, 12)
    assert not verdict.notes


def test_a_flipped_byte_is_named(kept: Archive, tmp_path: Path) -> None:
    component, key = _an_original(kept)
    _rewrite(_object_file(tmp_path, key), lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    assert _named(kept) == [("object-altered", component)]


def test_two_objects_swapped_are_both_named(kept: Archive, tmp_path: Path) -> None:
    (one, one_key), (two, two_key) = _originals(kept)[:2]
    one_file, two_file = _object_file(tmp_path, one_key), _object_file(tmp_path, two_key)
    aside = one_file.with_name("aside")
    one_file.rename(aside)
    two_file.rename(one_file)
    aside.rename(two_file)
    findings = {(f.code.value, f.subject_id, f.facts.get("found")) for f in verify(kept.ctx).findings}
    assert findings == {("object-swapped", one, two), ("object-swapped", two, one)}


def test_a_removed_object_is_named(kept: Archive, tmp_path: Path) -> None:
    component, key = _an_original(kept)
    _object_file(tmp_path, key).unlink()
    assert _named(kept) == [("object-missing", component)]


def test_a_lock_shortened_behind_our_back_is_named(kept: Archive, tmp_path: Path) -> None:
    component, key = _an_original(kept)

    def shorten(data: bytes) -> bytes:
        head, _, body = data.split(b"\n", 2)
        told = json.loads(head)
        told["lock"]["until"] = kept.clock.now().replace(microsecond=0).isoformat()
        line = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
        return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n" + body

    _rewrite(_object_file(tmp_path, key), shorten)
    assert _named(kept) == [("lock-shortened", component)]


@pytest.mark.clause("V7")
@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE records SET customer_name = '李四' WHERE id = :id", "records"),
        ("UPDATE record_states SET status = 'filed' WHERE record_id = :id", "record_states"),
        ("UPDATE components SET sha256 = sha256(''::bytea) WHERE record_id = :id AND kind = 'page'", "components"),
        ("DELETE FROM personal_fields", None),
        (
            "UPDATE component_copies SET lock_until = now() FROM components"  # noqa: ISC004 - one statement
            " WHERE id = component_id AND record_id = :id AND kind = 'page'",
            "component_copies",
        ),
    ],
)
def test_a_catalogue_row_altered_by_sql_is_named(
    kept: Archive, database_url: str, statement: str, table: str | None
) -> None:
    record_id = _record_ids(kept)[1]
    _as_owner(database_url, statement, id=record_id)
    findings = [f for f in verify(kept.ctx).findings if f.code.value == "row-altered"]
    expected = [] if table is None else [("record", str(record_id), table)]
    assert [(f.subject_type, f.subject_id, f.facts["table"]) for f in findings] == expected


@pytest.mark.clause("V7")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("retain_until = '2027-01-01'", "retain_until"),
        ("retain_until = '2020-01-01', what = 'destroy'", "retain_until what"),
        ("delete_by = '2027-01-01'", "delete_by"),
    ],
)
def test_a_due_date_altered_by_sql_is_named(kept: Archive, database_url: str, change: str, field: str) -> None:
    record_id = _record_ids(kept)[1]
    _as_owner(database_url, f"UPDATE record_states SET {change} WHERE record_id = :id", id=record_id)
    findings = verify(kept.ctx).findings
    assert {(f.code.value, f.subject_id) for f in findings} == {("due-date-altered", str(record_id))}
    assert " ".join(f.facts["field"] for f in findings) == field


def test_a_record_removed_by_sql_is_named(kept: Archive, database_url: str) -> None:
    record_id = _record_ids(kept)[0]
    _as_owner(
        database_url,
        "DELETE FROM component_copies WHERE component_id IN (SELECT id FROM components WHERE record_id = :id);"
        "DELETE FROM components WHERE record_id = :id; DELETE FROM record_states WHERE record_id = :id;"
        "DELETE FROM records WHERE id = :id",
        id=record_id,
    )
    assert ("row-removed", str(record_id)) in _named(kept)


@pytest.mark.clause("V7")
@pytest.mark.invariant("L2")
def test_an_altered_ledger_row_is_named(kept: Archive, database_url: str) -> None:
    entry_id = _entry_ids(database_url)[4]
    _as_owner(
        database_url,
        "UPDATE ledger_entries SET body = convert_to(replace(convert_from(body, 'UTF8'), 'system', 'syst3m'), 'UTF8'),"
        " event = 'x:y:z' WHERE id = :id",
        id=entry_id,
    )
    ledger = [f for f in verify(kept.ctx).findings if f.code.value == "ledger"]
    assert [(f.subject_id, f.facts["code"]) for f in ledger] == [(str(entry_id), "entry-altered")]


@pytest.mark.invariant("L2")
def test_a_removed_ledger_row_is_named(kept: Archive, database_url: str) -> None:
    entry_id = _entry_ids(database_url)[4]
    _as_owner(database_url, "DELETE FROM ledger_entries WHERE id = :id", id=entry_id)
    ledger = [f for f in verify(kept.ctx).findings if f.code.value == "ledger"]
    assert [(f.subject_id, f.facts["code"]) for f in ledger] == [(str(entry_id), "entry-removed")]


def test_an_object_that_no_row_names_is_only_noted(kept: Archive) -> None:
    from vault.foundation.storage.interface import NO_LOCK, Content

    data = b"left over by a crash"
    kept.ctx.store.put_new("records/x/y/z", Content.from_bytes(data, hashlib.sha256(data).digest()), NO_LOCK)
    verdict = verify(kept.ctx)
    assert verdict.is_clean
    assert [(note.code.value, note.subject_id) for note in verdict.notes] == [("object-unknown", "records/x/y/z")]


def _named(archive: Archive) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.subject_id) for finding in verify(archive.ctx).findings]


def _originals(archive: Archive) -> list[tuple[str, str]]:
    with archive.ctx.database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT id, object_key FROM components JOIN component_copies ON component_id = id"
                " WHERE kind = 'original' ORDER BY record_id"
            )
        ).all()
    return [(str(row.id), row.object_key) for row in rows]


def _an_original(archive: Archive) -> tuple[str, str]:
    return _originals(archive)[1]


def _record_ids(archive: Archive) -> list[object]:
    with archive.ctx.database.read() as connection:
        return list(connection.execute(text("SELECT id FROM records ORDER BY id")).scalars())


def _entry_ids(database_url: str) -> list[object]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = list(
            connection.execute(
                text("SELECT entry_id FROM ledger_leaves JOIN ledger_entries ON id = entry_id ORDER BY leaf_index")
            ).scalars()
        )
    engine.dispose()
    return found


def _as_owner(database_url: str, statements: str, **values: object) -> None:
    """What somebody with the database in their hands can do: no triggers, no constraints."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in statements.split(";"):
            connection.execute(text(statement), values if ":id" in statement else {})
    engine.dispose()


def _object_file(tmp_path: Path, key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return next((tmp_path / "store").rglob(name))


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    data = change(path.read_bytes())
    path.chmod(0o600)
    path.write_bytes(data)
    path.chmod(0o400)
