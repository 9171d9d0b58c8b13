"""On a real object store: what another client does to locks, holds and versions is found, named and mended where lawful."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.nouns.oversight.holding import hold, release
from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.rgw import Rgw
from vault.catalogue.queries import ComponentView, components_of
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.jobs.errors import JobCancelled
from vault.foundation.ledger.entry import SYSTEM
from vault.holds.jobs import tell_waiting
from vault.oversight import drifts, leftovers
from vault.oversight.drift import DriftKind
from vault.oversight.drifts import DriftFilters, KeptDrift
from vault.oversight.errors import ReconciliationUnderWay
from vault.oversight.model import FindingCode, LeftoverCause, Reconciliation
from vault.oversight.reconciliation import reconcile
from vault.retention.filing import file
from vault.retention.locking import lock_waiting

pytestmark = [pytest.mark.rgw, pytest.mark.clause("C4.3"), pytest.mark.clause("V1"), pytest.mark.invariant("R1")]


@pytest.fixture
def bucket_url(rgw: Rgw) -> str:
    return rgw.new_bucket()


@pytest.fixture
def kept(database: Database, tmp_path: Path, bucket_url: str) -> Archive:
    """An archive on a bucket of Ceph under Object Lock. Its clock goes with the store's, which looks at no other."""
    archive = make_archive(database, FixedClock(datetime.now(UTC)), tmp_path, bucket_url)
    trust(archive)
    return archive


@pytest.fixture
def stranger(bucket_url: str, kept: Archive) -> Iterator[Stranger]:
    place = urlsplit(bucket_url.removeprefix("s3+"))
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=f"{place.scheme}://{place.netloc}",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    yield Stranger(client, place.path.strip("/"))
    client.close()


