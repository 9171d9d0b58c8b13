"""Each numbered step of `vault.intake.service.receive`: killed there, or failed there; then sent again.

A row names a step, how the world is made to end or fail just there on each store, what a kill leaves behind, and how
a failure is answered. Step 4 asks nobody; what it knows of the class was asked for before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.road import ALL, INTENT, NEVER_MET, NOTHING, SEALED, attempt, finish, new_file
from tests.faults.site import Left, Site
from tests.faults.web import Trap as FileTrap
from tests.support import fault_proxy
from tests.support.fault_proxy import Fault
from tests.support.postgres_proxy import Trap as SqlTrap
from vault.surfaces.client import Answer, Unavailable

pytestmark = pytest.mark.faults

SURVIVED = ""  # tried again before anybody was answered


@dataclass(frozen=True)
class Files:
    """The machine: a call for a file."""

    event: str
    path: str
    nth: int = 1
    times: int = 1

    def set(self, site: Site, how: str) -> None:
        FileTrap(self.event, self.path, self.nth, self.times if how == "error" else 1, how).set(site.trap_file)


@dataclass(frozen=True)
class Sql:
    """The database: a statement on its way there, or its answer on the way back."""

    text: str
    at_commit: bool = False
    after: bool = False

    def set(self, site: Site, how: str) -> None:
        act = site.kill if how == "kill" else _nothing
        site.sql.waiting.append(SqlTrap(self.text, self.at_commit, self.after, act))


@dataclass(frozen=True)
class Bucket:
    """The object store: a request."""

    method: str
    fault: Fault
    where: str = ""

    def set(self, site: Site, how: str) -> None:
        assert site.s3 is not None
        act = site.kill if how == "kill" else _nothing
        site.s3.waiting.append(fault_proxy.Trap(self.method, self.fault, self.where, act))


@dataclass(frozen=True)
class Step:
    """A row of the table. `left` is what a kill leaves, `answer` the code that a failure is answered with."""

    number: int
    name: str
    worm: Files | Sql
    rgw: Files | Sql | Bucket
    left: Left
    answer: str
    file: str = "scan"


def both(place: Files | Sql) -> dict[str, Any]:
    return {"worm": place, "rgw": place}


INTENT_ROW, RECORD_ROW = "INSERT INTO intake_items", "INSERT INTO records"
STEPS = (
    Step(
        1,
        "spooling",
        **both(Files("open", "/spool", times=2)),
        left=NOTHING,
        answer="spool-unavailable",
        file="large",
    ),
    Step(2, "looking-up", **both(Sql("intake_items.client_key")), left=NOTHING, answer="database-unavailable"),
    Step(
        3,
        "examining",
        **both(Files("subprocess.Popen", "python")),
        left=NOTHING,
        answer="examination-unavailable",
        file="pdf",
    ),
    Step(5, "noting", **both(Sql(INTENT_ROW)), left=NOTHING, answer="database-unavailable"),
    Step(5, "commit-1", **both(Sql(INTENT_ROW, at_commit=True)), left=NOTHING, answer="database-unavailable"),
    Step(5, "committed-1", **both(Sql(INTENT_ROW, True, True)), left=INTENT, answer="database-unavailable"),
    Step(
        6,
        "sealing",
        **both(Files("open", "/spool", nth=3, times=2)),
        left=INTENT,
        answer="spool-unavailable",
        file="huge",
    ),
    Step(7, "put", Files("open", "/store/tmp/"), Bucket("PUT", Fault.CUT_REQUEST), left=INTENT, answer=SURVIVED),
    Step(
        7, "written", Files("os.link", "/store/tmp/"), Bucket("PUT", Fault.HALF_REQUEST), left=INTENT, answer=SURVIVED
    ),
    Step(
        7, "stored", Files("os.remove", "/store/tmp/"), Bucket("PUT", Fault.LOSE_ANSWER), left=SEALED, answer=SURVIVED
    ),
    Step(
        7,
        "naming-locking",
        Files("open", "/store/objects/"),
        Bucket("PUT", Fault.CUT_REQUEST, "retention"),
        left=SEALED,
        answer=SURVIVED,
        file="huge",
    ),
    Step(
        8,
        "read-back",
        Files("open", "/store/objects/", nth=2),
        Bucket("HEAD", Fault.ERROR_500),
        left=SEALED,
        answer=SURVIVED,
    ),
    Step(9, "cataloguing", **both(Sql(RECORD_ROW)), left=SEALED, answer="database-unavailable"),
    Step(9, "commit-2", **both(Sql(RECORD_ROW, at_commit=True)), left=SEALED, answer="database-unavailable"),
    Step(9, "committed-2", **both(Sql(RECORD_ROW, True, True)), left=ALL, answer="database-unavailable"),
)


@pytest.mark.invariant("U1")
@pytest.mark.invariant("U2")
@pytest.mark.invariant("U3")
@pytest.mark.parametrize("how", ["kill", "error"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.number}-{step.name}")
def test_whatever_fails_where_the_retry_finishes_it_once(site: Site, step: Step, how: str) -> None:
    place = step.worm if site.s3 is None else step.rgw
    data, key, metadata = new_file(step.file)
    before = site.known
    if step.file == "pdf":
        site.restart()  # whose decoders do not run yet
    place.set(site, how)
    answer = attempt(lambda: site.send(data, key, **metadata))
    if how == "kill":
        assert site.is_dead()
        site.start()
    assert not site.is_waiting(), NEVER_MET
    left = site.left().since(before)
    if how == "kill":
        assert isinstance(answer, Unavailable)
        assert left == step.left
    elif step.answer == SURVIVED:
        assert isinstance(answer, Answer)
        assert left == ALL
    else:
        assert isinstance(answer, Unavailable)
        assert answer.facts["answer"] == step.answer
        assert left == step.left
    finish(site, data, key, metadata, before, is_repeated=left == ALL)


@pytest.mark.invariant("U2")
@pytest.mark.parametrize("how", ["kill", "error"])
def test_a_receipt_that_was_not_read_is_given_again(site: Site, how: str) -> None:
    """Step 10: killed at the first byte of a 201; or the sender has gone before there is one."""
    data, key, metadata = new_file("scan")
    before = site.known
    with site.raw_request(data, key) as connection:
        if how == "error":
            site.sql.waiting.append(SqlTrap(RECORD_ROW, at_commit=True, act=connection.close, cuts=False))
            while site.left().since(before) != ALL:  # the work goes on without its sender
                time.sleep(0.05)
        else:
            assert connection.recv(12) == b"HTTP/1.1 201"
            site.kill()
            assert site.is_dead()
            site.start()
            assert site.left().since(before) == ALL, "what was said to be accepted is not there"
    assert not site.is_waiting()
    finish(site, data, key, metadata, before, is_repeated=True)


@pytest.mark.invariant("U3")
@pytest.mark.parametrize("name", ["committed-1", "cataloguing"])
def test_what_a_sender_who_stays_away_leaves_is_settled_and_taken_up_when_he_returns(site: Site, name: str) -> None:
    step = next(step for step in STEPS if step.name == name)
    data, key, metadata = new_file("scan")
    before = site.known
    (step.worm if site.s3 is None else step.rgw).set(site, "kill")
    assert isinstance(attempt(lambda: site.send(data, key, **metadata)), Unavailable)
    assert site.is_dead()
    site.start()
    assert site.left().since(before) == step.left
    assert sorted(site.reconciled()) == ["leftover-noted"] * step.left.objects + ["upload-abandoned"]
    assert site.left().since(before) == NOTHING, "what is known and named is no longer spoken of"
    finish(site, data, key, metadata, before, is_repeated=False)
    assert site.reconciled() == ["leftover-taken-up"] * step.left.objects


def _nothing() -> None:
    """The fault alone is enough."""
