"""What every store promises through the interface."""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.conformance.storage.places import Place, content_of, fresh_key, lock_for
from vault.foundation.storage.errors import AlreadyExists, LockRefused, ObjectNotFound, StoreDenied, StoreLied
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode, ObjectInfo

MEBIBYTE = 1 << 20


def test_a_put_is_read_back_whole(place: Place) -> None:
    data, lock = os.urandom(100_001), lock_for()
    key = fresh_key()
    info = place.store.put_new(key, content_of(data), lock)
    assert (info.key, info.size_bytes, info.sha256) == (key, len(data), hashlib.sha256(data).digest())
    assert info.lock == lock
    assert not info.legal_hold
    assert abs(info.stored_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert place.store.head(key) == place.store.head(key, info.version_id) == info
    with place.store.open(key, info.version_id) as stream:
        assert stream.read() == data


@pytest.mark.parametrize("size_bytes", [0, 1, 5 * MEBIBYTE + 1, 16 * MEBIBYTE, 16 * MEBIBYTE + 1, 40 * MEBIBYTE])
def test_every_size_is_kept_under_its_lock(place: Place, size_bytes: int) -> None:
    """Sizes around the borders at which clients go over to sending parts, which some stores leave unlocked."""
    data, lock = os.urandom(size_bytes), lock_for(LockMode.GOVERNANCE)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        content = Content.from_file(file, size_bytes, hashlib.sha256(data).digest())
        info = place.store.put_new(fresh_key(), content, lock)
    assert info.lock == lock
    with place.store.open(info.key) as stream:
        assert hashlib.sha256(stream.read()).digest() == info.sha256


@pytest.mark.parametrize("mode", [LockMode.GOVERNANCE, LockMode.COMPLIANCE])
def test_both_modes_are_kept(place: Place, mode: LockMode) -> None:
    lock = lock_for(mode, seconds=20)
    info = place.store.put_new(fresh_key(), content_of(b"mode"), lock)
    assert place.store.head(info.key, info.version_id).lock == lock


def test_an_unlocked_put_has_no_lock(place: Place) -> None:
    assert place.store.put_new(fresh_key(), content_of(b"free"), NO_LOCK).lock == NO_LOCK


def test_the_same_bytes_again_meet_their_version(place: Place) -> None:
    key, lock = fresh_key(), lock_for()
    first = place.store.put_new(key, content_of(b"same"), lock)
    assert place.store.put_new(key, content_of(b"same"), lock) == first
    assert [info.version_id for info in place.store.list_versions(key)] == [first.version_id]


def test_a_fresh_name_is_met_by_the_next_attempt(place: Place) -> None:
    key, lock = fresh_key(), lock_for()
    first = place.store.put_new(key, content_of(b"fresh"), lock, is_fresh=True)
    assert place.store.put_new(key, content_of(b"fresh"), lock) == first
    assert list(place.store.list_versions(key)) == [first]


def test_the_same_bytes_with_a_longer_lock_extend_it(place: Place) -> None:
    key, lock = fresh_key(), lock_for()
    first = place.store.put_new(key, content_of(b"longer"), lock)
    longer = lock_for(hours=2)
    assert place.store.put_new(key, content_of(b"longer"), longer).lock == longer
    assert place.store.put_new(key, content_of(b"longer"), lock).lock == longer
    assert place.store.head(key).version_id == first.version_id


def test_the_same_bytes_with_a_stronger_but_shorter_lock_keep_the_date(place: Place) -> None:
    key, long = fresh_key(), lock_for(seconds=40)
    place.store.put_new(key, content_of(b"joined"), long)
    info = place.store.put_new(key, content_of(b"joined"), lock_for(LockMode.COMPLIANCE, seconds=20))
    assert info.lock == Lock(LockMode.COMPLIANCE, long.until)


@pytest.mark.parametrize("other", [b"other bytes", b"firsT bytes"])
def test_other_bytes_under_a_taken_key_are_refused(place: Place, other: bytes) -> None:
    key = fresh_key()
    place.store.put_new(key, content_of(b"first bytes"), lock_for())
    with pytest.raises(AlreadyExists):
        place.store.put_new(key, content_of(other), lock_for())
    with place.store.open(key) as stream:
        assert stream.read() == b"first bytes"


def test_bytes_that_are_not_of_their_digest_are_refused(place: Place) -> None:
    content = Content.from_bytes(b"damaged", hashlib.sha256(b"whole").digest())
    if place.lies_about("damaged-bytes-refused"):
        assert place.store.put_new(fresh_key(), content, NO_LOCK).sha256 == content.sha256
    elif place.kind == "rgw":
        # This server ignores the digest that the client declares; what it checks is the transport's own (see
        # test_lying_stores). The declared digest is kept, so that whoever reads the bytes can tell.
        assert place.store.put_new(fresh_key(), content, NO_LOCK).sha256 == content.sha256
    else:
        with pytest.raises(StoreLied):
            place.store.put_new(fresh_key(), content, NO_LOCK)


def test_a_lock_that_ended_is_refused_at_the_put(place: Place) -> None:
    key = fresh_key()
    past = lock_for(hours=-1)
    if place.lies_about("past-date-refused"):
        assert place.store.put_new(key, content_of(b"late"), past).lock == past
        return
    with pytest.raises(LockRefused):
        place.store.put_new(key, content_of(b"late"), past)
    with pytest.raises(ObjectNotFound):
        place.store.head(key)


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, None, b"0123456789"), (3, 4, b"3456"), (3, None, b"3456789"), (8, 10, b"89"), (0, 0, b""), (10, 5, b"")],
)
def test_ranges(place: Place, offset: int, length: int | None, expected: bytes) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"0123456789"), NO_LOCK)
    with place.store.open(info.key, info.version_id, offset, length) as stream:
        assert stream.read() == expected


