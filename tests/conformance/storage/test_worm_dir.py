"""The write-once directory through crashes, full disks, races of processes and tampering hands."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conformance.storage.places import content_of, fresh_key, lock_for
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.storage.errors import AlreadyExists, BadStoreAddress, StoreDenied, StoreLied, StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode
from vault.foundation.storage.probing import PROBE_PREFIX, attempts_on
from vault.foundation.storage.worm_dir import WormDirectory

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def store(tmp_path: Path) -> WormDirectory:
    return WormDirectory(tmp_path / "store", SystemClock())


def paths(directory: Path, key: str) -> tuple[Path, Path]:
    """Object and lock file as docs/formats/worm-dir.md says."""
    name = hashlib.sha256(key.encode()).hexdigest()
    return directory / "objects" / name[:2] / name, directory / "locks" / name[:2] / name


def writer(store_url: str, seed: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), store_url, seed], stdout=subprocess.PIPE, text=True, **options
    )


def test_the_directory_is_as_its_format_says(store: WormDirectory, tmp_path: Path) -> None:
    directory, key, lock = tmp_path / "store", fresh_key(), lock_for()
    info = store.put_new(key, content_of(b"the bytes"), lock)
    object_path, lock_path = paths(directory, key)
    assert stat.S_IMODE(object_path.stat().st_mode) == 0o400
    header, digest, body = object_path.read_bytes().split(b"\n", 2)
    assert body == b"the bytes"
    assert digest.decode() == hashlib.sha256(header).hexdigest()
    assert json.loads(header) == {
        "format": 1,
        "key": key,
        "lock": {"mode": "GOVERNANCE", "until": lock.until.isoformat()},
        "sha256": hashlib.sha256(b"the bytes").hexdigest(),
        "size_bytes": 9,
        "stored_at": info.stored_at.isoformat(timespec="microseconds"),
    }
    assert not lock_path.exists()
    store.set_hold(key, info.version_id, on=True)
    line, digest, rest = lock_path.read_bytes().split(b"\n")
    assert digest.decode() == hashlib.sha256(line).hexdigest()
    assert rest == b""
    assert json.loads(line) == {
        "format": 1,
        "legal_hold": True,
        "mode": "GOVERNANCE",
        "until": lock.until.isoformat(),
    }
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert (directory / "format").read_text() == "slipvault worm directory 1\n"
    assert list((directory / "tmp").iterdir()) == []


@pytest.mark.faults
@pytest.mark.invariant("U2")
def test_every_acknowledged_put_survives_kill_9_whole_and_nothing_else_shows(tmp_path: Path) -> None:
    url, source = f"worm://{tmp_path}/store", random.Random(1)
    put: set[str] = set()
    held: set[str] = set()
    for round_number in range(25):
        with writer(url, f"seed{round_number}") as process:
            first = process.stdout.readline()  # the interpreter's start is not what is to be killed
            time.sleep(source.random() * 0.06)
            process.send_signal(signal.SIGKILL)
            said = [first, *process.stdout]
        put |= {line.split()[1] for line in said if line.startswith("put ") and line.endswith("\n")}
        held |= {line.split()[1] for line in said if line.startswith("held ") and line.endswith("\n")}
    assert len(put) > 25
    store = WormDirectory(tmp_path / "store", SystemClock())
    listed = {info.key: info for info in store.list_versions("records/")}
    assert put <= set(listed)
    assert len(listed) - len(put) <= 25  # stored, and killed before it could be said
    for key, info in listed.items():
        with store.open(key) as stream:
            data = stream.read()
        assert hashlib.sha256(data).hexdigest() == key.rsplit("/", 1)[1]
        assert info.size_bytes == len(data)
        assert info.lock.mode is LockMode.GOVERNANCE
        assert info.legal_hold or key not in held
    for key in list(listed)[:5]:  # a retry meets its own bytes
        with store.open(key) as stream:
            content = content_of(stream.read())
        assert store.put_new(key, content, lock_for()).version_id == listed[key].version_id


@pytest.mark.faults
def test_several_processes_share_a_directory_from_its_first_moment(tmp_path: Path) -> None:
    url = f"worm://{tmp_path}/store"
    with ExitStack() as stack:
        processes = [stack.enter_context(writer(url, "shared")) for _ in range(4)]
        time.sleep(2.5)
        for process in processes:
            process.send_signal(signal.SIGKILL)
        said = [line for process in processes for line in process.stdout]
    put = {line.split()[1] for line in said if line.startswith("put ") and line.endswith("\n")}
    store = WormDirectory(tmp_path / "store", SystemClock())
    assert len(put) > 10
    for key in put:
        with store.open(key) as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == key.rsplit("/", 1)[1]


def test_litter_of_a_crash_is_harmless_and_goes_after_a_day(store: WormDirectory, tmp_path: Path) -> None:
    old, young = tmp_path / "store" / "tmp" / "old", tmp_path / "store" / "tmp" / "young"
    for path in (old, young):
        path.write_bytes(b"half an obj")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    again = WormDirectory(tmp_path / "store", SystemClock())
    assert list(again.list_versions("")) == []
    assert not old.exists()
    assert young.exists()


@pytest.mark.faults
@pytest.mark.invariant("U2")
def test_a_full_disk_refuses_and_leaves_nothing_half_stored(tmp_path: Path) -> None:
    """A file system of a megabyte where we may mount one, else a limit of file size: both end a write midway."""
    mount = tmp_path / "small"
    mount.mkdir()
    is_mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(mount)], capture_output=True
        ).returncode
        == 0
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        store = WormDirectory(mount / "store", SystemClock())
        if not is_mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        kept = store.put_new(fresh_key(), content_of(b"k" * 300_000), lock_for())
        with pytest.raises(StoreUnavailable) as caught:
            store.put_new(fresh_key(), content_of(b"x" * 1_500_000), lock_for())
        expected = errno.ENOSPC if is_mounted else errno.EFBIG
        assert caught.value.facts["problem"] == os.strerror(expected)
        assert list((mount / "store" / "tmp").iterdir()) == []
        assert [info.key for info in store.list_versions("")] == [kept.key]
        assert store.put_new(fresh_key(), content_of(b"fits"), lock_for()).size_bytes == 4
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
        if is_mounted:
            subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.invariant("R1")
def test_a_lock_file_that_was_changed_is_found(store: WormDirectory, tmp_path: Path) -> None:
    key = fresh_key()
    info = store.put_new(key, content_of(b"tamper"), lock_for(hours=1))
    store.set_retention(key, info.version_id, lock_for(hours=50))
    lock_path = paths(tmp_path / "store", key)[1]
    whole = lock_path.read_bytes()
    for position in range(len(whole)):
        lock_path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(StoreLied):
            store.head(key)
        with store.open(key) as stream:
            assert stream.read() == b"tamper"
    for cut in (0, 10, len(whole) - 1):
        lock_path.write_bytes(whole[:cut])
        with pytest.raises(StoreLied):
            store.set_hold(key, info.version_id, on=False)


@pytest.mark.invariant("R1")
def test_a_lock_file_forged_or_removed_never_undercuts_the_first_lock(store: WormDirectory, tmp_path: Path) -> None:
    key, first = fresh_key(), lock_for(LockMode.COMPLIANCE, hours=1)
    info = store.put_new(key, content_of(b"forge"), first)
    store.set_retention(key, info.version_id, lock_for(LockMode.COMPLIANCE, hours=50))
    lock_path = paths(tmp_path / "store", key)[1]
    line = b'{"format":1,"legal_hold":false,"mode":"NONE","until":null}'
    lock_path.write_bytes(line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n")
    assert store.head(key).lock == first
    lock_path.unlink()
    assert store.head(key).lock == first


def test_every_flipped_byte_of_an_object_is_seen(store: WormDirectory, tmp_path: Path) -> None:
    key = fresh_key()
    content = content_of(b"every byte counts")
    store.put_new(key, content, lock_for())
    path = paths(tmp_path / "store", key)[0]
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.chmod(0o600)
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            info = store.head(key)
        except StoreLied:
            continue
        with store.open(key) as stream:
            assert hashlib.sha256(stream.read()).digest() != info.sha256
        with pytest.raises(AlreadyExists):  # nobody takes the damaged bytes for stored
            store.put_new(key, content, lock_for())


def test_files_swapped_by_hand_answer_with_the_others_key(store: WormDirectory, tmp_path: Path) -> None:
    keys = [fresh_key("a"), fresh_key("b")]
    for key in keys:
        store.put_new(key, content_of(b"same length " + key[-1:].encode()), lock_for())
    first, second = (paths(tmp_path / "store", key)[0] for key in keys)
    first.rename(tmp_path / "aside")
    second.rename(first)
    (tmp_path / "aside").rename(second)
    assert store.head(keys[0]).key == keys[1]
    with pytest.raises(AlreadyExists):
        store.put_new(keys[0], content_of(b"same length a"), lock_for())


def test_a_damaged_file_does_not_hide_the_others(store: WormDirectory, tmp_path: Path) -> None:
    good, bad = fresh_key("good"), fresh_key("bad")
    for key in (good, bad):
        store.put_new(key, content_of(key.encode()), lock_for())
    path = paths(tmp_path / "store", bad)[0]
    path.chmod(0o600)
    path.write_bytes(b"")
    assert [info.key for info in store.list_versions("records/")] == [good]
    with pytest.raises(StoreLied):
        store.head(bad)


def test_a_file_moved_aside_does_not_hide_the_others(store: WormDirectory, tmp_path: Path) -> None:
    moved, copied, other = (store.put_new(fresh_key(), content_of(os.urandom(9)), lock_for()).key for _ in range(3))
    file = paths(tmp_path / "store", moved)[0]
    file.rename(file.with_name("aside"))
    twin = paths(tmp_path / "store", copied)[0]
    twin.with_name("copy").write_bytes(twin.read_bytes())
    assert [info.key for info in store.list_versions("")] == sorted([copied, other])


def test_a_damaged_lock_file_or_a_foreign_thing_does_not_hide_the_others(
    store: WormDirectory, tmp_path: Path
) -> None:
    junk, folder, good = (
        store.put_new(f"records/{name}", content_of(name.encode()), lock_for()).key for name in ("a", "b", "c")
    )
    paths(tmp_path / "store", junk)[1].write_bytes(b"junk")
    paths(tmp_path / "store", folder)[1].mkdir()
    (tmp_path / "store" / "objects" / "a note").write_bytes(b"?")
    (tmp_path / "store" / "objects" / "00" / "folder").mkdir()
    for told in ({"key": 5}, {"key": "\ud800"}, {"key": "x\0"}, [], [[[]]]):
        header = json.dumps(told).encode()
        file = b"\n".join([header, hashlib.sha256(header).hexdigest().encode(), b""])
        (tmp_path / "store" / "objects" / "01" / hashlib.sha256(file).hexdigest()).write_bytes(file)
    listed = list(store.list_versions(""))
    assert [(info.key, info.is_damaged) for info in listed] == [(junk, True), (folder, True), (good, False)]
    with pytest.raises(StoreLied):
        store.head(junk)


def test_a_lock_ends_by_the_clock(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = WormDirectory(tmp_path / "store", clock)
    until = clock.now() + timedelta(days=1)
    info = store.put_new(PROBE_PREFIX + "x", content_of(b"x"), Lock(LockMode.COMPLIANCE, until))
    attempts = attempts_on(store)
    assert not attempts.delete(info.key, info.version_id, bypass=True)
    clock.advance(timedelta(days=1))
    assert attempts.delete(info.key, info.version_id, bypass=False)
    assert list(store.list_versions("")) == []


def test_what_a_deletion_left_of_a_lock_does_not_bind_the_next_object(store: WormDirectory, tmp_path: Path) -> None:
    """A crash between the removal of the object and of its lock file."""
    key = fresh_key()
    info = store.put_new(key, content_of(b"again"), NO_LOCK)
    store.set_hold(key, info.version_id, on=True)
    store.set_hold(key, info.version_id, on=False)
    paths(tmp_path / "store", key)[0].unlink()
    lock = lock_for()
    assert store.put_new(key, content_of(b"again"), lock).lock == lock


def test_a_directory_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("slipvault worm directory 2\n")
    with pytest.raises(BadStoreAddress, match="another format"):
        WormDirectory(tmp_path, SystemClock())


def test_a_path_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises((StoreUnavailable, StoreDenied)):
        WormDirectory(tmp_path / "file" / "store", SystemClock())


def test_content_that_ends_early_is_refused(store: WormDirectory) -> None:
    short = Content.from_bytes(b"abc", hashlib.sha256(b"abcd").digest())
    with pytest.raises(StoreLied):
        store.put_new(fresh_key(), short, lock_for())
    assert list(store.list_versions("")) == []
