"""The probe finds what a store lets happen, says what it found, and leaves nothing that cannot be removed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.conformance.storage.places import KNOWN_LIES, Place, content_of, fresh_key, lock_for
from tests.support.rgw import Rgw, new_bucket
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.storage import bare_store, open_store
from vault.foundation.storage.errors import BadStoreAddress, ObjectNotFound, StoreDenied, StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK
from vault.foundation.storage.probe import MESSAGES, probe
from vault.foundation.storage.probing import PROBE_PREFIX, attempts_on


@pytest.mark.slow
def test_it_finds_exactly_the_known_lies_and_leaves_nothing(place: Place) -> None:
    report = probe(place.store, SystemClock())
    assert set(report.lies) == KNOWN_LIES[place.kind]
    assert {check.name for check in report.checks} == set(MESSAGES)
    assert all(bool(check.found) is not check.ok for check in report.checks)
    assert report.store == place.store.name
    assert report.litter == ()
    assert list(attempts_on(place.store).versions(PROBE_PREFIX)) == []


def test_it_looks_through_the_patience_around_a_store(tmp_path: Path) -> None:
    # The write-once directory keeps its locks by the clock it is given: time is moved instead of waited for.
    clock = FixedClock(SystemClock().now())
    store = open_store(f"worm://{tmp_path}/store", clock)
    report = probe(store, clock, pause=lambda seconds: clock.advance(timedelta(seconds=seconds)))
    assert report.lies == ()
    assert report.litter == ()


def test_attempts_touch_nothing_but_the_probes_own(place: Place) -> None:
    info = place.store.put_new(fresh_key(), content_of(b"a record, unlocked"), NO_LOCK)
    attempts = attempts_on(place.store)
    for act in (
        lambda: attempts.delete(info.key, info.version_id, bypass=True),
        lambda: attempts.delete_among_many(info.key, info.version_id),
        lambda: attempts.hide(info.key),
        lambda: attempts.overwrite(info.key, b"other"),
        lambda: attempts.set_lock(info.key, info.version_id, NO_LOCK),
    ):
        with pytest.raises(ValueError, match="not a probe's object"):
            act()
    assert place.store.head(info.key) == info


@pytest.mark.slow
def test_a_bucket_without_object_lock_is_found_out(moto_endpoint: str) -> None:
    report = probe(bare_store(new_bucket(moto_endpoint, is_locked=False), SystemClock()), SystemClock())
    assert {"bucket-locked", "governance-lock-set", "compliance-lock-set", "parts-lock-set"} <= set(report.lies)


@pytest.mark.rgw
def test_a_real_bucket_without_object_lock_is_found_out(rgw: Rgw) -> None:
    report = probe(bare_store(rgw.new_bucket(is_locked=False), SystemClock()), SystemClock())
    assert {"bucket-locked", "governance-lock-set", "compliance-lock-set", "parts-lock-set"} <= set(report.lies)
    assert report.litter == ()


@pytest.mark.rgw
def test_a_bucket_that_is_not_there_is_denied(rgw: Rgw) -> None:
    store = bare_store(f"s3+{rgw.endpoint}/no-such-bucket", SystemClock())
    with pytest.raises(StoreDenied, match="NoSuchBucket"):
        probe(store, SystemClock())
    with pytest.raises(ObjectNotFound):
        store.head("anything")


def test_a_store_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        probe(bare_store("s3+http://127.0.0.1:9/bucket", SystemClock()), SystemClock())


@pytest.mark.parametrize(
    "url", ["", "worm://relative/path", "file:///x", "s3+http://host", "s3+http://key:secret@host/bucket", "memory:"]
)
def test_addresses_of_other_forms_are_refused(url: str) -> None:
    with pytest.raises(BadStoreAddress) as caught:
        open_store(url, SystemClock())
    assert "secret@" not in str(caught.value)


@pytest.mark.rgw
def test_a_bucket_with_a_default_lock_is_honest_and_its_litter_is_listed(rgw: Rgw) -> None:
    store = bare_store(rgw.new_bucket(default_days=1), SystemClock())
    report = probe(store, SystemClock())
    assert report.lies == ()
    assert all("GOVERNANCE" in line for line in report.litter)
    large, lock = content_of(b"x" * (17 << 20)), lock_for(minutes=1)
    info = store.put_new(fresh_key(), large, lock)
    assert info.lock.covers(lock_for(hours=23))
