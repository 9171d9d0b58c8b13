"""Each hostile file is refused with its reason or accepted whole, within its time; nothing else falls."""

from __future__ import annotations

import io
import resource
import time

import pytest

from tests.hostile.corpus import COUNT, Hostile, corpus, crafted, good_files, pdfs_with_intent
from vault.intake.checks import CheckPolicy, Severity
from vault.intake.decoding.isolated import NotRenderable, examine, render

SECONDS_MAX = 10.0
PARTS = 4


def test_there_are_as_many_as_promised_and_all_different() -> None:
    files = list(corpus())
    assert len(files) == COUNT
    assert len({hostile.name for hostile in files}) == COUNT


@pytest.mark.parametrize("name", sorted(good_files()))
def test_the_good_files_that_they_come_from_are_accepted(name: str) -> None:
    data = good_files()[name]
    examination = examine(io.BytesIO(data), len(data), CheckPolicy(), name)
    assert not examination.is_refused, examination.findings
    assert examination.page_count == (2 if name == "g4.tif" else 1)


@pytest.mark.parametrize("hostile", [*crafted(), *pdfs_with_intent()], ids=lambda hostile: hostile.name)
def test_what_has_a_name_is_refused_by_its_name(hostile: Hostile) -> None:
    examination, seconds = _examine(hostile)
    assert seconds < SECONDS_MAX
    codes = {finding.code for finding in examination.findings if finding.severity is Severity.REFUSE}
    if hostile.must_refuse:
        assert codes & set(hostile.must_refuse), (hostile.name, examination.findings)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_file_is_refused_with_a_reason_or_accepted_whole(part: int) -> None:
    for hostile in list(corpus())[part::PARTS]:
        examination, seconds = _examine(hostile)
        assert seconds < SECONDS_MAX, hostile.name
        if examination.is_refused:
            assert any(finding.severity is Severity.REFUSE for finding in examination.findings)
            continue
        assert examination.page_count > 0, hostile.name
        _render(hostile, examination.media_type)
    own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert own_bytes < 1 << 30


def _render(hostile: Hostile, media_type: str) -> None:
    """What was accepted can be rendered, or says why not; the process that tries survives either way."""
    started = time.monotonic()
    try:
        kinds = {rendition.kind for rendition in render(io.BytesIO(hostile.data), len(hostile.data), media_type)}
    except NotRenderable:
        kinds = {"not renderable"}
    assert kinds
    assert time.monotonic() - started < 60


def _examine(hostile: Hostile):  # type: ignore[no-untyped-def]
    started = time.monotonic()
    examination = examine(io.BytesIO(hostile.data), len(hostile.data), CheckPolicy(), hostile.name)
    return examination, time.monotonic() - started
