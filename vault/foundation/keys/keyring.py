"""The keyring: group keys wrapped by the custodian, record keys wrapped by their group key.

Unwrapped group keys are held in the memory of the process, so that a record's key costs one AES key unwrap and
the custodian is asked once for a group. Blind index keys are derived from group keys and die with them.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections import OrderedDict
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import derived_id, new_id
from vault.foundation.keys.custodian import Custodian
from vault.foundation.keys.errors import NoRecordKey, UnwrapFailed
from vault.foundation.keys.record_key import KEY_BYTES, RecordKey, derive
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys

__all__ = ["Keyring", "RecordKey"]

EVENT_EPOCH_CREATED = "keys:epoch:create"
EVENT_GROUP_CREATED = "keys:group:create"
GROUPS_HELD_MAX = 4096
BLIND_TOKEN_BYTES = 16
_EPOCH_NAMESPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: OID names


class Keyring:
    """Record keys for one installation. Safe for many threads."""

    def __init__(self, custodian: Custodian) -> None:
        self._custodian = custodian
        self._secrets: OrderedDict[UUID, bytes] = OrderedDict()
        self._active: dict[tuple[str, str], UUID] = {}
        self._guard = threading.Lock()

    def new_record_key(self, tx: Transaction, record_id: UUID, class_code: str, period: str) -> RecordKey:
        """Makes the key of a new record in the group of its class and closing period; one INSERT when the group is known.

        The caller witnesses the record itself. Leaves `keys:group:create` or `keys:epoch:create` when those are new.
        """
        group_id = self._active_group(tx, class_code, period)
        secret = os.urandom(KEY_BYTES)
        wrapped = aes_key_wrap(self._group_secret(tx.connection, group_id), secret)
        tx.connection.execute(
            record_keys.insert(), {"record_id": record_id, "group_id": group_id, "wrapped": wrapped}
        )
        return RecordKey(record_id, group_id, wrapped, secret)

    def record_key(self, connection: Connection, record_id: UUID) -> RecordKey:
        """The key of a record.

        Raises:
            NoRecordKey: there is none: shredded, or never there.
            EpochGone, UnwrapFailed: the custodian cannot open its group key.
        """
        row = connection.execute(
            select(record_keys.c.group_id, record_keys.c.wrapped).where(record_keys.c.record_id == record_id)
        ).one_or_none()
        if row is None:
            raise NoRecordKey(record_id=record_id)
        wrapped = bytes(row.wrapped)
        try:
            secret = aes_key_unwrap(self._group_secret(connection, row.group_id), wrapped)
        except InvalidUnwrap:
            raise UnwrapFailed(epoch="-") from None
        return RecordKey(record_id, row.group_id, wrapped, secret)

    def blind_token(self, record_key: RecordKey, kind: str, value: str) -> bytes:
        """The token by which `value` (normalised) is found among the records of this record's group."""
        with self._guard:
            secret = self._secrets.get(record_key.group_id)
        if secret is None:
            raise NoRecordKey(record_id=record_key.record_id)
        return _token(secret, kind, value)

    def blind_tokens(self, connection: Connection, kind: str, value: str) -> list[bytes]:
        """One token for each group that still has a key: the value may be in any of them."""
        ids = connection.execute(select(key_groups.c.id)).scalars().all()
        return [_token(self._group_secret(connection, group_id), kind, value) for group_id in ids]

    def forget(self) -> None:
        """Drops the group keys held in memory."""
        with self._guard:
            self._secrets.clear()
            self._active.clear()

    def ensure_epoch(self, tx: Transaction) -> int:
        """The active epoch, made when there is none. Leaves `keys:epoch:create` when new."""
        number = tx.connection.execute(
            select(key_epochs.c.number).where(key_epochs.c.state == "active")
        ).scalar_one_or_none()
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
        if place in self._active:
            return self._active[place]
        query = select(key_groups.c.id).where(
            key_groups.c.class_code == class_code, key_groups.c.period == period, key_groups.c.state == "active"
        )
        group_id: UUID | None = tx.connection.execute(query).scalar_one_or_none()
        if group_id is None:
            return self._make_group(tx, class_code, period)
        # Only a committed group is remembered: one made in this transaction may still be rolled back.
        self._active[place] = group_id
        return group_id

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
        tx.witness(EVENT_GROUP_CREATED, "group", group_id, class_code=class_code, period=period, epoch=epoch)
        return group_id

    def _group_secret(self, connection: Connection, group_id: UUID) -> bytes:
        with self._guard:
            secret = self._secrets.get(group_id)
            if secret is not None:
                self._secrets.move_to_end(group_id)
                return secret
        row = connection.execute(
            select(key_groups.c.epoch, key_groups.c.wrapped).where(key_groups.c.id == group_id)
        ).one()
        secret = self._custodian.unwrap(row.epoch, bytes(row.wrapped), _group_context(group_id))
        with self._guard:
            self._secrets[group_id] = secret
            while len(self._secrets) > GROUPS_HELD_MAX:
                self._secrets.popitem(last=False)
        return secret


def _group_context(group_id: UUID) -> bytes:
    return b"slipvault/1/group" + group_id.bytes


def _token(group_secret: bytes, kind: str, value: str) -> bytes:
    key = derive(group_secret, b"", b"slipvault/1/blind", KEY_BYTES)
    return hmac.digest(key, kind.encode() + b"\0" + value.encode(), "sha256")[:BLIND_TOKEN_BYTES]
