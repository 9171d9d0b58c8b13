"""One component's object held against its catalogue row.

Locks and holds are judged as reconciliation judges them (`drift`). They change while the archive is at work: what seems to
differ is looked at again between two readings of its row, and counts only when the row stood still.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from vault.foundation.context import Context
from vault.foundation.errors import VaultError
from vault.foundation.keys.keyring import RecordKey
from vault.foundation.keys.sealed_object import identity_of, open_chunks
from vault.foundation.storage.errors import ObjectNotFound, StoreLied
from vault.foundation.storage.interface import LockMode, ObjectInfo, Store
from vault.oversight.drift import DriftKind, Said, Stands, Verdict, judge
from vault.oversight.expectations import said_of
from vault.oversight.model import Finding, FindingCode

_CHUNK_BYTES = 1 << 20
_LOOKS_MAX = 3
_LOCK_FILE = "lock file"  # the object itself can be read all the same
_NAMED = {
    DriftKind.HOLD_GONE: FindingCode.HOLD_GONE,
    DriftKind.HOLD_UNKNOWN: FindingCode.HOLD_UNKNOWN,
    DriftKind.LOCK_LONGER: FindingCode.LOCK_LONGER,
}


@dataclass(frozen=True)
class CheckedComponent:
    """A component and its copy as the catalogue has them, and the key that must open it.

    `said`: what the catalogue says of its lock and hold; none when it says what the service never writes.
    """

    record_key: RecordKey
    component: dict[str, Any]
    copy: dict[str, Any]
    said: Said | None = None


def check_object(ctx: Context, part: CheckedComponent) -> list[Finding]:
    """Presence, lock, hold, bytes and key of one object; an empty list when all is as the row says."""
    store, info, findings = ctx.store, None, []
    component_id, record_id = str(part.component["id"]), str(part.component["record_id"])
    where = {"record_id": record_id, "object_key": part.copy["object_key"]}

    def finding(code: FindingCode, **facts: str) -> Finding:
        return Finding(code, "component", component_id, {**where, **facts})

    try:
        info = store.head(part.copy["object_key"], part.copy["version_id"])
    except ObjectNotFound:
        return [finding(FindingCode.OBJECT_MISSING)]
    except StoreLied as error:
        if error.facts.get("what") != _LOCK_FILE:
            return [finding(FindingCode.OBJECT_ALTERED, what=str(error.facts.get("what")))]
        findings.append(finding(FindingCode.LOCK_DAMAGED))
    except VaultError as error:
        return [finding(FindingCode.STORE_FAILED, problem=error.code)]
    try:
        findings += _check_bytes(store, part, finding)
    except ObjectNotFound:
        findings.append(finding(FindingCode.OBJECT_MISSING))
    except VaultError as error:
        findings.append(finding(FindingCode.STORE_FAILED, problem=error.code))
    if info is None or any(found.code is FindingCode.OBJECT_SWAPPED for found in findings):
        return findings  # the lock of another object says nothing of this one
    return _check_lock(ctx, part, info, finding) + findings


def _check_lock(ctx: Context, part: CheckedComponent, info: ObjectInfo, finding: Any) -> list[Finding]:
    findings = []
    if _is_weaker(info, part.copy):
        said, until = _mode_of(part.copy), part.copy["lock_until"]
        lock = {"found": _lock_words(info.lock.mode, info.lock.until), "expected": _lock_words(said, until)}
        findings.append(finding(FindingCode.LOCK_SHORTENED, **lock))
    if part.said is None or not _differing(ctx, part.said, info):
        return findings
    return findings + [
        finding(_NAMED[one.kind], found=one.found, expected=one.expected) for one in _look_again(ctx, part.said)
    ]


def _differing(ctx: Context, said: Said, info: ObjectInfo) -> list[Verdict]:
    """What reconciliation would say of it, apart from locks that are too weak: those are named exactly, to the second."""
    verdicts = judge(said, Stands(info.lock, info.legal_hold), ctx.clock.now())
    return [one for one in verdicts if one.kind in _NAMED]


def _look_again(ctx: Context, said: Said) -> list[Verdict]:
    """What differs for certain: looked at while the row stayed as it was; nothing when it never stood still."""
    before = _said_now(ctx, said)
    for _ in range(_LOOKS_MAX):
        if before is None:
            return []
        try:
            info = ctx.store.head(before.object_key, before.version_id)
        except VaultError:
            return []  # whatever became of it since: reading its bytes says so
        now = _said_now(ctx, said)
        if now == before:
            return _differing(ctx, before, info)
        before = now
    return []


def _said_now(ctx: Context, said: Said) -> Said | None:
    with ctx.database.read() as connection:
        return said_of(connection, ctx.store.name, [said.component_id]).get(said.component_id)


def _check_bytes(store: Store, part: CheckedComponent, finding: Any) -> list[Finding]:
    """Opens the object segment by segment, hashing both sides on the way: no size needs more memory."""
    sealed, plain = hashlib.sha256(), hashlib.sha256()
    head = b""

    def hashed(stream: Any) -> Any:
        nonlocal head
        while chunk := stream.read(_CHUNK_BYTES):
            head = head or chunk[:4096]
            sealed.update(chunk)
            yield chunk

    problem: str | None = None
    with store.open(part.copy["object_key"], part.copy["version_id"]) as stream:
        chunks = hashed(stream)
        try:
            for piece in open_chunks(part.record_key, part.component["id"], chunks):
                plain.update(piece)
        except VaultError as error:
            problem = error.code
        for _ in chunks:  # the rest is still hashed, so that "altered" is told from "unreadable"
            pass
    if sealed.digest() != bytes(part.component["sealed_sha256"]):
        found = identity_of(head)
        if found is not None and found.component_id != part.component["id"]:
            return [finding(FindingCode.OBJECT_SWAPPED, found=str(found.component_id))]
        return [finding(FindingCode.OBJECT_ALTERED)]
    if problem is not None:
        return [finding(FindingCode.OBJECT_UNREADABLE, problem=problem)]
    if plain.digest() != bytes(part.component["sha256"]):
        return [finding(FindingCode.OBJECT_UNREADABLE, problem="plain-digest-differs")]
    return []


def _is_weaker(info: ObjectInfo, copy: dict[str, Any]) -> bool:
    """Whether the store's lock is weaker or ends before what the catalogue says (to the second)."""
    if info.lock.mode.strength < _mode_of(copy).strength:
        return True
    expected = copy["lock_until"].replace(microsecond=0)
    return info.lock.until is None or info.lock.until < expected


def _mode_of(copy: dict[str, Any]) -> LockMode:
    """What the row says; of a word that is no mode it is named already that the row was altered."""
    said = copy["lock_mode"]
    return LockMode(said) if said in set(LockMode) else LockMode.NONE


def _lock_words(mode: LockMode, until: Any) -> str:
    return f"{mode.value} {until:%Y-%m-%dT%H:%M:%SZ}" if until else mode.value
