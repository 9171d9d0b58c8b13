"""Sites that outlive their tests: what one fault leaves must not disturb the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
