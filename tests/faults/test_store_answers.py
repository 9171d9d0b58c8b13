"""The store fails or lies on the whole road of an upload: HTTP in, HTTP out, Ceph behind a proxy that does it.

What passes is survived before anybody is answered; what lasts is told as the store's fault and finished by the sender's
next attempt; a lie is never believed. No reader ever gets other bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults.road import NEVER_MET, attempt, finish, new_file
from tests.faults.site import Site, running_site
from tests.support.fault_proxy import Fault, Trap
from tests.support.rgw import Rgw
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.storage.retrying import ATTEMPTS_MAX
from vault.surfaces.client import Answer, ServerRefused, Unavailable

pytestmark = [pytest.mark.faults, pytest.mark.rgw, pytest.mark.invariant("U1"), pytest.mark.invariant("U2")]
SURVIVED = ""


@pytest.fixture(scope="module")
def site(postgres_server: EmbeddedPostgres, rgw: Rgw, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(postgres_server, tmp_path_factory.mktemp("site"), rgw) as running:
        yield running


@dataclass(frozen=True)
class Row:
    """So many requests of a kind fail in this way; `answer` is what the sender hears of it."""

    fault: Fault
    method: str
    times: int
    answer: str
    where: str = ""
    file: str = "scan"


WRITING = (
    Row(Fault.ERROR_500, "PUT", 1, SURVIVED),
    Row(Fault.ERROR_500, "HEAD", 1, SURVIVED),
    Row(Fault.ERROR_503, "PUT", 1, SURVIVED),
    Row(Fault.ERROR_503, "PUT", ATTEMPTS_MAX, "store-unavailable"),
    Row(Fault.HANG, "PUT", 1, SURVIVED),
    Row(Fault.HANG, "HEAD", 1, SURVIVED),
    Row(Fault.HALF_REQUEST, "PUT", 1, SURVIVED),
    Row(Fault.HALF_REQUEST, "PUT", ATTEMPTS_MAX, "store-unavailable"),
    Row(Fault.HALF_REQUEST, "PUT", 1, SURVIVED, "partNumber=2", "huge"),
    Row(Fault.LOSE_ANSWER, "PUT", 1, SURVIVED),
    Row(Fault.LOSE_ANSWER, "POST", 1, SURVIVED, "uploadId", "huge"),
    Row(Fault.DAMAGE_REQUEST, "PUT", 1, SURVIVED),
    Row(Fault.SWALLOW, "PUT", 1, "store-lied"),
    Row(Fault.SWALLOW, "PUT", 1, "store-lied", "retention", "huge"),
)


@pytest.mark.parametrize("row", WRITING, ids=lambda row: f"{row.fault.name}-{row.method}{row.where}-x{row.times}")
def test_a_store_that_fails_or_lies_while_it_takes_an_upload(site: Site, row: Row) -> None:
    data, key, metadata = new_file(row.file)
    before = site.known
    assert site.s3 is not None
    site.s3.waiting += [Trap(row.method, row.fault, row.where)] * row.times
    answer = attempt(lambda: site.send(data, key, **metadata))
    assert not site.is_waiting(), NEVER_MET
    if row.answer == SURVIVED:
        assert isinstance(answer, Answer)
    else:
        assert isinstance(answer, Unavailable)
        assert answer.facts["answer"] == row.answer
        assert site.left().since(before).records == 0
    finish(site, data, key, metadata, before, is_repeated=row.answer == SURVIVED)


READING = (
    (Fault.ERROR_500, 1, True),
    (Fault.ERROR_503, 1, True),
    (Fault.ERROR_503, ATTEMPTS_MAX, False),
    (Fault.HANG, 1, True),
    (Fault.CUT_BODY, 2, True),
    (Fault.LOSE_ANSWER, 1, True),
    (Fault.OTHER_BYTES, 1, False),
)


@pytest.mark.parametrize(("fault", "times", "is_survived"), READING, ids=lambda value: getattr(value, "name", None))
def test_a_reader_gets_the_bytes_or_none(site: Site, fault: Fault, times: int, is_survived: bool) -> None:
    data, key, metadata = new_file("large")
    record_id = site.send(data, key, **metadata).record_id
    assert record_id is not None
    assert site.s3 is not None
    site.s3.waiting += [Trap("GET", fault)] * times
    found = io.BytesIO()
    if is_survived:
        site.client.fetch(record_id, found)
        assert found.getvalue() == data
    else:
        with pytest.raises((Unavailable, ServerRefused)):
            site.client.fetch(record_id, found)
        assert data.startswith(found.getvalue())
        assert len(found.getvalue()) < len(data)
    assert not site.is_waiting(), NEVER_MET
    site.client.fetch(record_id, found)  # goes on where it was cut
    assert found.getvalue() == data
    site.left()
