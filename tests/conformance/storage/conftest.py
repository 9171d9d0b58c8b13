"""One suite for every kind of store; moto and Ceph run as real servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.conformance.storage.places import KINDS, Place
from tests.support.rgw import credentials_in_environment, new_bucket
from vault.foundation.clock import SystemClock
from vault.foundation.storage import bare_store


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """moto as a server. It takes any credentials, but clients want some."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with credentials_in_environment():
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=[pytest.mark.rgw] * (kind == "rgw")) for kind in KINDS]
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store of each kind, fresh for the module."""
    kind: str = request.param
    if kind == "rgw":
        url = request.getfixturevalue("rgw_bucket_url")
    elif kind == "moto":
        url = new_bucket(request.getfixturevalue("moto_endpoint"))
    else:
        url = "memory://conformance" if kind == "memory" else f"worm://{tmp_path_factory.mktemp('worm')}/store"
    return Place(kind, bare_store(url, SystemClock()), url)
