"""The decoder processes: replaced when they fail, stopped when they dawdle, without our secrets, gone when idle."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.hostile import good, pictures
from vault.intake.checks import CheckPolicy, Examination, Finding, Severity
from vault.intake.checks.model import PageFacts
from vault.intake.decoding import wire
from vault.intake.decoding.pool import DecoderFailed, Decoders, DecoderTooSlow
from vault.intake.errors import ExaminationUnavailable
from vault.intake.renditions.rendition import Rendition

_TIFF = good.files()["g4.tif"]


@pytest.fixture
def pool() -> Iterator[Decoders]:
    made = Decoders(processes_max=2)
    yield made
    made.stop()


def _examined(pool: Decoders, data: bytes = _TIFF, **more: float) -> Examination:
    return pool.examine(io.BytesIO(data), len(data), CheckPolicy(), "scan.tif", **more)


def test_one_process_serves_many_files(pool: Decoders) -> None:
    _examined(pool)
    (first,) = pool.process_ids
    for _ in range(5):
        assert _examined(pool).page_count == 2
    assert pool.process_ids == (first,)


def test_threads_share_the_processes(pool: Decoders) -> None:
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: _examined(pool).page_count, range(24)))
    assert found == [2] * 24
    assert 1 <= len(pool.process_ids) <= 2


def test_a_killed_decoder_is_replaced(pool: Decoders) -> None:
    _examined(pool)
    (first,) = pool.process_ids
    os.kill(first, signal.SIGKILL)
    assert _examined(pool).page_count == 2
    assert pool.process_ids != (first,)


def test_a_decoder_that_takes_too_long_is_stopped_and_replaced(pool: Decoders) -> None:
    slow = pictures.endless_tiff()
    _examined(pool)
    (first,) = pool.process_ids
    started_s = time.monotonic()
    with pytest.raises(DecoderTooSlow):
        _examined(pool, slow, seconds_max=0.5)
    assert time.monotonic() - started_s < 2
    assert pool.process_ids == ()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert _examined(pool).page_count == 2


def test_a_decoder_that_dies_before_it_saw_the_file_does_not_speak_against_it(pool: Decoders) -> None:
    before = set(psutil.Process().children())
    with ThreadPoolExecutor(1) as threads:
        examined = threads.submit(_examined, pool)
        while not (started := set(psutil.Process().children()) - before):
            time.sleep(0.001)
        started.pop().kill()
        with pytest.raises(ExaminationUnavailable):
            examined.result()
    assert _examined(pool).page_count == 2


def test_a_rendering_that_nobody_waits_for_frees_its_place(pool: Decoders) -> None:
    for _ in range(3):
        making = pool.render(io.BytesIO(_TIFF), len(_TIFF), "image/tiff")
        assert next(making).kind == "page"
        making.close()  # type: ignore[attr-defined]  # a generator
    assert _examined(pool).page_count == 2


def test_decoders_that_nobody_needs_end() -> None:
    pool = Decoders(idle_seconds_max=0.2)
    _examined(pool)
    (process_id,) = pool.process_ids
    deadline_s = time.monotonic() + 5
    while Path(f"/proc/{process_id}").exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert pool.process_ids == ()
    assert not Path(f"/proc/{process_id}").exists()
    assert _examined(pool).page_count == 2
    pool.stop()


def test_a_decoder_inherits_no_secrets_and_cannot_write_files(
    pool: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "known-only-to-us")
    _examined(pool)
    (process_id,) = pool.process_ids
    told = Path(f"/proc/{process_id}/environ").read_bytes()
    assert b"known-only-to-us" not in told
    limits = Path(f"/proc/{process_id}/limits").read_text(encoding="ascii")
    bounded = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert bounded["Max file size"] == bounded["Max core file size"] == "0"
    assert int(bounded["Max address space"]) <= 1 << 30


def test_a_file_on_disk_is_examined_where_it_is(pool: Decoders, tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    file.write_bytes(_TIFF)
    with file.open("rb") as source:
        source.seek(77)
        assert pool.examine(source, len(_TIFF), CheckPolicy(), "scan.tif").page_count == 2


def _reader(data: bytes) -> wire.Malformed | None:
    source = io.BytesIO(data)
    try:
        told, _ = wire.read_frame(source.read)
        wire.examination_from(told, 3_000)
    except wire.Malformed as error:
        return error
    return None


def test_an_examination_survives_the_wire() -> None:
    finding = Finding("skewed", Severity.WARN, 2, {"degrees": "3.5"})
    pages = (PageFacts(10, 20, 200, -1.25, False, "top", "grey"), PageFacts(1, 2))
    whole = Examination("image/tiff", 2, (finding,), "KH-20260101-0001", pages)
    told, _ = wire.read_frame(io.BytesIO(wire.frame(wire.examination_told(whole))).read)
    assert wire.examination_from(told, 3_000) == whole
    rendition = Rendition("page", 3, "image/jpeg", b"\xff\xd8")
    told, data = wire.read_frame(io.BytesIO(wire.frame(wire.rendition_told(rendition), rendition.data)).read)
    assert wire.rendition_from(told, data) == rendition


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"media_type": "text/html", "page_count": 1, "findings": [], "slip_number": None, "pages": []},
        {"media_type": "image/tiff", "page_count": "1", "findings": [], "slip_number": None, "pages": []},
        {"media_type": "image/tiff", "page_count": -1, "findings": [], "slip_number": None, "pages": []},
        {"media_type": "image/tiff", "page_count": 1, "findings": [{}], "slip_number": None, "pages": []},
        {"media_type": "image/tiff", "page_count": 1, "findings": [], "slip_number": "x" * 9_999, "pages": []},
        {"media_type": "image/tiff", "page_count": 1, "findings": [], "slip_number": None, "pages": [7]},
        {"media_type": "image/tiff", "page_count": 1, "findings": [0] * 9_999, "slip_number": None, "pages": []},
    ],
)
def test_what_a_taken_over_decoder_may_say_is_bounded(told: dict[str, object]) -> None:
    assert isinstance(_reader(wire.frame(told)), wire.Malformed)


@pytest.mark.parametrize(
    "data", [b"\xff" * 12, wire.frame({})[:4] + b"\xff" * 8, (5).to_bytes(4) + bytes(8) + b"[[[[["]
)
def test_frames_of_another_form_are_refused(data: bytes) -> None:
    assert isinstance(_reader(data), wire.Malformed)


def test_memory_is_bounded_by_the_kernel(pool: Decoders) -> None:
    """A picture within the bounds of the policy, larger than a decoder may become: the decoder dies, not the service."""
    packed = pictures.zeros(1 << 20)
    entries = [(256, 4, 1, 39_000), (257, 4, 1, 39_000), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 122), (277, 3, 1, 1), (278, 4, 1, 39_000), (279, 4, 1, len(packed))]
    data = pictures.tiff(entries, 0, packed)
    policy = CheckPolicy(pixels_max=2_000_000_000)
    with pytest.raises(DecoderFailed):
        pool.examine(io.BytesIO(data), len(data), policy, "scan.png")
    assert _examined(pool).page_count == 2


def test_a_pool_that_stands_ready_keeps_one_decoder_however_idle() -> None:
    pool = Decoders(processes_max=2, idle_seconds_max=0.2)
    pool.stand_ready()
    try:
        (first,) = pool.process_ids
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda _: _examined(pool).page_count, range(8))) == [2] * 8
        deadline_s = time.monotonic() + 5
        while len(pool.process_ids) > 1 and time.monotonic() < deadline_s:
            time.sleep(0.05)
        time.sleep(0.5)
        assert len(pool.process_ids) == 1
        assert Path(f"/proc/{first}").exists() or pool.process_ids != (first,)
    finally:
        pool.stop()
