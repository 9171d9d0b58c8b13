"""What has arrived of an upload in pieces: kept, sealed, gone on with, and never believed when it is damaged."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.archive import Archive
from vault.foundation.keys.custodian import Custodian
from vault.intake.errors import NoRoom, PieceOutOfPlace, ReceivedDamaged, UploadBusy
from vault.intake.unfinished import KEPT_FOR, SEGMENT_BYTES, UnfinishedUpload, clear_stale, require_room

SENDER, KEY = UUID(int=7), "client-key-of-a-test"
DATA = random.Random(1).randbytes(3 * SEGMENT_BYTES + 77)


@contextmanager
def upload(archive: Archive, key: str = KEY, size_bytes: int = len(DATA)) -> Iterator[UnfinishedUpload]:
    opened = UnfinishedUpload(archive.ctx, SENDER, key, size_bytes)
    try:
        yield opened
    finally:
        opened.close()


def bring(archive: Archive, stop: int = len(DATA), key: str = KEY) -> None:
    with upload(archive, key) as one:
        for at in range(one.received_bytes, stop, SEGMENT_BYTES):
            one.append(at, DATA[at : min(at + SEGMENT_BYTES, len(DATA))])


def file_of(archive: Archive) -> Path:
    (path,) = (archive.ctx.spool_directory / "unfinished").iterdir()
    return path


@pytest.mark.clause("V4")
def test_segments_of_several_requests_make_the_whole(archive: Archive) -> None:
    bring(archive, SEGMENT_BYTES)
    bring(archive, 2 * SEGMENT_BYTES)
    with upload(archive) as one:
        assert one.received_bytes == 2 * SEGMENT_BYTES
        assert not one.is_complete
    bring(archive)
    with upload(archive) as one:
        assert one.is_complete
        with one.opened() as content:
            assert content.read() == DATA
            for start, length in ((0, 5), (SEGMENT_BYTES - 3, 7), (3 * SEGMENT_BYTES, 99), (len(DATA), 1)):
                content.seek(start)
                assert content.read(length) == DATA[start : start + length]
            assert content.seek(-77, io.SEEK_END) == 3 * SEGMENT_BYTES
        one.forget()
    assert list((archive.ctx.spool_directory / "unfinished").iterdir()) == []


def test_a_piece_goes_only_where_it_belongs(archive: Archive) -> None:
    bring(archive, SEGMENT_BYTES)
    with upload(archive) as one:
        for at in (0, 2 * SEGMENT_BYTES):
            with pytest.raises(PieceOutOfPlace) as refused:
                one.append(at, DATA[at : at + SEGMENT_BYTES])
            assert refused.value.facts == {"received_bytes": SEGMENT_BYTES}
        assert one.received_bytes == SEGMENT_BYTES


@pytest.mark.faults
def test_a_segment_that_a_crash_tore_has_not_arrived(archive: Archive) -> None:
    bring(archive, 2 * SEGMENT_BYTES)
    os.truncate(file_of(archive), file_of(archive).stat().st_size - 1)
    with upload(archive) as one:
        assert one.received_bytes == SEGMENT_BYTES
    bring(archive)
    with upload(archive) as one, one.opened() as content:
        assert content.read() == DATA


@pytest.mark.faults
def test_damage_is_not_taken_for_the_file(archive: Archive) -> None:
    bring(archive)
    with file_of(archive).open("r+b") as file:
        file.seek(2 * SEGMENT_BYTES)
        file.write(bytes(100))
    with upload(archive) as one, one.opened() as content, pytest.raises(ReceivedDamaged):
        content.read()


@pytest.mark.invariant("K1")
def test_a_copy_of_the_spool_opens_for_nobody(archive: Archive) -> None:
    bring(archive)
    kept = file_of(archive).read_bytes()
    assert not any(DATA[at : at + 16] in kept for at in range(0, len(DATA) - 16, 1000))
    bring(archive, 0, key="another-key")
    (other,) = set((archive.ctx.spool_directory / "unfinished").iterdir()) - {_named(archive)}
    other.write_bytes(kept)
    with upload(archive, "another-key") as moved:
        assert moved.received_bytes == 0, "bound to its sender, key and size: it begins anew"


@pytest.mark.invariant("K1")
def test_a_destroyed_epoch_takes_what_had_arrived_with_it(archive: Archive) -> None:
    bring(archive, SEGMENT_BYTES)
    custodian: Custodian = archive.ctx.custodian
    custodian.create_epoch()
    custodian.destroy_epoch(custodian.epochs()[0])
    with upload(archive) as one:
        assert one.received_bytes == 0
    bring(archive)
    with upload(archive) as one, one.opened() as content:
        assert hashlib.file_digest(content, "sha256").digest() == hashlib.sha256(DATA).digest()


def test_only_one_request_settles_or_writes_at_a_time(archive: Archive) -> None:
    bring(archive)
    with upload(archive) as one, one.opened(), pytest.raises(UploadBusy), upload(archive):
        pass
    with upload(archive) as two:
        assert two.is_complete


def test_what_nobody_goes_on_with_is_removed(archive: Archive) -> None:
    bring(archive, SEGMENT_BYTES)
    old = (archive.clock.now() - KEPT_FOR - timedelta(minutes=1)).timestamp()
    assert clear_stale(archive.ctx.spool_directory, archive.clock) == 0
    os.utime(file_of(archive), (old, old))
    bring(archive, 0, key="a-fresh-one")
    assert clear_stale(archive.ctx.spool_directory, archive.clock) == 1
    with upload(archive) as one:
        assert one.received_bytes == 0


def test_what_the_disk_has_no_room_for_is_refused_before_it_travels(archive: Archive) -> None:
    spool = archive.ctx.spool_directory
    require_room(spool, 1000, 1000)
    free = shutil.disk_usage(spool).free
    with pytest.raises(NoRoom) as refused:
        require_room(spool, free // 2, free // 2)  # it fits, but not together with what is sealed from it
    assert refused.value.status == 507


def _named(archive: Archive) -> Path:
    name = hashlib.sha256(b"\0".join((SENDER.bytes, str(len(DATA)).encode(), KEY.encode()))).hexdigest()
    return archive.ctx.spool_directory / "unfinished" / name
