"""Sites that outlive their tests: what one fault leaves must not disturb the next."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import small_disks
from tests.faults.site import Site, running_site
from tests.support.rgw import Rgw
from vault.foundation.db.launcher import EmbeddedPostgres


@pytest.fixture(scope="module", params=["worm", pytest.param("rgw", marks=pytest.mark.rgw)])
def site(
    request: pytest.FixtureRequest, postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site on the write-once directory, then one on Ceph."""
    rgw: Rgw | None = request.getfixturevalue("rgw") if request.param == "rgw" else None
    with running_site(postgres_server, tmp_path_factory.mktemp("site"), rgw) as running:
        yield running


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A place for a home: on the disk, and reachable for the database's own user."""
    with tempfile.TemporaryDirectory(prefix="slipvault-faults-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path, int], None]]:
    """Mounts small disks: called with a directory and a size in bytes; called again, it changes the size."""
    if os.geteuid() != 0:
        pytest.fail("a small disk is mounted for this test, which only root may do: run it as root", pytrace=False)
    small_disks.clear()
    mounted: list[Path] = []

    def mount(directory: Path, size_bytes: int) -> None:
        small_disks.mount(directory, size_bytes, is_there=directory in mounted)
        mounted.append(directory)

    yield mount
    for directory in dict.fromkeys(reversed(mounted)):
        small_disks.unmount(directory)
