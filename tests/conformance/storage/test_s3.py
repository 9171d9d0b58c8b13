"""What only S3 can show: memory of large uploads, a store whose disk process is killed, credentials that change."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conformance.storage.places import content_of, fresh_key, lock_for
from tests.support.rgw import Rgw, new_bucket
from vault.foundation.clock import SystemClock
from vault.foundation.errors import VaultError
from vault.foundation.storage import bare_store
from vault.foundation.storage.errors import StoreDenied, StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, ObjectInfo
from vault.foundation.storage.retrying import RetryingStore
from vault.foundation.storage.s3 import S3Store

LARGE = Path(__file__).with_name("large.py")


@pytest.mark.rgw
@pytest.mark.slow
def test_a_large_object_needs_little_memory(rgw_bucket_url: str) -> None:
    done = subprocess.run(
        [sys.executable, str(LARGE), rgw_bucket_url, str(700 << 20)], capture_output=True, text=True, timeout=250
    )
    told = json.loads(done.stdout)
    assert told["is_same"]
    assert told["is_locked"]
    assert told["rss_bytes_max"] < 200 << 20


@pytest.mark.rgw
@pytest.mark.faults
@pytest.mark.invariant("U2")
def test_every_acknowledged_put_survives_the_death_of_the_stores_disk_process(private_rgw: Rgw) -> None:
    url = private_rgw.new_bucket()
    parts = urlsplit(url)
    bare = S3Store(parts.netloc, parts.path.strip("/"), is_secure=False, read_timeout_s=2)
    store = RetryingStore(bare, SystemClock())
    acknowledged: list[ObjectInfo] = []
    lock, stop = lock_for(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            data = f"object {len(acknowledged)} {threading.get_ident()}".encode() * 3000
            key = f"records/{threading.get_ident()}/{hashlib.sha256(data).hexdigest()}"
            try:
                acknowledged.append(store.put_new(key, content_of(data), lock))
            except StoreUnavailable:
                continue  # told as not stored: the client comes again

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(1.0)
        private_rgw.kill("osd")
        private_rgw.up()
    time.sleep(1.0)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(acknowledged) > 50
    for info in acknowledged:
        assert store.head(info.key, info.version_id) == info
        with store.open(info.key, info.version_id) as stream:
            assert hashlib.sha256(stream.read()).digest() == info.sha256


@pytest.mark.rgw
@pytest.mark.faults
def test_a_dead_store_is_told_in_time_and_works_again_when_it_is_back(private_rgw: Rgw) -> None:
    url = private_rgw.new_bucket()
    parts = urlsplit(url)
    store = S3Store(parts.netloc, parts.path.strip("/"), is_secure=False, read_timeout_s=1)
    for daemon in ("osd", "rgw"):
        private_rgw.kill(daemon)
        started = time.perf_counter()
        with pytest.raises(StoreUnavailable):
            store.put_new(fresh_key(), content_of(b"dead"), lock_for())
        assert time.perf_counter() - started < 10
        private_rgw.up()
        assert store.put_new(fresh_key(), content_of(b"back"), lock_for()).size_bytes == 4


@pytest.mark.rgw
def test_credentials_come_from_the_shared_file_too(
    rgw_bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(
        "[default]\n"
        f"aws_access_key_id = {os.environ['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {os.environ['AWS_SECRET_ACCESS_KEY']}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    store = bare_store(rgw_bucket_url, SystemClock())
    assert store.put_new(fresh_key(), content_of(b"from a file"), NO_LOCK).size_bytes == 11


def test_no_credentials_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreDenied, match="no AWS credentials"):
        bare_store("s3+http://127.0.0.1:9/bucket", SystemClock())


@pytest.mark.rgw
def test_errors_never_hold_the_secret(rgw: Rgw) -> None:
    store = bare_store(f"s3+{rgw.endpoint}/no-such-bucket", SystemClock())
    with pytest.raises(VaultError) as caught:
        store.put_new(fresh_key(), content_of(b"x"), NO_LOCK)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in f"{caught.value} {caught.value.facts}"


@pytest.mark.rgw
@pytest.mark.slow
def test_markers_and_further_versions_are_listed_with_their_key_over_pages(rgw_bucket_url: str) -> None:
    """More of one key than a page of the listing holds: nothing is left out, and keys stay in order."""
    parts = urlsplit(rgw_bucket_url)
    store = S3Store(parts.netloc, parts.path.strip("/"), is_secure=False)
    prefix = fresh_key("markers/")
    first, middle, last = (f"{prefix}{name}" for name in "abc")
    for key in (first, last):
        store.put_new(key, content_of(b"x"), NO_LOCK)
    with ThreadPoolExecutor(8) as pool:
        put = {"Bucket": store.bucket, "Key": middle, "Body": b"y"}
        versions = set(pool.map(lambda _: store.control.put_object(**put)["VersionId"], range(510)))
    marker = store.control.delete_object(Bucket=store.bucket, Key=middle)["VersionId"]

    named = list(store.list_names(prefix))

    assert [one.key for one in named] == [first, *[middle] * 511, last]
    assert {one.version_id for one in named if one.key == middle} == {*versions, marker}
    assert [one.version_id for one in named if one.is_marker] == [marker]
    assert [one.key for one in store.list_names(prefix, middle)] == [last]


def test_a_foreign_object_with_words_of_its_own_does_not_hide_the_others(moto_endpoint: str) -> None:
    store = bare_store(new_bucket(moto_endpoint), SystemClock())
    assert isinstance(store, S3Store)
    for name, digest in (("a", "zz"), ("b", "\u00fc".encode().hex()[:3])):
        store.control.put_object(Bucket=store.bucket, Key=name, Body=b"x", Metadata={"sha256": digest})
    own = store.put_new("c", content_of(b"y"), NO_LOCK)
    assert [(info.key, info.sha256) for info in store.list_versions("")] == [
        ("a", None),
        ("b", None),
        ("c", own.sha256),
    ]
