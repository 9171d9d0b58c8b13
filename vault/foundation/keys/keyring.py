"""The keyring: group keys wrapped by the custodian, record keys wrapped by their group key.

Unwrapped group keys are held in the memory of the process, so that a record's key costs one AES key unwrap and
the custodian is asked once for a group. Blind index keys are derived from group keys and die with them.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import Connection, LargeBinary, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import derived_id, new_id
from vault.foundation.keys.custodian import Custodian
from vault.foundation.keys.errors import GroupKeyMissing, NoRecordKey, RecordKeyDamaged
from vault.foundation.keys.record_key import KEY_BYTES, RecordKey, derive
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys

__all__ = ["Keyring", "RecordKey"]

EVENT_EPOCH_CREATED = "keys:epoch:create"
EVENT_GROUP_CREATED = "keys:group:create"
GROUPS_HELD_MAX = 4096
BLIND_TOKEN_BYTES = 16
# Held to the end of the transaction by whoever makes an epoch: two at once would each make a secret.
_EPOCH_LOCK = 0x736C6970_65706F63
_EPOCH_NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: OID names


@dataclass(frozen=True)
class _GroupKey:
    """An unwrapped group key, and the blind index key derived from it."""

    secret: bytes = field(repr=False)
    blind: bytes = field(repr=False)


class Keyring:
    """Record keys for one installation. Safe for many threads."""

    def __init__(self, custodian: Custodian, groups_held_max: int = GROUPS_HELD_MAX) -> None:
        self._custodian = custodian
        self._groups_held_max = groups_held_max
        self._groups: OrderedDict[UUID, _GroupKey] = OrderedDict()
        self._active: dict[tuple[str, str], UUID] = {}
        self._guard = threading.Lock()

    def new_record_key(self, tx: Transaction, record_id: UUID, class_code: str, period: str) -> RecordKey:
        """Makes the key of a new record in the group of its class and closing period; one INSERT when the group is known.

        The caller witnesses the record itself. Leaves `keys:group:create` or `keys:epoch:create` when those are new.
        """
        group_id = self._active_group(tx, class_code, period)
        secret = os.urandom(KEY_BYTES)
        record_key = self._insert(tx.connection, record_id, group_id, secret)
        if record_key is None:
            # The remembered group was retired by a shredding in another process: what survives gets the next one.
            self._forget_place(class_code, period)
            group_id = self._active_group(tx, class_code, period)
            record_key = self._insert(tx.connection, record_id, group_id, secret)
        if record_key is None:
            raise NoRecordKey(record_id=record_id)
        return record_key

    def record_key(self, connection: Connection, record_id: UUID) -> RecordKey:
        """The key of a record.

        Raises:
            NoRecordKey: there is none: shredded, or never there.
            EpochGone, UnwrapFailed: the custodian cannot open its group key.
            GroupKeyMissing: the row of its group is gone.
            RecordKeyDamaged: the group key does not open the record's key.
        """
        row = connection.execute(
            select(record_keys.c.group_id, record_keys.c.wrapped).where(record_keys.c.record_id == record_id)
        ).one_or_none()
        if row is None:
            raise NoRecordKey(record_id=record_id)
        wrapped = bytes(row.wrapped)
        group = self._group(connection, row.group_id)
        try:
            secret = aes_key_unwrap(group.secret, wrapped)
        except InvalidUnwrap:
            raise RecordKeyDamaged(record_id=record_id) from None
        return RecordKey(record_id, row.group_id, wrapped, secret, group.blind)

    def blind_token(self, record_key: RecordKey, kind: str, value: str) -> bytes:
        """The token by which `value` (normalised) is found among the records of this record's group."""
        return _token(record_key.blind_secret, kind, value)

    def blind_tokens(self, connection: Connection, kind: str, value: str) -> list[bytes]:
        """One token for each group that can still be opened: the value may be in any of them."""
        ids = connection.execute(
            select(key_groups.c.id)
            .join(key_epochs, key_epochs.c.number == key_groups.c.epoch)
            .where(key_epochs.c.state != "destroyed")
            .order_by(key_groups.c.id)
        ).scalars()
        return [_token(self._group(connection, group_id).blind, kind, value) for group_id in ids.all()]

    def forget(self) -> None:
        """Drops the group keys held in memory."""
        with self._guard:
            self._groups.clear()
            self._active.clear()

    def ensure_epoch(self, tx: Transaction) -> int:
        """The active epoch, made when there is none. Leaves `keys:epoch:create` when new."""
        query = select(key_epochs.c.number).where(key_epochs.c.state == "active")
        number = tx.connection.execute(query).scalar_one_or_none()
        if number is None:
            tx.connection.execute(select(func.pg_advisory_xact_lock(_EPOCH_LOCK)))
            number = tx.connection.execute(query).scalar_one_or_none()
        if number is not None:
            return int(number)
        number = self._custodian.create_epoch()
        tx.connection.execute(
            key_epochs.insert(),
            {
                "number": number,
                "custodian": self._custodian.name,
                "state": "active",
                "created_at": tx.clock.now(),
            },
        )
        tx.witness(EVENT_EPOCH_CREATED, "epoch", derived_id(_EPOCH_NAMESPACE, str(number)), number=number)
        return number

    def _active_group(self, tx: Transaction, class_code: str, period: str) -> UUID:
        place = (class_code, period)
        with self._guard:
            known = self._active.get(place)
        if known is not None:
            return known
        query = select(key_groups.c.id).where(
            key_groups.c.class_code == class_code, key_groups.c.period == period, key_groups.c.state == "active"
        )
        group_id: UUID | None = tx.connection.execute(query).scalar_one_or_none()
        if group_id is None:
            return self._make_group(tx, class_code, period)
        # Only a committed group is remembered: one made in this transaction may still be rolled back.
        with self._guard:
            self._active[place] = group_id
        return group_id

    def _forget_place(self, class_code: str, period: str) -> None:
        with self._guard:
            self._active.pop((class_code, period), None)

    def _insert(self, connection: Connection, record_id: UUID, group_id: UUID, secret: bytes) -> RecordKey | None:
        """Nothing if the group is no longer active, waiting for a shredding under way to say so."""
        group = self._group(connection, group_id)
        wrapped = aes_key_wrap(group.secret, secret)
        source = (
            select(literal(record_id, Uuid), key_groups.c.id, literal(wrapped, LargeBinary))
            .where(key_groups.c.id == group_id, key_groups.c.state == "active")
            .with_for_update(key_share=True, read=True)
        )
        columns = [record_keys.c.record_id, record_keys.c.group_id, record_keys.c.wrapped]
        # RETURNING, because the driver does not count the rows of INSERT ... SELECT.
        made = connection.execute(
            record_keys.insert().from_select(columns, source).returning(record_keys.c.record_id)
        ).one_or_none()
        return RecordKey(record_id, group_id, wrapped, secret, group.blind) if made is not None else None

    def _make_group(self, tx: Transaction, class_code: str, period: str) -> UUID:
        epoch = self.ensure_epoch(tx)
        group_id, secret = new_id(), os.urandom(KEY_BYTES)
        made = tx.connection.execute(
            insert(key_groups)
            .values(
                id=group_id,
                class_code=class_code,
                period=period,
                generation=1,
                state="active",
                epoch=epoch,
                wrapped=self._custodian.wrap(epoch, secret, _group_context(group_id)),
            )
            .on_conflict_do_nothing()
            .returning(key_groups.c.id)
        ).scalar_one_or_none()
        if made is None:  # another transaction made it and has committed by now
            other: UUID = tx.connection.execute(
                select(key_groups.c.id).where(
                    key_groups.c.class_code == class_code,
                    key_groups.c.period == period,
                    key_groups.c.state == "active",
                )
            ).scalar_one()
            return other
        tx.witness(
            EVENT_GROUP_CREATED, "group", group_id, class_code=class_code, period=period, generation=1, epoch=epoch
        )
        return group_id

    def _group(self, connection: Connection, group_id: UUID) -> _GroupKey:
        with self._guard:
            known = self._groups.get(group_id)
            if known is not None:
                self._groups.move_to_end(group_id)
                return known
        row = connection.execute(
            select(key_groups.c.epoch, key_groups.c.wrapped).where(key_groups.c.id == group_id)
        ).one_or_none()
        if row is None:
            raise GroupKeyMissing(group_id=group_id)
        secret = self._custodian.unwrap(row.epoch, bytes(row.wrapped), _group_context(group_id))
        group = _GroupKey(secret, derive(secret, b"", b"slipvault/1/blind", KEY_BYTES))
        with self._guard:
            self._groups[group_id] = group
            while len(self._groups) > self._groups_held_max:
                self._groups.popitem(last=False)
        return group


def _group_context(group_id: UUID) -> bytes:
    return b"slipvault/1/group" + group_id.bytes


def _token(blind_secret: bytes, kind: str, value: str) -> bytes:
    return hmac.digest(blind_secret, kind.encode() + b"\0" + value.encode(), "sha256")[:BLIND_TOKEN_BYTES]
