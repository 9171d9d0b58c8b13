"""Every hostile file is refused with its reason or taken whole, in bounded time and memory, and the pool survives."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile import good
from tests.hostile.corpus import ACCEPTED, COUNT, HostileFile, corpus
from vault.intake.checks import CheckPolicy, Examination, Severity, explain_finding
from vault.intake.decoding.decoder import MEMORY_BYTES_MAX
from vault.intake.decoding.isolated import NotRenderable, examine, render
from vault.intake.decoding.pool import decoders

pytestmark = pytest.mark.slow
SECONDS_MAX = 10.0
OWN_GROWTH_BYTES_MAX = 300 << 20


@pytest.fixture(scope="module")
def files() -> list[HostileFile]:
    return corpus()


def test_the_corpus_is_the_same_on_every_run(files: list[HostileFile]) -> None:
    assert len(files) == COUNT
    good.files.cache_clear()
    # PDFs with passwords hold random salts; all others are made of seeds alone.
    fixed = [(file.name, file.data) for file in files if "encrypted" not in file.name]
    assert fixed == [(file.name, file.data) for file in corpus() if "encrypted" not in file.name]


@pytest.mark.timeout(280)
def test_each_is_refused_with_its_reason_or_accepted_whole(files: list[HostileFile]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with ThreadPoolExecutor(2) as senders:
        problems = [problem for found in senders.map(_problems, files) for problem in found]
    assert problems == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < OWN_GROWTH_BYTES_MAX
    for process_id in decoders().process_ids:
        assert _peak_bytes(process_id) < MEMORY_BYTES_MAX


def test_the_decoders_serve_on_afterwards(files: list[HostileFile]) -> None:
    for file in [file for file in files if file.name.startswith("honest-")]:
        assert not _examined(file.data, file.name).is_refused, file.name


def _problems(file: HostileFile) -> Iterator[str]:
    started_s = time.monotonic()
    try:
        examination = _examined(file.data, file.name)
    except Exception as error:
        yield f"{file.name}: raised {error!r}"
        return
    seconds = time.monotonic() - started_s
    if seconds > SECONDS_MAX:
        yield f"{file.name}: took {seconds:.1f} s"
    refusals = {finding.code for finding in examination.findings if finding.severity is Severity.REFUSE}
    for finding in examination.findings:
        if not explain_finding(finding.code).message.format(**finding.facts):
            yield f"{file.name}: {finding.code} explains nothing"
    if refusals:
        if "*" not in file.outcomes and not refusals <= file.outcomes:
            yield f"{file.name}: refused for {sorted(refusals)}, not for {sorted(file.outcomes)}"
        return
    if not file.may_be_accepted:
        yield f"{file.name}: accepted, not refused for {sorted(file.outcomes)}"
    elif examination.page_count < 1 or len(examination.pages) != examination.page_count:
        yield f"{file.name}: accepted with {examination.page_count} pages"
    else:
        yield from _rendered_whole(file, examination)


def _rendered_whole(file: HostileFile, examination: Examination) -> Iterator[str]:
    """What was accepted has as many page images as pages; a decoder that fails on it fails cleanly."""
    try:
        made = list(render(io.BytesIO(file.data), len(file.data), examination.media_type))
    except NotRenderable:
        return
    pages = sum(rendition.kind == "page" for rendition in made)
    if pages != examination.page_count or made[-1].kind != "access_copy":
        yield f"{file.name}: {pages} page images of {examination.page_count} pages"


def _examined(data: bytes, name: str) -> Examination:
    return examine(io.BytesIO(data), len(data), CheckPolicy(), name)


def _peak_bytes(process_id: int) -> int:
    told = Path(f"/proc/{process_id}/status").read_text(encoding="ascii", errors="replace")
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def test_outcomes_name_only_codes_that_are_explained(files: list[HostileFile]) -> None:
    codes = {code for file in files for code in file.outcomes} - {"*", ACCEPTED}
    assert {code for code in codes if explain_finding(code).message == code} == set()
