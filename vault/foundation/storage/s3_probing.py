"""The probe's attempts on an S3 bucket, sent as any client with our credentials could send them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import Content, Lock, ObjectInfo
from vault.foundation.storage.probing import only_probes
from vault.foundation.storage.s3 import S3Store

_PAGE = 500


class S3Attempts:
    """See `probing.Attempts`."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._bucket = store.bucket
        self._control = store.control

    def is_bucket_locked(self) -> bool:
        """See `Attempts.is_bucket_locked`."""
        try:
            lock = self._control.get_object_lock_configuration(Bucket=self._bucket)
            versioning = self._control.get_bucket_versioning(Bucket=self._bucket)
        except ClientError as error:
            self._passing(error)
            return False
        except BotoCoreError as error:
            raise StoreUnavailable(store=self._store.name, problem=type(error).__name__) from error
        is_locked: bool = lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
        return is_locked and bool(versioning.get("Status") == "Enabled")

    def delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """See `Attempts.delete`."""
        # Left out rather than sent as "false": some stores look only for the header's name.
        extra = {"BypassGovernanceRetention": True} if bypass else {}
        return self._attempt(
            lambda: self._control.delete_object(
                Bucket=self._bucket, Key=only_probes(key), VersionId=version_id, **extra
            )
        )

    def delete_among_many(self, key: str, version_id: str) -> bool:
        """See `Attempts.delete_among_many`."""
        answer: dict[str, Any] = {}
        objects = [{"Key": only_probes(key), "VersionId": version_id}]
        was_accepted = self._attempt(
            lambda: answer.update(self._control.delete_objects(Bucket=self._bucket, Delete={"Objects": objects}))
        )
        return was_accepted and not answer.get("Errors")

    def hide(self, key: str) -> None:
        """See `Attempts.hide`."""
        self._attempt(lambda: self._control.delete_object(Bucket=self._bucket, Key=only_probes(key)))

    def overwrite(self, key: str, data: bytes) -> bool:
        """See `Attempts.overwrite`."""
        return self._attempt(lambda: self._control.put_object(Bucket=self._bucket, Key=only_probes(key), Body=data))

    def set_lock(self, key: str, version_id: str, lock: Lock) -> bool:
        """See `Attempts.set_lock`."""
        retention = {} if lock.until is None else {"Mode": lock.mode.value, "RetainUntilDate": lock.until}
        return self._attempt(
            lambda: self._control.put_object_retention(
                Bucket=self._bucket, Key=only_probes(key), VersionId=version_id, Retention=retention
            )
        )

    def put_in_parts(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """See `Attempts.put_in_parts`."""
        place = {"Bucket": self._bucket, "Key": only_probes(key)}
        answer: dict[str, Any] = {}

        def _upload() -> None:
            # The library for bytes goes over to parts at 16 MiB: too much litter for a probe.
            upload_id = self._control.create_multipart_upload(**place, Metadata={"sha256": content.sha256.hex()})[
                "UploadId"
            ]
            with content.open() as reader:
                part = self._control.upload_part(**place, UploadId=upload_id, PartNumber=1, Body=reader.read())
            parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
            answer.update(self._control.complete_multipart_upload(**place, UploadId=upload_id, MultipartUpload=parts))

        if not self._attempt(_upload):
            raise StoreUnavailable(store=self._store.name, problem="an upload in parts failed")
        return self._store.confirm(key, answer.get("VersionId"), content, lock, is_locked_by_now=False)

    def put_damaged(self, key: str, data: bytes) -> bool:
        """See `Attempts.put_damaged`."""
        digest = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
        return self._attempt(
            lambda: self._control.put_object(Bucket=self._bucket, Key=only_probes(key), Body=data, ContentMD5=digest)
        )

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """See `Attempts.versions`."""
        try:
            page = self._control.list_object_versions(Bucket=self._bucket, Prefix=only_probes(prefix), MaxKeys=_PAGE)
        except ClientError as error:
            self._passing(error)
            return  # no such bucket, or not ours: nothing of the probe's is in it
        except BotoCoreError as error:
            raise StoreUnavailable(store=self._store.name, problem=type(error).__name__) from error
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            yield version["Key"], version["VersionId"]

    def _attempt(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except ClientError as error:
            self._passing(error)
            return False
        except BotoCoreError as error:
            raise StoreUnavailable(store=self._store.name, problem=type(error).__name__) from error
        return True

    def _passing(self, error: ClientError) -> None:
        """Lets a refusal pass; a store that is out of order has refused nothing."""
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise StoreUnavailable(store=self._store.name, problem=error.response["Error"]["Code"]) from error
