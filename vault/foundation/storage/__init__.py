"""Stores: write-once places for sealed objects, on a disk, in memory, or in an S3 bucket under Object Lock."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from vault.foundation.clock import Clock
from vault.foundation.storage.errors import BadStoreAddress
from vault.foundation.storage.interface import Store
from vault.foundation.storage.memory import MemoryStore
from vault.foundation.storage.retrying import RetryingStore
from vault.foundation.storage.worm_dir import WormDirectory


def open_store(url: str, clock: Clock) -> Store:
    """The store at `url`: `worm:///dir`, `memory://name`, `s3+http://host:port/bucket`, `s3+https://...`.

    Raises:
        BadStoreAddress: the address has another form.
        StoreUnavailable: a directory cannot be made or read.
    """
    return RetryingStore(bare_store(url, clock), clock)


def bare_store(url: str, clock: Clock) -> Store:
    """The store at `url` without retries: for the probe and for measurements. Raises as `open_store`."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise BadStoreAddress(address=f"{parts.scheme}://...", problem="secrets do not belong into addresses")
    if parts.scheme == "worm" and parts.path and not parts.netloc:
        return WormDirectory(Path(parts.path), clock)
    if parts.scheme == "memory" and parts.netloc:
        return MemoryStore(parts.netloc, clock)
    if parts.scheme in {"s3+http", "s3+https"} and parts.netloc and parts.path.strip("/"):
        from vault.foundation.storage.s3 import S3Store  # its libraries take 40 MB: only who uses S3 pays

        return S3Store(parts.netloc, parts.path.strip("/"), is_secure=parts.scheme == "s3+https")
    raise BadStoreAddress(address=url, problem="this form is not known")
