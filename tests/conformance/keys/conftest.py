"""Custodians to try: a directory, and a token of SoftHSM in a directory of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.keys.custodian_places import MODULE, PIN, Place

TOKENS = 24


@pytest.fixture(scope="session")
def token_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SoftHSM reads its configuration when the module is first loaded: one for all tests of the process."""
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    configuration = home / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    yield home
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture(scope="session")
def empty_tokens(token_home: Path) -> Iterator[Place]:
    """Empty tokens, all made before the module is loaded: SoftHSM looks for tokens only then.

    SoftHSM belongs to the project's tests: its absence is a failure, not a reason to skip.
    """
    assert MODULE.exists(), "install the Debian package softhsm2"
    places = []
    for number in range(TOKENS):
        label = f"slipvault-{os.getpid()}-{number}"
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN],
            check=True,
            capture_output=True,
        )
        pin_file = token_home / f"{label}.pin"
        pin_file.touch(mode=0o600)
        pin_file.write_text(PIN + "\n", encoding="utf-8")
        url = f"pkcs11://{MODULE}?token={label}&pin-file={pin_file}"
        places.append(Place("pkcs11", url, {"SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}))
    return iter(places)


@pytest.fixture
def token(empty_tokens: Iterator[Place]) -> Place:
    """A token that no other test uses."""
    return next(empty_tokens)


@pytest.fixture(params=["file", "pkcs11"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty custodian of each kind."""
    if request.param == "file":
        return Place("file", f"file://{tmp_path}/custodian", {})
    fresh: Place = request.getfixturevalue("token")
    return fresh
