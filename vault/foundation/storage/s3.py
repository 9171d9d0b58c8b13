"""An S3 bucket under Object Lock: bytes by `minio`, control by `boto3` (`docs/reference/stores.md` says why).

Stores differ in what they enforce, so nothing is believed: after every write size, digest, mode and date are read
back; after a multipart upload, which some stores leave unlocked, retention is set and read back; conditional
writes are not relied on, because object names carry the digest of their bytes.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.credentials.credentials import Credentials as MinioCredentials
from minio.credentials.providers import Provider
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.retention import Retention

from vault.foundation.errors import VaultError
from vault.foundation.storage.errors import (
    AlreadyExists,
    LockRefused,
    ObjectNotFound,
    StoreDenied,
    StoreLied,
    StoreUnavailable,
)
from vault.foundation.storage.interface import (
    NO_LOCK,
    Content,
    Listed,
    Lock,
    LockMode,
    ObjectInfo,
    check_read_back,
    words,
)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
CONNECTIONS_MAX = 32
PART_BYTES = 16 << 20
_DIGEST = "sha256"
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "NoSuchObject"})
_PASSING_CODES = frozenset(
    {
        "InternalError",
        "ServiceUnavailable",
        "SlowDown",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "OperationAborted",
        "BadDigest",  # the bytes were damaged on their way: the next try may bring them whole
        "XAmzContentSHA256Mismatch",
        "IncompleteBody",
        "NoSuchUpload",  # completed before, and the answer was lost: the next try finds the object
    }
)
_BAD_LOCK_CODES = frozenset({"InvalidArgument", "InvalidRequest"})  # a date in the past
_MINIO_MODES = {LockMode.GOVERNANCE: GOVERNANCE, LockMode.COMPLIANCE: COMPLIANCE}


class S3Store:
    """One bucket. Safe for many threads; credentials come from the usual AWS variables and files."""

    def __init__(self, host: str, bucket: str, *, is_secure: bool, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        scheme = "https" if is_secure else "http"
        self.name = f"s3+{scheme}://{host}/{bucket}"
        self.bucket = bucket
        session = boto3.session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise StoreDenied(store=self.name, problem="no AWS credentials were found")
        region = session.region_name or "us-east-1"
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
        self._bytes = Minio(
            host,
            credentials=_SameCredentials(credentials),
            secure=is_secure,
            region=region,
            http_client=urllib3.PoolManager(timeout=timeout, maxsize=CONNECTIONS_MAX, retries=False),
        )
        self.control: Any = session.client(
            "s3",
            endpoint_url=f"{scheme}://{host}",
            region_name=region,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=read_timeout_s,
                max_pool_connections=CONNECTIONS_MAX,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        """See `Store.put_new`."""
        if is_fresh:
            return self._put(key, content, lock)
        try:
            present = self.head(key)
        except ObjectNotFound:
            return self._put(key, content, lock)
        # Not conditional writes, which not every store keeps: the name carries the digest, so that two writers
        # who come past this together write the same bytes.
        if (present.sha256, present.size_bytes) != (content.sha256, content.size_bytes):
            raise AlreadyExists(store=self.name, key=key)
        if present.lock.covers(lock):
            return present
        return self.set_retention(key, present.version_id, present.lock.joined(lock))

    def _put(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        is_single = content.size_bytes <= PART_BYTES
        retention = None
        headers: dict[str, str | list[str] | tuple[str]] = {_DIGEST: content.sha256.hex()}
        if is_single:
            # AWS wants a digest beside lock headers, and checks the bytes against it; others at least keep quiet.
            headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
            headers["x-amz-checksum-sha256"] = base64.b64encode(content.sha256).decode()
            if lock.until is not None:
                retention = Retention(_MINIO_MODES[lock.mode], lock.until)
        with self._failures(key, lock), content.open() as reader:
            result = self._bytes.put_object(
                self.bucket,
                key,
                reader,
                content.size_bytes,
                content_type="application/octet-stream",
                metadata=headers,
                retention=retention,
                part_size=PART_BYTES,  # without it the library goes over to parts from 5 MiB on
                num_parallel_uploads=1,
            )
        return self.confirm(key, result.version_id, content, lock, is_locked_by_now=is_single)

    def confirm(
        self, key: str, version_id: str | None, content: Content, lock: Lock, *, is_locked_by_now: bool
    ) -> ObjectInfo:
        """Nothing is stored until the store says the same when it is asked again."""
        try:
            info = self.head(key, version_id)
            if not is_locked_by_now and not info.lock.covers(lock):  # it may, where the bucket has a default
                self._put_retention(key, version_id, info.lock.joined(lock))
                info = self.head(key, version_id)
        except ObjectNotFound:
            raise StoreLied(
                store=self.name, key=key, what="object", expected="what was written", found="nothing"
            ) from None
        return check_read_back(self.name, info, content, lock)

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`."""
        if length == 0:
            return io.BytesIO()
        try:
            with self._failures(key):
                response = self._bytes.get_object(
                    self.bucket, key, version_id=version_id, offset=offset, length=length or 0
                )
        except _BeyondTheEnd:
            return io.BytesIO()
        expected = int(response.headers.get("Content-Length", -1))
        return cast("BinaryIO", _Body(self, key, response, expected))

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`. Lock and hold come as headers, so one request tells all."""
        with self._failures(key):
            stat = self._bytes.stat_object(self.bucket, key, version_id=version_id)
        headers = {name.lower(): value for name, value in (stat.metadata or {}).items()}
        try:
            lock = _lock_from(
                headers.get("x-amz-object-lock-mode"), headers.get("x-amz-object-lock-retain-until-date")
            )
        except ValueError:
            raise StoreLied(store=self.name, key=key, what="lock", expected="a lock", found="other words") from None
        return ObjectInfo(
            key=key,
            version_id=stat.version_id or "null",
            size_bytes=stat.size or 0,
            sha256=_digest_from(headers.get(f"x-amz-meta-{_DIGEST}")),
            lock=lock,
            legal_hold=headers.get("x-amz-object-lock-legal-hold") == "ON",
            stored_at=stat.last_modified or datetime.min.replace(tzinfo=UTC),
        )

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`. The listing has no locks, so each version is asked for its head."""
        for named in self.list_names(prefix, after):
            if named.is_marker:
                continue
            try:
                info = self.head(named.key, named.version_id)
            except StoreLied:
                info = named.damaged()
            except ObjectNotFound:  # removed since it was listed
                continue
            yield info

    def list_names(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """See `Store.list_names`. Versions and markers come as two lists in key order, which are put together."""
        marker: dict[str, str] = {"KeyMarker": after} if after else {}
        while True:
            with self._failures(prefix):
                page = self.control.list_object_versions(Bucket=self.bucket, Prefix=prefix, MaxKeys=500, **marker)
            named = [
                Listed(one["Key"], one["VersionId"], one["LastModified"], is_marker=kind == "DeleteMarkers")
                for kind in ("Versions", "DeleteMarkers")
                for one in page.get(kind, [])
            ]
            for one in sorted(named, key=lambda one: one.key):
                if after is None or one.key > after:
                    yield one
            if not page.get("IsTruncated"):
                return
            marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`. Checked here first: not every store refuses a shortening."""
        present = self.head(key, version_id)
        if lock.until is None or not lock.covers(present.lock):
            raise LockRefused(key=key, present=words(present.lock), asked=words(lock))
        try:
            self._put_retention(key, version_id, lock)
        except StoreDenied:
            if (present.lock.mode, lock.mode) != (LockMode.GOVERNANCE, LockMode.COMPLIANCE):
                raise
            # Some stores call any change of mode a bypass, also the one that only makes the lock stronger.
            self._put_retention(key, version_id, lock, BypassGovernanceRetention=True)
        info = self.head(key, version_id)
        if not info.lock.covers(lock):
            raise StoreLied(store=self.name, key=key, what="lock", expected=words(lock), found=words(info.lock))
        return info

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._failures(key):
            self.control.put_object_legal_hold(
                Bucket=self.bucket,
                Key=key,
                VersionId=version_id,
                LegalHold={"Status": "ON" if on else "OFF"},
            )
        info = self.head(key, version_id)
        if info.legal_hold is not on:
            raise StoreLied(store=self.name, key=key, what="legal hold", expected=on, found=info.legal_hold)
        return info

    def _put_retention(self, key: str, version_id: str | None, lock: Lock, **extra: bool) -> None:
        with self._failures(key, lock):
            self.control.put_object_retention(
                Bucket=self.bucket,
                Key=key,
                Retention={"Mode": lock.mode.value, "RetainUntilDate": lock.until},
                **({"VersionId": version_id} if version_id else {}),
                **extra,
            )

    @contextmanager
    def _failures(self, key: str, lock: Lock = NO_LOCK) -> Iterator[None]:
        """Turns the libraries' errors into ours, passing ones apart from permanent ones."""
        try:
            yield
        except S3Error as error:
            raise self._meaning(error.code or "", error.response.status, key, lock) from error
        except ServerError as error:
            raise StoreUnavailable(store=self.name, problem=f"HTTP {error.status_code}") from error
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise self._meaning(error.response["Error"]["Code"], status, key, lock) from error
        except (InvalidResponseError, BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(store=self.name, problem=type(error).__name__) from error

    def _meaning(self, code: str, status: int, key: str, lock: Lock) -> VaultError:
        if code in _MISSING_CODES:
            return ObjectNotFound(store=self.name, key=key)
        if code in _PASSING_CODES or status >= 500 or status in {408, 429}:
            return StoreUnavailable(store=self.name, problem=code or f"HTTP {status}")
        if code == "InvalidRange":
            return _BeyondTheEnd(store=self.name, problem=code)
        if lock.until is not None and code in _BAD_LOCK_CODES:
            return LockRefused(key=key, present=words(NO_LOCK), asked=words(lock))
        return StoreDenied(store=self.name, problem=code or f"HTTP {status}")


class _BeyondTheEnd(StoreDenied):
    """A range that begins behind the last byte."""


class _SameCredentials(Provider):
    """The credentials that boto3 found, renewed by it when they are temporary."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def retrieve(self) -> MinioCredentials:
        frozen = self._found.get_frozen_credentials()
        return MinioCredentials(frozen.access_key, frozen.secret_key, frozen.token)


class _Body(io.RawIOBase):
    """A response body: a connection that ends early is a passing failure, never the end of the object."""

    def __init__(self, store: S3Store, key: str, response: Any, expected_bytes: int) -> None:
        self._store = store
        self._key = key
        self._response = response
        self._left_bytes = expected_bytes

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises StoreUnavailable when fewer bytes come than were promised."""
        try:
            data: bytes = self._response.read() if size is None or size < 0 else self._response.read(size)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(store=self._store.name, problem=type(error).__name__) from error
        if self._left_bytes >= 0:
            self._left_bytes -= len(data)
            is_at_end = not data or size is None or size < 0
            if size != 0 and is_at_end and self._left_bytes > 0:
                raise StoreUnavailable(store=self._store.name, problem="the body ended early")
        return data

    def close(self) -> None:
        if not self.closed:
            self._response.close()
            self._response.release_conn()
        super().close()


def _digest_from(told: str | None) -> bytes | None:
    """A digest from its header, which anybody who may write to the bucket fills as he likes."""
    try:
        return bytes.fromhex(told) if told else None
    except ValueError:
        return None


def _lock_from(mode: str | None, until: str | None) -> Lock:
    """A lock from its headers. Some stores write nanoseconds, which Python does not read: they are cut."""
    if not mode or not until:
        return NO_LOCK
    text = until.strip().replace("Z", "+00:00")
    head, dot, rest = text.partition(".")
    if dot:
        zone = rest[rest.find("+") :] if "+" in rest else "+00:00"
        text = head + zone
    return Lock(LockMode(mode.upper()), datetime.fromisoformat(text).astimezone(UTC))