def test_streams_are_read_in_pieces(place: Place) -> None:
    data = os.urandom(300_000)
    info = place.store.put_new(fresh_key(), content_of(data), NO_LOCK)
    with place.store.open(info.key, offset=1000) as stream:
        pieces = list(iter(lambda: stream.read(65_536), b""))
    assert b"".join(pieces) == data[1000:]
    assert max(len(piece) for piece in pieces) <= 65_536


def test_what_is_not_there_is_not_found(place: Place) -> None:
    key = fresh_key()
    with pytest.raises(ObjectNotFound):
        place.store.head(key)
    with pytest.raises(ObjectNotFound):
        place.store.open(key)
    info = place.store.put_new(key, content_of(b"there"), NO_LOCK)
    for act in (place.store.head, place.store.open):
        with pytest.raises((ObjectNotFound, StoreDenied)):  # a version id of another form may be called invalid
            act(key, info.version_id[:-1] + ("A" if info.version_id[-1] != "A" else "B"))


def same(found: ObjectInfo, wanted: ObjectInfo) -> bool:
    """But for the instant: for Ceph an object has changed with its lock or hold, to the second."""
    return found == replace(wanted, stored_at=found.stored_at)


def test_a_lock_is_extended_and_strengthened(place: Place) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"extend"), lock_for(seconds=10))
    for lock in (
        lock_for(seconds=20),
        lock_for(LockMode.COMPLIANCE, seconds=20),
        lock_for(LockMode.COMPLIANCE, seconds=30),
    ):
        assert same(place.store.set_retention(info.key, info.version_id, lock), replace(info, lock=lock))


def test_an_unlocked_version_can_be_locked(place: Place) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"lock later"), NO_LOCK)
    lock = lock_for()
    assert place.store.set_retention(info.key, info.version_id, lock).lock == lock


@pytest.mark.invariant("R1")
@pytest.mark.parametrize(
    ("present", "asked"),
    [
        (lock_for(hours=2), lock_for(hours=1)),
        (lock_for(LockMode.COMPLIANCE, seconds=60), lock_for(LockMode.COMPLIANCE, seconds=50)),
        (lock_for(LockMode.COMPLIANCE, seconds=60), lock_for(LockMode.GOVERNANCE, hours=1)),
        (lock_for(hours=1), NO_LOCK),
        (lock_for(hours=1), lock_for(hours=-1)),
        (NO_LOCK, NO_LOCK),
    ],
)
def test_a_lock_is_never_shortened_or_weakened(place: Place, present: Lock, asked: Lock) -> None:
    if present.until is not None:
        present = Lock(present.mode, max(present.until, lock_for(seconds=60).until or present.until))
    info = place.store.put_new(fresh_key(), content_of(b"R1"), present)
    with pytest.raises(LockRefused):
        place.store.set_retention(info.key, info.version_id, asked)
    assert place.store.head(info.key, info.version_id).lock == present


