"""A store that fails and lies: passing failures are survived without losing or doubling, lies are never believed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.conformance.storage.places import content_of, fresh_key, lock_for
from tests.support.fault_proxy import Fault, Plan, fault_proxy
from tests.support.rgw import Rgw
from vault.foundation.clock import SystemClock
from vault.foundation.storage.errors import LockRefused, ObjectNotFound, StoreDenied, StoreLied, StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, LockMode
from vault.foundation.storage.retrying import ATTEMPTS_MAX, RetryingStore
from vault.foundation.storage.s3 import S3Store

pytestmark = [pytest.mark.rgw, pytest.mark.faults]

PASSING = [Fault.ERROR_500, Fault.ERROR_503, Fault.HANG, Fault.CUT_REQUEST, Fault.LOSE_ANSWER]
DATA = os.urandom(3_000_000)


@dataclass
class Faulty:
    """A bucket behind the proxy, with and without patience, and directly."""

    plan: Plan
    bare: S3Store
    patient: RetryingStore
    direct: S3Store


@pytest.fixture
def faulty(rgw: Rgw, rgw_bucket_url: str) -> Iterator[Faulty]:
    bucket = urlsplit(rgw_bucket_url).path.strip("/")
    with fault_proxy(rgw.endpoint) as (endpoint, plan):
        bare = S3Store(urlsplit(endpoint).netloc, bucket, is_secure=False, read_timeout_s=1.5)
        direct = S3Store(urlsplit(rgw.endpoint).netloc, bucket, is_secure=False)
        yield Faulty(plan, bare, RetryingStore(bare, SystemClock(), pause=lambda _: None), direct)
        assert plan.waiting == [], "a fault was never met: the test shows nothing"


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("method", ["HEAD", "PUT"])
def test_a_put_survives_passing_failures_and_is_there_once(faulty: Faulty, method: str, fault: Fault) -> None:
    # The second try meets what the first one stored, so that a lost answer is met once.
    faulty.plan.add(method, fault, times=1 if (method, fault) == ("PUT", Fault.LOSE_ANSWER) else 2)
    key, lock = fresh_key(), lock_for()
    info = faulty.patient.put_new(key, content_of(DATA), lock)
    assert list(faulty.direct.list_versions(key)) == [info]
    assert info.lock == lock
    with faulty.direct.open(key) as stream:
        assert stream.read() == DATA


@pytest.mark.parametrize("fault", PASSING)
def test_a_fresh_name_is_asked_for_after_a_failure(faulty: Faulty, fault: Fault) -> None:
    faulty.plan.add("PUT", fault)
    key = fresh_key()
    info = faulty.patient.put_new(key, content_of(b"fresh"), lock_for(), is_fresh=True)
    assert list(faulty.direct.list_versions(key)) == [info]
    assert [method for method, _ in faulty.plan.seen][:2] == ["PUT", "HEAD"]


@pytest.mark.parametrize("fault", PASSING)
def test_without_patience_they_are_told_as_passing(faulty: Faulty, fault: Fault) -> None:
    faulty.plan.add("PUT", fault)
    with pytest.raises(StoreUnavailable):
        faulty.bare.put_new(fresh_key(), content_of(b"once"), lock_for())


@pytest.mark.parametrize("fault", PASSING)
def test_lock_and_hold_survive_passing_failures(faulty: Faulty, fault: Fault) -> None:
    info = faulty.direct.put_new(fresh_key(), content_of(b"lock"), lock_for(hours=1))
    lock = lock_for(LockMode.COMPLIANCE, hours=1, minutes=1)
    faulty.plan.add("PUT", fault)
    assert faulty.patient.set_retention(info.key, info.version_id, lock).lock == lock
    faulty.plan.add("PUT", fault)
    assert faulty.patient.set_hold(info.key, info.version_id, on=True).legal_hold


def test_large_content_survives_a_cut_in_the_middle_of_its_parts(faulty: Faulty) -> None:
    data, key, lock = os.urandom(40 << 20), fresh_key(), lock_for()
    faulty.plan.add("POST", Fault.LOSE_ANSWER)
    faulty.plan.add("PUT", Fault.CUT_REQUEST)
    info = faulty.patient.put_new(key, content_of(data), lock)
    assert info.lock == lock
    assert [found.version_id for found in faulty.direct.list_versions(key)] == [info.version_id]
    with faulty.direct.open(key) as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.HANG, Fault.CUT_BODY, Fault.LOSE_ANSWER])
@pytest.mark.parametrize("size", [-1, 65_536])
def test_reading_goes_on_where_it_was_cut(faulty: Faulty, fault: Fault, size: int) -> None:
    info = faulty.direct.put_new(fresh_key(), content_of(DATA), NO_LOCK)
    faulty.plan.add("GET", fault, times=3)
    with faulty.patient.open(info.key, info.version_id, 1000, 2_500_000) as stream:
        pieces = [stream.read()] if size < 0 else list(iter(lambda: stream.read(size), b""))
    assert b"".join(pieces) == DATA[1000:2_501_000]


def test_a_cut_body_is_never_taken_for_the_whole(faulty: Faulty) -> None:
    info = faulty.direct.put_new(fresh_key(), content_of(DATA), NO_LOCK)
    faulty.plan.add("GET", Fault.CUT_BODY, times=2)
    with pytest.raises(StoreUnavailable), faulty.bare.open(info.key) as stream:
        stream.read()
    with pytest.raises(StoreUnavailable), faulty.bare.open(info.key) as stream:
        list(iter(lambda: stream.read(65_536), b""))


def test_listing_goes_on_where_it_was_cut(faulty: Faulty) -> None:
    prefix = fresh_key("list/")
    keys = [f"{prefix}{number}" for number in range(8)]
    for key in keys:
        faulty.direct.put_new(key, content_of(b"x"), NO_LOCK)
    faulty.plan.add("GET", Fault.ERROR_503)
    faulty.plan.add("HEAD", Fault.CUT_REQUEST, times=2)
    assert [info.key for info in faulty.patient.list_versions(prefix)] == keys
    faulty.plan.add("GET", Fault.ERROR_503, times=2)
    assert [one.key for one in faulty.patient.list_names(prefix)] == keys


def test_a_success_that_stored_nothing_is_a_lie(faulty: Faulty) -> None:
    faulty.plan.add("PUT", Fault.SWALLOW)
    key = fresh_key()
    with pytest.raises((StoreLied, StoreDenied)):  # the version that it invented is not there, or no version at all
        faulty.patient.put_new(key, content_of(DATA), lock_for())
    with pytest.raises(ObjectNotFound):
        faulty.direct.head(key)


def test_a_lock_or_hold_that_was_swallowed_is_a_lie(faulty: Faulty) -> None:
    info = faulty.direct.put_new(fresh_key(), content_of(b"lock"), lock_for(hours=1))
    faulty.plan.add("PUT", Fault.SWALLOW, times=2)
    with pytest.raises(StoreLied):
        faulty.patient.set_retention(info.key, info.version_id, lock_for(hours=2))
    with pytest.raises(StoreLied):
        faulty.patient.set_hold(info.key, info.version_id, on=True)


def test_bytes_damaged_on_the_way_in_are_sent_again(faulty: Faulty) -> None:
    faulty.plan.add("PUT", Fault.DAMAGE_REQUEST)
    info = faulty.patient.put_new(fresh_key(), content_of(DATA), lock_for())
    with faulty.direct.open(info.key) as stream:
        assert stream.read() == DATA


def test_other_bytes_on_the_way_out_do_not_match_the_digest_kept(faulty: Faulty) -> None:
    info = faulty.direct.put_new(fresh_key(), content_of(DATA), NO_LOCK)
    faulty.plan.add("GET", Fault.OTHER_BYTES)
    with faulty.patient.open(info.key) as stream:
        assert hashlib.sha256(stream.read()).digest() != info.sha256


def test_patience_ends(faulty: Faulty) -> None:
    faulty.plan.add("HEAD", Fault.ERROR_503, times=ATTEMPTS_MAX)
    with pytest.raises(StoreUnavailable, match=r"503|SlowDown"):
        faulty.patient.head("anything")
    assert len(faulty.plan.seen) == ATTEMPTS_MAX


def test_what_is_permanent_is_tried_once(faulty: Faulty) -> None:
    with pytest.raises(ObjectNotFound):
        faulty.patient.head(fresh_key())
    assert len(faulty.plan.seen) == 1
    with pytest.raises(LockRefused):
        faulty.patient.put_new(fresh_key(), content_of(b"late"), lock_for(hours=-1))
    assert [method for method, _ in faulty.plan.seen[1:]] == ["HEAD", "PUT"]


def test_wrong_credentials_are_permanent(rgw_bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not the secret")
    parts = urlsplit(rgw_bucket_url)
    store = S3Store(parts.netloc, parts.path.strip("/"), is_secure=False)
    with pytest.raises(StoreDenied):
        store.put_new(fresh_key(), content_of(b"denied"), NO_LOCK)
    with pytest.raises(StoreDenied) as caught:
        store.head("anything")
    assert "not the secret" not in str(caught.value)
