"""The keyring on a real PostgreSQL: creation under races, the hot path, rollbacks, destroyed epochs, blind tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, update

from vault.foundation.db.engine import Database
from vault.foundation.db.errors import UnwitnessedChange
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.foundation.keys.custodian import Custodian, open_custodian
from vault.foundation.keys.errors import Damaged, EpochGone, NoRecordKey, RecordKeyDamaged, UnwrapFailed
from vault.foundation.keys.keyring import Keyring, RecordKey
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries


@pytest.fixture
def custodian(tmp_path: Path) -> Custodian:
    return open_custodian(f"file://{tmp_path}/custodian")


@contextmanager
def witnessed(database: Database) -> Iterator[Transaction]:
    """A transaction with an entry for what the test itself does."""
    with database.transaction(SYSTEM) as tx:
        tx.witness("tests:record:make", "record", new_id())
        yield tx
        tx.commit()


def made(database: Database, keyring: Keyring, class_code: str = "C1", period: str = "2026") -> RecordKey:
    with witnessed(database) as tx:
        return keyring.new_record_key(tx, new_id(), class_code, period)


def opened(database: Database, keyring: Keyring, record_id: UUID) -> RecordKey:
    with database.read() as connection:
        return keyring.record_key(connection, record_id)


def tokens(database: Database, keyring: Keyring, value: str = "110101199003077571") -> list[bytes]:
    with database.read() as connection:
        return keyring.blind_tokens(connection, "id_number", value)


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_the_first_key_makes_epoch_and_group_and_says_so(database: Database, custodian: Custodian) -> None:
    key = made(database, Keyring(custodian))
    with database.read() as connection:
        events = connection.execute(select(ledger_entries.c.event).order_by(ledger_entries.c.id)).scalars().all()
        group = connection.execute(select(key_groups)).one()
        epoch = connection.execute(select(key_epochs)).one()
    assert events == ["tests:record:make", "keys:epoch:create", "keys:group:create"]
    assert (group.id, group.class_code, group.period, group.state, group.epoch) == (
        key.group_id,
        "C1",
        "2026",
        "active",
        1,
    )
    assert (epoch.number, epoch.state, epoch.custodian) == (1, "active", custodian.name)
    assert custodian.epochs() == (1,)
    assert key.secret not in bytes(group.wrapped) + key.wrapped


def test_a_key_comes_back_after_a_restart(database: Database, custodian: Custodian) -> None:
    key = made(database, Keyring(custodian))
    again = opened(database, Keyring(custodian), key.record_id)
    assert again == key
    assert again.open_field("phone", key.seal_field("phone", b"13800138000")) == b"13800138000"
    with pytest.raises(NoRecordKey):
        opened(database, Keyring(custodian), new_id())


def test_the_hot_path_is_one_insert(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    made(database, keyring)
    made(database, keyring)  # the first one's group is remembered only once it is seen committed
    with witnessed(database) as tx:
        said: list[str] = []
        event.listen(
            tx.connection, "before_cursor_execute", lambda _c, _cursor, statement, *_rest: said.append(statement)
        )
        keyring.new_record_key(tx, new_id(), "C1", "2026")
    assert [statement.split()[0] for statement in said] == ["INSERT"]


def test_a_key_is_not_committed_unwitnessed(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    made(database, keyring)
    with database.transaction(SYSTEM) as tx:
        keyring.new_record_key(tx, new_id(), "C1", "2026")
        with pytest.raises(UnwitnessedChange):
            tx.commit()
    assert count(database, record_keys) == 1


@pytest.mark.parametrize("shared", [True, False], ids=["one-process", "many-processes"])
def test_writers_that_begin_together_share_epoch_and_group(
    database: Database, custodian: Custodian, shared: bool
) -> None:
    one = Keyring(custodian)
    start = threading.Barrier(8)

    def work(number: int) -> RecordKey:
        keyring = one if shared else Keyring(custodian)
        start.wait()
        return made(database, keyring, f"C{number % 2}")

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(work, range(8)))
    assert count(database, key_epochs) == 1
    assert custodian.epochs() == (1,)
    assert count(database, key_groups) == len({key.group_id for key in keys}) == 2
    fresh = Keyring(custodian)
    assert [opened(database, fresh, key.record_id) for key in keys] == keys


def test_a_group_that_was_rolled_back_is_not_remembered(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    with database.transaction(SYSTEM) as tx:
        lost = keyring.new_record_key(tx, new_id(), "C1", "2026")
    assert (count(database, key_groups), count(database, key_epochs), count(database, ledger_entries)) == (0, 0, 0)
    key = made(database, keyring)
    assert key.group_id != lost.group_id
    assert opened(database, Keyring(custodian), key.record_id) == key


def test_keys_altered_or_exchanged_in_the_database_do_not_open(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    one, other = made(database, keyring, "C1"), made(database, keyring, "C2")
    with witnessed(database) as tx:
        rows = tx.connection.execute(
            update(record_keys).where(record_keys.c.record_id == one.record_id).values(wrapped=other.wrapped)
        )
        assert rows.rowcount == 1
    with pytest.raises(RecordKeyDamaged):
        opened(database, Keyring(custodian), one.record_id)
    with witnessed(database) as tx:
        stolen = select(key_groups.c.wrapped).where(key_groups.c.id == one.group_id).scalar_subquery()
        tx.connection.execute(update(key_groups).where(key_groups.c.id == other.group_id).values(wrapped=stolen))
    with pytest.raises(UnwrapFailed):
        opened(database, Keyring(custodian), other.record_id)


@pytest.mark.invariant("K1")
def test_with_the_epoch_destroyed_the_database_opens_nothing(database: Database, custodian: Custodian) -> None:
    key = made(database, Keyring(custodian))
    custodian.destroy_epoch(1)
    with pytest.raises(EpochGone):
        opened(database, Keyring(custodian), key.record_id)


def test_blind_tokens_find_a_value_in_any_group_and_nothing_else(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    keys = [made(database, keyring, class_code) for class_code in ("C1", "C2", "C1")]
    stored = [keyring.blind_token(key, "id_number", "110101199003077571") for key in keys]
    asked = tokens(database, Keyring(custodian))
    assert len(asked) == 2
    assert set(stored) == set(asked)
    assert stored[0] == stored[2] != stored[1]
    assert {len(token) for token in stored} == {16}
    assert not set(tokens(database, keyring, "110101199003077572")) & set(stored)
    assert keyring.blind_token(keys[0], "phone", "110101199003077571") not in asked


def test_tokens_of_a_destroyed_epoch_are_not_asked_for(database: Database, custodian: Custodian) -> None:
    """What it wrapped is closed for ever: a search goes on without it and does not fail."""
    keyring = Keyring(custodian)
    made(database, keyring)
    with witnessed(database) as tx:
        tx.connection.execute(update(key_groups).values(state="retired"))
        tx.connection.execute(update(key_epochs).values(state="destroyed", destroyed_at=tx.clock.now()))
    custodian.destroy_epoch(1)
    key = made(database, Keyring(custodian))
    assert tokens(database, Keyring(custodian)) == [keyring.blind_token(key, "id_number", "110101199003077571")]


def test_few_groups_held_are_enough_for_many(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian, groups_held_max=2)
    keys = [made(database, keyring, f"C{number}") for number in range(6)]
    asked = tokens(database, keyring)
    assert len(asked) == 6
    for key in keys:  # most groups were put out of memory by now; a token needs the record's key only
        assert keyring.blind_token(key, "id_number", "110101199003077571") in asked
        assert opened(database, keyring, key.record_id) == key
    keyring.forget()
    assert opened(database, keyring, keys[0].record_id) == keys[0]


def retire(tx: Transaction, class_code: str) -> None:
    tx.connection.execute(update(key_groups).where(key_groups.c.class_code == class_code).values(state="retired"))


def test_no_record_joins_a_group_that_another_process_retired(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    made(database, keyring)
    old = made(database, keyring)
    with witnessed(database) as tx:
        retire(tx, "C1")
    key = made(database, keyring)
    assert key.group_id != old.group_id
    assert {opened(database, keyring, which.record_id) for which in (old, key)} == {old, key}


def test_no_record_joins_a_group_that_is_just_being_retired(database: Database, custodian: Custodian) -> None:
    """The retiring transaction holds the group's row; the writer waits for it and then takes the next group."""
    keyring = Keyring(custodian)
    made(database, keyring)
    old = made(database, keyring)
    with ThreadPoolExecutor(1) as pool:
        with witnessed(database) as tx:
            tx.connection.execute(select(key_groups.c.id).with_for_update())
            retire(tx, "C1")
            writing = pool.submit(made, database, keyring)
            with pytest.raises(TimeoutError):
                writing.result(timeout=0.5)
        assert writing.result(timeout=10).group_id != old.group_id


def test_a_field_belongs_to_its_record_and_name(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    one, other = made(database, keyring), made(database, keyring)
    sealed = one.seal_field("phone/0", b"13800138000")
    assert one.open_field("phone/0", sealed) == b"13800138000"
    assert one.seal_field("phone/0", b"13800138000") != sealed
    assert one.open_field("note", one.seal_field("note", b"")) == b""
    hostile = [
        (other, "phone/0", sealed),
        (one, "phone/1", sealed),
        (one, "phone/0", sealed[:-1]),
        (one, "phone/0", b""),
    ]
    hostile += [
        (one, "phone/0", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]) for at in range(len(sealed))
    ]
    for key, name, changed in hostile:
        with pytest.raises(Damaged):
            key.open_field(name, changed)


def test_secrets_do_not_show(database: Database, custodian: Custodian) -> None:
    keyring = Keyring(custodian)
    key = made(database, keyring)
    told = repr(key) + str(key) + repr(keyring) + f"{key}" + repr(vars(keyring))
    for secret in (key.secret, key.blind_secret):
        assert len(secret) == 32
        assert repr(secret)[2:-1] not in told
        assert secret.hex() not in told
