"""kill -9 of each process of the running service while two senders are at work; the senders notice nothing but time.

PostgreSQL is the embedded one with the settings it has outside. Afterwards every file that was sent is there once with its
bytes, the same commands answer the same again, and `slipvault verify` finds nothing to object to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.service import Service, lose_and_double_nothing, running_service
from tests.support.rgw import Rgw

pytestmark = [pytest.mark.faults, pytest.mark.invariant("U1"), pytest.mark.invariant("U2")]


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(base / "on-a-directory", {}) as running:
        yield running


@pytest.mark.parametrize("kind", ["web", "worker", "session", "database", "supervisor"])
def test_a_process_of_the_service(service: Service, tmp_path: Path, kind: str) -> None:
    def strike() -> None:
        service.kill(kind)
        if kind == "supervisor":
            service.start()

    lose_and_double_nothing(service, tmp_path, strike)


@pytest.fixture(scope="module")
def service_on_ceph(base: Path, private_rgw: Rgw) -> Iterator[Service]:
    with running_service(base / "on-ceph", {"SLIPVAULT_STORE_URL": private_rgw.new_bucket()}) as running:
        yield running


@pytest.mark.rgw
@pytest.mark.parametrize("daemon", ["osd", "rgw"])
def test_a_daemon_of_the_store(service_on_ceph: Service, private_rgw: Rgw, tmp_path: Path, daemon: str) -> None:
    def strike() -> None:
        private_rgw.kill(daemon)
        time.sleep(1)  # uploads run into it
        private_rgw.up()

    lose_and_double_nothing(service_on_ceph, tmp_path, strike)
