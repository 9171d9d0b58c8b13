"""Filing on a real object store: the COMPLIANCE lock stands there, and another client cannot take it back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from retention_rules.schedules import end_of_day
from tests.support.archive import Archive, jpeg, make_archive
from vault.catalogue.queries import RecordView, get_record
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.errors import LockRefused
from vault.foundation.storage.interface import Lock, LockMode
from vault.intake.jobs import render_waiting
from vault.intake.tables import store_probes
from vault.oversight.verification import verify
from vault.retention import events
from vault.retention.filing import file
from vault.retention.locking import lock_waiting
from vault.retention.model import NewEvent

pytestmark = pytest.mark.rgw
ZONE = "Asia/Shanghai"


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path, rgw_bucket_url: str) -> Archive:
    """An archive on a bucket of Ceph under Object Lock."""
    archive = make_archive(database, clock, tmp_path, rgw_bucket_url)
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    return archive


@pytest.fixture
def stranger(rgw_bucket_url: str) -> Any:
    """Another client, with all the rights of the bucket's owner."""
    place = urlsplit(rgw_bucket_url.removeprefix("s3+"))
    config = Config(s3={"addressing_style": "path"})
    client = boto3.session.Session().client(
        "s3", endpoint_url=f"{place.scheme}://{place.netloc}", region_name="us-east-1", config=config
    )
    yield client, place.path.strip("/")
    client.close()


def _look(archive: Archive, record_id: Any) -> RecordView:
    with archive.ctx.database.read() as connection:
        return get_record(connection, archive.operator, record_id)


@pytest.mark.clause("V1")
@pytest.mark.invariant("R1")
def test_the_lock_of_the_class_stands_in_the_store_and_nobody_shortens_it(kept: Archive, stranger: Any) -> None:
    client, bucket = stranger
    record_id = kept.send(jpeg(4001), class_code="CONTRACT", occurred_date=date(2026, 3, 1)).record_id
    assert record_id is not None
    list(render_waiting(kept.ctx))
    file(kept.ctx, kept.operator, [record_id])
    assert list(lock_waiting(kept.ctx)) == [record_id]
    first = _look(kept, record_id).lock_until
    kept.clock.advance(timedelta(days=9 * 365))
    day = kept.clock.now().date().replace(day=1)
    ended = [NewEvent(record_id, "contract_terminated", day)]
    events.report(kept.ctx, kept.operator, ended, "report-1")
    list(lock_waiting(kept.ctx))
    record = _look(kept, record_id)
    promised = end_of_day(day.replace(year=day.year + 2), ZONE)
    assert record.lock_until == promised > first
    for copy in record.components:
        place = {"Bucket": bucket, "Key": copy.object_key, "VersionId": copy.version_id}
        told = client.get_object_retention(**place)["Retention"]
        assert (told["Mode"], told["RetainUntilDate"]) == ("COMPLIANCE", promised)
        shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": promised - timedelta(days=1)}
        weaker = {"Mode": "GOVERNANCE", "RetainUntilDate": promised}
        for wish in (shorter, weaker):
            with pytest.raises(ClientError) as refused:
                client.put_object_retention(**place, Retention=wish, BypassGovernanceRetention=True)
            assert refused.value.response["Error"]["Code"] == "AccessDenied"
        with pytest.raises(ClientError):
            client.delete_object(**place, BypassGovernanceRetention=True)
        with pytest.raises(LockRefused):
            kept.ctx.store.set_retention(copy.object_key, copy.version_id, Lock(LockMode.COMPLIANCE, first))
        assert client.get_object_retention(**place)["Retention"]["RetainUntilDate"] == promised
    kept.sequence()
    verdict = verify(kept.ctx)
    assert verdict.is_clean, verdict.findings