def test_a_legal_hold_comes_and_goes_and_leaves_the_lock(place: Place) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"hold"), lock_for())
    assert same(place.store.set_hold(info.key, info.version_id, on=True), replace(info, legal_hold=True))
    longer = lock_for(hours=3)
    assert place.store.set_retention(info.key, info.version_id, longer).legal_hold
    assert same(place.store.set_hold(info.key, info.version_id, on=False), replace(info, lock=longer))


def test_listing_is_in_key_order_behind_a_key_and_only_the_prefix(place: Place) -> None:
    prefix = fresh_key("list/")
    keys = [f"{prefix}{number:03d}" for number in range(25)]
    for key in reversed(keys):
        place.store.put_new(key, content_of(key.encode()), NO_LOCK)
    place.store.put_new(prefix[:-1] + "0", content_of(b"outside"), NO_LOCK)
    assert [info.key for info in place.store.list_versions(prefix)] == keys
    assert [info.key for info in place.store.list_versions(prefix, keys[7])] == keys[8:]
    assert list(place.store.list_versions(prefix, keys[-1])) == []
    assert next(place.store.list_versions(prefix)) == place.store.head(keys[0])


def test_names_are_listed_as_versions_are(place: Place) -> None:
    prefix = fresh_key("names/")
    keys = [f"{prefix}{name}" for name in ("B", "a", "é", "凭证")]  # in the order of their bytes
    stored = [place.store.put_new(key, content_of(key.encode()), NO_LOCK) for key in reversed(keys)][::-1]
    named = list(place.store.list_names(prefix))
    assert [(one.key, one.version_id, one.is_marker) for one in named] == [
        (info.key, info.version_id, False) for info in stored
    ]
    assert all(
        abs(one.stored_at - info.stored_at) < timedelta(seconds=1) for one, info in zip(named, stored, strict=True)
    )
    assert [one.key for one in place.store.list_names(prefix, keys[1])] == keys[2:]


@pytest.mark.slow
def test_listing_goes_over_pages(place: Place) -> None:
    prefix = fresh_key("pages/")
    keys = [f"{prefix}{number:04d}" for number in range(1001)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: place.store.put_new(key, content_of(b""), NO_LOCK), keys))
    assert [info.key for info in place.store.list_versions(prefix)] == keys
    assert [info.key for info in place.store.list_versions(prefix, keys[498])] == keys[499:]


@pytest.mark.parametrize("name", ["a b", "凭证/开户", "percent%41", "plus+and&amp", "q?x=1#y"])
def test_names_are_taken_as_they_are(place: Place, name: str) -> None:
    key = fresh_key(name)
    info = place.store.put_new(key, content_of(name.encode()), lock_for())
    assert info.key == key
    assert [found.key for found in place.store.list_versions(key)] == [key]
    assert place.store.set_retention(key, info.version_id, lock_for(hours=2)).key == key


def test_racing_writers_of_the_same_bytes_all_succeed(place: Place) -> None:
    key, lock, data = fresh_key(), lock_for(), os.urandom(50_000)
    if place.kind == "moto":
        place.store.put_new(
            key, content_of(data), lock
        )  # the fake shows an object before its metadata: no race on it
    with ThreadPoolExecutor(8) as pool:
        infos = list(pool.map(lambda _: place.store.put_new(key, content_of(data), lock), range(16)))
    assert {info.sha256 for info in infos} == {hashlib.sha256(data).digest()}
    for info in place.store.list_versions(key):
        assert info.lock == lock
        with place.store.open(key, info.version_id) as stream:
            assert stream.read() == data


def test_racing_extensions_never_lose_the_latest(place: Place) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"race"), lock_for(hours=1))
    locks = [lock_for(hours=hours) for hours in range(2, 14)]
    if place.kind in {"moto", "rgw"}:
        locks = locks[-1:]  # a store that is asked for two dates at once is the judge of their order, not we

    def extend(lock: Lock) -> None:
        try:
            place.store.set_retention(info.key, info.version_id, lock)
        except LockRefused:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(extend, locks))
    assert place.store.head(info.key, info.version_id).lock == locks[-1]


def test_many_threads_write_and_read(place: Place) -> None:
    def round_trip(number: int) -> bool:
        data = f"{number}".encode() * 5000
        info = place.store.put_new(fresh_key(), content_of(data), lock_for())
        with place.store.open(info.key, info.version_id) as stream:
            return bool(stream.read() == data)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(round_trip, range(64)))


def test_the_name_tells_the_place_and_no_secret(place: Place) -> None:
    assert place.store.name == place.url
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "us-east-1")
    assert secret not in place.store.name
