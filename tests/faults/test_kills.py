"""kill -9 of each process of the running service while two senders are at work; the senders notice nothing but time.

PostgreSQL is the embedded one with the settings it has outside. Afterwards every file that was sent is there once with its
bytes, the same commands answer the same again, and `slipvault verify` finds nothing to object to.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.service import Service, pile_of, running_service

pytestmark = [pytest.mark.faults, pytest.mark.invariant("U1"), pytest.mark.invariant("U2")]

FILES_PER_SENDER = 16
_first = itertools.count(1000, 2 * FILES_PER_SENDER)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A place that the database's own user can reach."""
    with tempfile.TemporaryDirectory(prefix="slipvault-faults-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(base, {}) as running:
        yield running


@pytest.mark.parametrize("kind", ["web", "worker", "session", "database", "supervisor"])
def test_senders_lose_and_double_nothing(service: Service, tmp_path: Path, kind: str) -> None:
    first = next(_first)
    piles = [
        pile_of(tmp_path / "a", first, FILES_PER_SENDER),
        pile_of(tmp_path / "b", first + FILES_PER_SENDER, FILES_PER_SENDER),
    ]
    records_before = service.verified()["records"]
    senders = [service.sender(pile) for pile in piles]
    for _ in range(2):  # twice, each time with answers given, files under way, and files to come
        for sender in senders:
            assert sender.read()
            assert sender.read()
        service.kill(kind)
        if kind == "supervisor":
            service.start()
    answers = senders[0].finish() | senders[1].finish()
    service.await_ready()
    again = service.sender(piles[0]).finish() | service.sender(piles[1]).finish()
    assert {file: answer["record_id"] for file, answer in again.items()} == {
        file: answer["record_id"] for file, answer in answers.items()
    }
    assert all(answer["repeated"] for answer in again.values())
    files = list(answers)
    assert list(service.originals([answers[file]["record_id"] for file in files])) == [
        Path(file).read_bytes() for file in files
    ]
    verdict = service.verified()
    assert verdict["records"] == records_before + 2 * FILES_PER_SENDER
    assert {note["code"] for note in verdict["notes"]} <= {"object-unknown"}
