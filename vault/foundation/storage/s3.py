"""An S3 bucket under Object Lock: bytes by `minio`, control by `boto3` (`docs/reference/stores.md` says why).

Stores differ in what they enforce, so nothing is believed: after every write size, digest, mode and date are read
back; after a multipart upload, which some stores leave unlocked, retention is set and read back; conditional
writes are not relied on, because object names carry the digest of their bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.retention import Retention

from vault.foundation.storage.errors import (
    AlreadyExists,
    LockRefused,
    ObjectNotFound,
    StoreDenied,
    StoreUnavailable,
)
from vault.foundation.storage.interface import (
    NO_LOCK,
    Content,
    Lock,
    LockMode,
    ObjectInfo,
    check_read_back,
    words,
)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
CONNECTIONS_MAX = 32
SINGLE_PUT_BYTES_MAX = 16 << 20
PART_BYTES = 16 << 20
_DIGEST = "sha256"
_NO_RETENTION_CODES = frozenset(
    {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"}
)
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "NoSuchObject"})
_PASSING_CODES = frozenset(
    {
        "InternalError",
        "ServiceUnavailable",
        "SlowDown",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "OperationAborted",
    }
)
_MINIO_MODES = {LockMode.GOVERNANCE: GOVERNANCE, LockMode.COMPLIANCE: COMPLIANCE}


class S3Store:
    """One bucket. Safe for many threads; credentials come from the usual AWS variables and files."""

    def __init__(self, host: str, bucket: str, *, is_secure: bool) -> None:
        scheme = "https" if is_secure else "http"
        self.name = f"s3+{scheme}://{host}/{bucket}"
        self._bucket = bucket
        session = boto3.session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise StoreDenied(store=self.name, problem="no AWS credentials were found")
        frozen = credentials.get_frozen_credentials()
        region = session.region_name or "us-east-1"
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        self._bytes = Minio(
            host,
            access_key=frozen.access_key,
            secret_key=frozen.secret_key,
            session_token=frozen.token,
            secure=is_secure,
            region=region,
            http_client=urllib3.PoolManager(timeout=timeout, maxsize=CONNECTIONS_MAX, retries=False),
        )
        self._control: Any = session.client(
            "s3",
            endpoint_url=f"{scheme}://{host}",
            region_name=region,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                max_pool_connections=CONNECTIONS_MAX,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put_new(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """See `Store.put_new`."""
        try:
            present = self.head(key)
        except ObjectNotFound:
            return self._put(key, content, lock)
        if (present.sha256, present.size_bytes) != (content.sha256, content.size_bytes):
            raise AlreadyExists(store=self.name, key=key)
        if present.lock.covers(lock):
            return present
        return self.set_retention(key, present.version_id, lock)

    def _put(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        is_single = content.size_bytes <= SINGLE_PUT_BYTES_MAX
        retention = None
        if lock.until is not None and is_single:
            retention = Retention(_MINIO_MODES[lock.mode], lock.until)
        with self._failures(key), content.open() as reader:
            result = self._bytes.put_object(
                self._bucket,
                key,
                reader,
                content.size_bytes,
                content_type="application/octet-stream",
                metadata={_DIGEST: content.sha256.hex()},
                retention=retention,
                part_size=0 if is_single else PART_BYTES,
                num_parallel_uploads=1,
            )
        version_id = result.version_id
        if lock.until is not None and not is_single:
            self._put_retention(key, version_id, lock)
        return check_read_back(self.name, self.head(key, version_id), content, lock)

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`."""
        if length == 0:
            return io.BytesIO()
        with self._failures(key):
            response = self._bytes.get_object(
                self._bucket, key, version_id=version_id, offset=offset, length=length or 0
            )
        expected = int(response.headers.get("Content-Length", -1))
        return cast("BinaryIO", _Body(self, key, response, expected))

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`. Lock and hold come as headers, so one request tells all."""
        with self._failures(key):
            stat = self._bytes.stat_object(self._bucket, key, version_id=version_id)
        headers = {name.lower(): value for name, value in (stat.metadata or {}).items()}
        digest = headers.get(f"x-amz-meta-{_DIGEST}")
        return ObjectInfo(
            key=key,
            version_id=stat.version_id or "null",
            size_bytes=stat.size or 0,
            sha256=bytes.fromhex(digest) if digest else None,
            lock=_lock_from(
                headers.get("x-amz-object-lock-mode"), headers.get("x-amz-object-lock-retain-until-date")
            ),
            legal_hold=headers.get("x-amz-object-lock-legal-hold") == "ON",
            stored_at=stat.last_modified or datetime.min.replace(tzinfo=UTC),
        )

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`. The listing has no locks, so each version is asked for its head."""
        marker: dict[str, str] = {"KeyMarker": after} if after else {}
        while True:
            with self._failures(prefix):
                page = self._control.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=500, **marker)
            for version in page.get("Versions", []):
                if after is None or version["Key"] > after:
                    yield self.head(version["Key"], version["VersionId"])
            if not page.get("IsTruncated"):
                return
            marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`. Checked here first: not every store refuses a shortening."""
        present = self.head(key, version_id)
        if not lock.covers(present.lock):
            raise LockRefused(key=key, present=words(present.lock), asked=words(lock))
        self._put_retention(key, version_id, lock)
        return self.head(key, version_id)

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._failures(key):
            self._control.put_object_legal_hold(
                Bucket=self._bucket,
                Key=key,
                VersionId=version_id,
                LegalHold={"Status": "ON" if on else "OFF"},
            )
        return self.head(key, version_id)

    def attempt_delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """For the probe: tries to delete a version; says whether the store let it happen."""
        return self._attempt(
            lambda: self._control.delete_object(
                Bucket=self._bucket, Key=key, VersionId=version_id, BypassGovernanceRetention=bypass
            )
        )

    def attempt_retention(self, key: str, version_id: str, lock: Lock) -> bool:
        """For the probe: asks the store for any retention, lawful or not; says whether it let it happen."""
        return self._attempt(lambda: self._control_retention(key, version_id, lock))

    def is_versioned_and_locked(self) -> bool:
        """For the probe: whether the bucket says that versioning and Object Lock are on."""
        with self._failures(""):
            try:
                lock = self._control.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as error:
                if error.response["Error"]["Code"] in _NO_RETENTION_CODES:
                    return False
                raise
            versioning = self._control.get_bucket_versioning(Bucket=self._bucket)
        is_locked: bool = lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
        return is_locked and bool(versioning.get("Status") == "Enabled")

    def _attempt(self, act: Callable[[], Any]) -> bool:
        try:
            act()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise StoreUnavailable(store=self.name, problem=error.response["Error"]["Code"]) from error
            return False
        except BotoCoreError as error:
            raise StoreUnavailable(store=self.name, problem=type(error).__name__) from error
        return True

    def _put_retention(self, key: str, version_id: str | None, lock: Lock) -> None:
        with self._failures(key):
            self._control_retention(key, version_id, lock)

    def _control_retention(self, key: str, version_id: str | None, lock: Lock) -> None:
        extra = {"VersionId": version_id} if version_id else {}
        self._control.put_object_retention(
            Bucket=self._bucket,
            Key=key,
            Retention={"Mode": lock.mode.value, "RetainUntilDate": lock.until},
            **extra,
        )

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        """Turns the libraries' errors into ours, passing ones apart from permanent ones."""
        try:
            yield
        except S3Error as error:
            status = getattr(error.response, "status", 0)
            raise self._meaning(error.code or "", status, key) from error
        except ServerError as error:
            raise StoreUnavailable(store=self.name, problem=f"HTTP {error.status_code}") from error
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise self._meaning(error.response["Error"]["Code"], status, key) from error
        except (InvalidResponseError, BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(store=self.name, problem=type(error).__name__) from error

    def _meaning(self, code: str, status: int, key: str) -> ObjectNotFound | StoreUnavailable | StoreDenied:
        if code in _MISSING_CODES:
            return ObjectNotFound(store=self.name, key=key)
        if code in _PASSING_CODES or status >= 500:
            return StoreUnavailable(store=self.name, problem=code or f"HTTP {status}")
        return StoreDenied(store=self.name, problem=code or f"HTTP {status}")


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
