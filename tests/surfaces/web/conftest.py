"""Lets the tests here share the sample pages, as the preview script does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.archive import Archive
from tests.support.pages import Visitor, make_app, serving, visiting

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "browsing(**settings): browser settings of a test of the pages")


@pytest.fixture
def root(archive: Archive, tmp_path: Path) -> Iterator[str]:
    """The application on a small archive, over HTTP."""
    with serving(make_app(archive, tmp_path)) as address:
        yield address


@pytest.fixture
def visit(root: str, archive: Archive) -> Iterator[Callable[..., Visitor]]:
    """Signs somebody with roles in, in a browser without scripts."""
    with ExitStack() as stack:
        yield lambda login, *roles, **more: stack.enter_context(visiting(root, archive, login, *roles, **more))
