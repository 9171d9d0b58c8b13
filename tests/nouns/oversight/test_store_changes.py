"""What somebody with the store's directory does to locks and legal holds: verification names it, of all and of one record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.nouns.oversight.holding import hold, release
from tests.support.archive import Archive
from vault.catalogue.tables import component_copies, components
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.interface import Lock, LockMode
from vault.holds.jobs import tell_waiting
from vault.oversight.drift import DriftKind
from vault.oversight.model import CheckCode
from vault.oversight.reconciliation import reconcile
from vault.oversight.record_check import verify_record
from vault.oversight.verification import verify

pytestmark = [pytest.mark.clause("V7"), pytest.mark.clause("C4.3")]


def _first(archive: Archive) -> tuple[UUID, UUID, str, str]:
    """A record, a component of it, and where its object is."""
    query = select(
        components.c.record_id, components.c.id, component_copies.c.object_key, component_copies.c.version_id
    )
    with archive.ctx.database.read() as connection:
        row = connection.execute(
            query.join(component_copies, component_copies.c.component_id == components.c.id).order_by(components.c.id)
        ).first()
    assert row is not None
    return row.record_id, row.id, row.object_key, row.version_id


def _lock_file(tmp_path: Path, key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return tmp_path / "store" / "locks" / name[:2] / name


def _found(archive: Archive) -> tuple[list[tuple[str, str]], list[str]]:
    verdict = verify(archive.ctx)
    return [(one.code.value, one.subject_id) for one in verdict.findings], [one.code.value for one in verdict.notes]


def _failed(archive: Archive, record_id: UUID) -> tuple[list[str], set[CheckCode]]:
    verdict = verify_record(archive.ctx, archive.operator, record_id)
    return [one.code.value for one in verdict.findings], {one.code for one in verdict.checks if not one.is_ok}


def _held(archive: Archive, record_id: UUID) -> UUID:
    hold_id = hold(archive, record_id)
    assert len(list(tell_waiting(archive.ctx))) == 1
    archive.sequence()
    assert _found(archive) == ([], [])
    return hold_id


def test_a_legal_hold_cleared_in_the_store_is_named(kept: Archive, tmp_path: Path) -> None:
    record_id, component_id, key, _ = _first(kept)
    _held(kept, record_id)
    path = _lock_file(tmp_path, key)
    told = json.loads(path.read_bytes().splitlines()[0])
    assert told["legal_hold"] is True
    line = json.dumps({**told, "legal_hold": False}, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n")
    assert _found(kept) == ([("hold-gone", str(component_id))], [])
    assert _failed(kept, record_id) == (["hold-gone"], {CheckCode.LOCKS})


def test_while_the_store_is_being_told_its_hold_is_not_judged(kept: Archive) -> None:
    record_id, *_ = _first(kept)
    hold_id = hold(kept, record_id)
    kept.sequence()
    assert _found(kept) == ([], []), "the store does not know it yet"
    assert list(tell_waiting(kept.ctx)) == [record_id]
    release(kept, hold_id)
    kept.sequence()
    assert _found(kept) == ([], []), "the store holds it still"


def test_a_hold_placed_since_the_verification_began_is_no_finding(
    kept: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id, *_ = _first(kept)
    head, acts = kept.ctx.store.head, [lambda: list(tell_waiting(kept.ctx)), lambda: hold(kept, record_id)]

    def meanwhile(*args: str) -> object:
        while acts:
            acts.pop()()
        return head(*args)

    monkeypatch.setattr(kept.ctx.store, "head", meanwhile)
    assert _failed(kept, record_id) == ([], set())
    assert not acts
    verdict = verify(kept.ctx)
    assert (verdict.findings, verdict.notes) == ((), ())


def test_a_strange_hold_and_a_longer_lock_are_noted(kept: Archive) -> None:
    record_id, _, key, version = _first(kept)
    kept.ctx.store.set_hold(key, version, on=True)
    assert _found(kept) == ([], ["hold-unknown"])
    kept.ctx.store.set_hold(key, version, on=False)
    lock = kept.ctx.store.head(key, version).lock
    assert lock.until is not None
    kept.ctx.store.set_retention(key, version, Lock(LockMode.COMPLIANCE, lock.until + timedelta(days=30)))
    assert _found(kept) == ([], ["lock-longer"])
    assert _failed(kept, record_id) == ([], set())


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-9], lambda data: data + b"more\n", lambda data: b"x" + data]
)
def test_a_damaged_lock_file_is_not_called_a_damaged_object(
    kept: Archive, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    record_id, component_id, key, version = _first(kept)
    kept.ctx.store.set_hold(key, version, on=False)
    path = _lock_file(tmp_path, key)
    path.write_bytes(damage(path.read_bytes()))
    assert _found(kept) == ([("lock-damaged", str(component_id))], [])
    assert _failed(kept, record_id) == (["lock-damaged"], {CheckCode.LOCKS})


def test_a_damaged_lock_file_is_removed_and_the_comparison_sets_lock_and_hold_again(
    kept: Archive, tmp_path: Path
) -> None:
    record_id, _, key, version = _first(kept)
    _held(kept, record_id)
    path = _lock_file(tmp_path, key)
    path.write_bytes(b"rust")
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == {DriftKind.OBJECT_DAMAGED: 1}
    path.unlink()
    reconcile(kept.ctx, SYSTEM)
    kept.sequence()
    assert kept.ctx.store.head(key, version).legal_hold
    assert _found(kept) == ([], [])