class Stranger:
    """Another client, with all the rights of the bucket's owner."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def retention(self, copy: ComponentView) -> tuple[str, datetime]:
        told = self._client.get_object_retention(**self._place(copy))["Retention"]
        return told["Mode"], told["RetainUntilDate"].replace(microsecond=0)

    def set_retention(self, copy: ComponentView, mode: str, until: datetime) -> None:
        self._client.put_object_retention(
            **self._place(copy), Retention={"Mode": mode, "RetainUntilDate": until}, BypassGovernanceRetention=True
        )

    def set_hold(self, copy: ComponentView, status: str) -> None:
        self._client.put_object_legal_hold(**self._place(copy), LegalHold={"Status": status})

    def hold(self, copy: ComponentView) -> str:
        told: str = self._client.get_object_legal_hold(**self._place(copy))["LegalHold"]["Status"]
        return told

    def delete(self, copy: ComponentView) -> None:
        self._client.delete_object(**self._place(copy), BypassGovernanceRetention=True)

    def hide(self, copy: ComponentView) -> str:
        """Puts a delete marker; returns its version."""
        told: str = self._client.delete_object(Bucket=self._bucket, Key=copy.object_key)["VersionId"]
        return told

    def unhide(self, copy: ComponentView, marker: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=copy.object_key, VersionId=marker)

    def put_beside(self, copy: ComponentView) -> str:
        told: str = self._client.put_object(Bucket=self._bucket, Key=copy.object_key, Body=b"another")["VersionId"]
        return told

    def _place(self, copy: ComponentView) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": copy.object_key, "VersionId": copy.version_id}


def test_a_governance_lock_that_was_shortened_is_named_and_mended(kept: Archive, stranger: Stranger) -> None:
    copy, untouched = _received(kept, 5001), _received(kept, 5002)
    shorter = (kept.clock.now() + timedelta(hours=1)).replace(microsecond=0)
    stranger.set_retention(copy, "GOVERNANCE", shorter)

    outcome = reconcile(kept.ctx, SYSTEM)

    assert (outcome.versions, outcome.drifted.open, outcome.drifted.repaired) == (2, 0, 1)
    (drift,) = _drifts(kept)
    assert (drift.kind, drift.state, drift.object_key) == (DriftKind.LOCK_SHORTER, "repaired", copy.object_key)
    assert drift.found == f"GOVERNANCE {shorter:%Y-%m-%dT%H:%M:%SZ}"
    assert stranger.retention(copy) == ("GOVERNANCE", copy.lock_until)
    assert stranger.retention(untouched) == ("GOVERNANCE", untouched.lock_until)


def test_a_compliance_lock_cannot_be_shortened_and_a_longer_one_is_only_told(
    kept: Archive, stranger: Stranger
) -> None:
    copy = _filed(kept, 5003)
    for mode, until in (("COMPLIANCE", copy.lock_until - timedelta(days=1)), ("GOVERNANCE", copy.lock_until)):
        with pytest.raises(ClientError) as refused:
            stranger.set_retention(copy, mode, until)
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert reconcile(kept.ctx, SYSTEM).is_clean
    longer = copy.lock_until + timedelta(days=30)
    stranger.set_retention(copy, "COMPLIANCE", longer)
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == {DriftKind.LOCK_LONGER: 1}
    assert stranger.retention(copy) == ("COMPLIANCE", longer)


def test_a_hold_that_was_set_or_cleared_behind_our_back(kept: Archive, stranger: Stranger) -> None:
    copy = _filed(kept, 5004)
    stranger.set_hold(copy, "ON")
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == {DriftKind.HOLD_UNKNOWN: 1}
    assert kept.ctx.store.head(copy.object_key, copy.version_id).legal_hold, "it is not ours to take off"
    stranger.set_hold(copy, "OFF")
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0
    assert [(drift.kind, drift.state) for drift in _drifts(kept)] == [(DriftKind.HOLD_UNKNOWN, "in-order")]


@pytest.mark.clause("V5")
@pytest.mark.invariant("H1")
def test_a_hold_of_ours_cleared_behind_our_back_is_found_named_and_set_again(
    kept: Archive, stranger: Stranger
) -> None:
    copy, untouched = _filed(kept, 5020), _filed(kept, 5021)
    held = leftovers.record_of(copy.object_key)
    also_held = leftovers.record_of(untouched.object_key)
    assert held is not None
    assert also_held is not None
    hold_id = hold(kept, held, also_held)
    assert reconcile(kept.ctx, SYSTEM).is_clean, "it is being set at this moment"
    list(tell_waiting(kept.ctx))
    assert stranger.hold(copy) == stranger.hold(untouched) == "ON"
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).is_clean
    stranger.set_hold(copy, "OFF")
    kept.clock.advance(timedelta(seconds=1))

    outcome = reconcile(kept.ctx, SYSTEM)

    assert (outcome.drifted.open, outcome.drifted.repaired) == (0, 1)
    (drift,) = _drifts(kept)
    assert (drift.kind, drift.state, drift.record_id) == (DriftKind.HOLD_GONE, "repaired", held)
    assert (drift.object_key, drift.version_id) == (copy.object_key, copy.version_id)
    assert (drift.found, drift.expected, drift.repair) == ("LEGAL_HOLD OFF", "LEGAL_HOLD ON", "LEGAL_HOLD ON")
    assert stranger.hold(copy) == "ON"
    with pytest.raises(ClientError):
        stranger.delete(copy)
    release(kept, hold_id)
    list(tell_waiting(kept.ctx))
    assert stranger.hold(copy) == stranger.hold(untouched) == "OFF"
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0


def test_a_version_deleted_past_its_governance_lock_is_an_alarm(kept: Archive, stranger: Stranger) -> None:
    copy = _received(kept, 5005)
    stranger.delete(copy)
    outcome = reconcile(kept.ctx, SYSTEM)
    assert (outcome.drifted.by_kind, outcome.drifted.alarms) == ({DriftKind.OBJECT_MISSING: 1}, 1)
    (drift,) = _drifts(kept)
    assert (drift.record_id, drift.object_key, drift.version_id) == (
        leftovers.record_of(copy.object_key),
        copy.object_key,
        copy.version_id,
    )


def test_a_delete_marker_and_a_version_beside_ours_are_named(kept: Archive, stranger: Stranger) -> None:
    hidden, doubled = _received(kept, 5006), _received(kept, 5007)
    marker = stranger.hide(hidden)
    beside = stranger.put_beside(doubled)
    kept.clock.advance(timedelta(hours=25))

    outcome = reconcile(kept.ctx, SYSTEM)

    assert outcome.drifted.by_kind == {DriftKind.DELETE_MARKER: 1}
    assert [(drift.object_key, drift.version_id) for drift in _drifts(kept)] == [(hidden.object_key, marker)]
    assert outcome.count(FindingCode.LEFTOVER_NOTED) == 1
    with kept.ctx.database.read() as connection:
        (leftover,) = leftovers.list_open(connection, kept.ctx.store.name)
    assert (leftover.object_key, leftover.version_id) == (doubled.object_key, beside)
    assert leftover.cause is LeftoverCause.SUPERSEDED
    stranger.unhide(hidden, marker)
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0


def test_interrupted_it_goes_on_and_two_at_once_do_not_disagree(kept: Archive, stranger: Stranger) -> None:
    copies = sorted((_received(kept, 5010 + number) for number in range(4)), key=lambda copy: copy.object_key)
    shorter = (kept.clock.now() + timedelta(hours=1)).replace(microsecond=0)
    for copy in copies:
        stranger.set_retention(copy, "GOVERNANCE", shorter)

    def until_third(stage: str, done: int, _total: int | None) -> None:
        if (stage, done) == ("versions", 3):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        reconcile(kept.ctx, SYSTEM, progress=until_third, page=1)
    assert stranger.retention(copies[3]) == ("GOVERNANCE", shorter)

    with ThreadPoolExecutor(3) as pool:
        outcomes = [one for one in pool.map(lambda _: _reconcile_or_none(kept), range(3)) if one is not None]

    assert outcomes[0].drifted.open == 0
    assert [drift.state for drift in _drifts(kept)] == ["repaired"] * 4
    assert {stranger.retention(copy) for copy in copies} == {("GOVERNANCE", copy.lock_until) for copy in copies}


def _reconcile_or_none(archive: Archive) -> Reconciliation | None:
    try:
        return reconcile(archive.ctx, SYSTEM)
    except ReconciliationUnderWay:
        return None


def _received(archive: Archive, seed: int) -> ComponentView:
    record_id = archive.send(jpeg(seed)).record_id
    assert record_id is not None
    return _copy(archive, record_id)


def _filed(archive: Archive, seed: int) -> ComponentView:
    record_id = archive.send(jpeg(seed), class_code="CONTRACT", occurred_date=date(2026, 3, 1)).record_id
    assert record_id is not None
    file(archive.ctx, archive.operator, [record_id])
    list(lock_waiting(archive.ctx))
    return _copy(archive, record_id)


def _copy(archive: Archive, record_id: UUID) -> ComponentView:
    with archive.ctx.database.read() as connection:
        (copy,) = components_of(connection, record_id)
    return copy


def _drifts(archive: Archive) -> list[KeptDrift]:
    with archive.ctx.database.read() as connection:
        return list(drifts.find(connection, DriftFilters()).lines)
