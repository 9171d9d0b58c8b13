"""Rule packs in and out: read with what would change, taken in with or without a signature, given out signed.

A pack is inert until a version of the schedule that two people approve names it with its digest. What is signed is its
canonical form (`Pack.canonical`), the bytes that an export holds. A wrong signature is refused; a pack without one is
taken in and marked, as the organisation's own are (docs/formats/rule-packs.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select
from sqlalchemy.dialects.postgresql import insert

from retention_rules import shipped
from retention_rules.differences import Change, between_packs
from retention_rules.errors import InvalidData
from retention_rules.packs import Pack, parse_pack
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, NotFoundOrNotYours
from vault.foundation.keys.detached import SIGNATURE_BYTES, is_signed
from vault.retention.book import known_packs
from vault.retention.errors import PackRefused
from vault.retention.model import Event, VersionState
from vault.retention.tables import rule_packs, schedule_versions
from vault.retention.witnessing import law_row, pack_id


@dataclass(frozen=True)
class Signature:
    """A detached signature, and the public key (32 bytes) that made it."""

    signature: bytes
    public_key: bytes


@dataclass(frozen=True)
class KnownPack:
    """A pack that is known here. Those that are shipped are part of the program: nobody entered them."""

    pack: Pack
    is_shipped: bool
    signature: Signature | None = None
    entered_at: datetime | None = None


@dataclass(frozen=True)
class ReadPack:
    """A pack as it was read, and what it changes against the one whose place it takes, where there is one."""

    pack: Pack
    signature: Signature | None
    against: Pack | None
    changes: tuple[Change, ...]
    is_known: bool


def read_pack(connection: Connection, text: str, signature: Signature | None = None) -> ReadPack:
    """What a pack says and what it would change; nothing is entered.

    Raises:
        PackRefused: it is no pack, another has its version, or the signature is not that of the key over it.
    """
    try:
        pack = parse_pack(text)
    except InvalidData as error:
        raise PackRefused(problem=error) from error
    if signature is not None and not _is_right(pack, signature):
        raise PackRefused(problem=N_("the signature is not that of the key over this pack"))
    known = known_packs(connection)
    held = known.get(pack.version)
    if held is not None and held.digest != pack.digest:
        raise _other_pack(pack.version)
    against = predecessor(pack, known.values())
    changes = between_packs(against, pack) if against is not None else ()
    return ReadPack(pack, signature, against, changes, is_known=held is not None)


def enter_pack(ctx: Context, viewer: Viewer, text: str, signature: Signature | None = None) -> Pack:
    """Enters a rule pack; the same one twice is one. Leaves `retention:pack:enter`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        PackRefused: as `read_pack`.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    with ctx.database.transaction(viewer.actor) as tx:
        read = read_pack(tx.connection, text, signature)
        if not read.is_known:
            entered = tx.connection.execute(_ENTER, _row(tx, viewer, read, text)).one_or_none()
            if entered is not None:
                tx.witness(
                    Event.PACK_ENTERED,
                    "pack",
                    pack_id(read.pack.version),
                    version=read.pack.version,
                    digest=read.pack.digest,
                    rules=len(read.pack.rules),
                    signed=signature is not None,
                    row=law_row(tx, rule_packs, read.pack.version),
                )
            elif known_packs(tx.connection)[read.pack.version].digest != read.pack.digest:
                raise _other_pack(read.pack.version)
        tx.commit()
    return read.pack


def export_pack(ctx: Context, viewer: Viewer, version: str) -> tuple[bytes, Signature | None]:
    """A pack as it goes out: its canonical bytes, with the signature it came with, or else this archive's.

    The archive signs only what a version of the schedule that two people approved rests on; else there is none.

    Leaves `retention:pack:export`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:read`.
        NotFoundOrNotYours: there is no such pack.
    """
    viewer.require(Right.RETENTION_SCHEDULE_READ)
    with ctx.database.transaction(viewer.actor) as tx:
        known = get_pack(tx.connection, version)
        body = known.pack.canonical()
        signature = known.signature
        if signature is None and _is_approved(tx.connection, known.pack):
            signature = Signature(ctx.custodian.sign(body), ctx.custodian.public_key())
        tx.witness(Event.PACK_EXPORTED, "pack", pack_id(version), version=version, digest=known.pack.digest)
        tx.commit()
    return body, signature


def _is_approved(connection: Connection, pack: Pack) -> bool:
    named = schedule_versions.c.content["packs"][pack.version].astext == pack.digest
    approved = schedule_versions.c.state == VersionState.APPROVED.value
    return connection.execute(select(exists().where(approved, named))).scalar_one()


def list_packs(connection: Connection) -> tuple[KnownPack, ...]:
    """Every pack that is known here, by version."""
    own = {row.version: row for row in connection.execute(select(rule_packs))}
    return tuple(_known(pack, own.get(version)) for version, pack in sorted(known_packs(connection).items()))


def get_pack(connection: Connection, version: str) -> KnownPack:
    """One pack. Raises NotFoundOrNotYours."""
    found = next((known for known in list_packs(connection) if known.pack.version == version), None)
    if found is None:
        raise NotFoundOrNotYours
    return found


def own_packs(connection: Connection) -> tuple[Pack, ...]:
    """The organisation's own rule packs, by version."""
    return tuple(known.pack for known in list_packs(connection) if not known.is_shipped)


def _known(pack: Pack, row: Any | None) -> KnownPack:
    if row is None or pack.version in shipped.packs():
        return KnownPack(pack, is_shipped=True)
    signature = Signature(bytes(row.signature), bytes(row.public_key)) if row.signature is not None else None
    return KnownPack(pack, is_shipped=False, signature=signature, entered_at=row.entered_at)


def _is_right(pack: Pack, signature: Signature) -> bool:
    has_form = len(signature.signature) == SIGNATURE_BYTES
    return has_form and is_signed(signature.public_key, pack.canonical(), signature.signature)


def predecessor(pack: Pack, known: Iterable[Pack]) -> Pack | None:
    """The pack whose place another takes: the one it names, or else the newest earlier one of its jurisdiction."""
    others = [other for other in known if other.version != pack.version]
    named = next((other for other in others if other.version == pack.supersedes), None)
    if named is not None or pack.supersedes is not None:
        return named
    earlier = [
        other
        for other in others
        if other.jurisdiction == pack.jurisdiction and other.published_date <= pack.published_date
    ]
    shares = [other for other in earlier if {r.code for r in other.rules} & {r.code for r in pack.rules}]
    return max(shares, key=lambda other: (other.published_date, other.version), default=None)


_ENTER = insert(rule_packs).on_conflict_do_nothing().returning(rule_packs.c.version)


def _row(tx: Transaction, viewer: Viewer, read: ReadPack, text: str) -> dict[str, Any]:
    signature = read.signature
    return {
        "version": read.pack.version,
        "digest": bytes.fromhex(read.pack.digest),
        "content": text,
        "signature": signature.signature if signature else None,
        "public_key": signature.public_key if signature else None,
        "entered_by": viewer.id,
        "entered_at": tx.clock.now(),
    }


def _other_pack(version: str) -> PackRefused:
    return PackRefused(problem=InvalidData(f"another pack is called {version}", f"另一个规则包也叫 {version}"))
