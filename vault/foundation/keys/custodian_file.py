"""A custodian in a directory of its own: 0700, its files 0600, never under the data or backup directory.

    DIR/epoch-000001    the 32-byte secret of epoch 1 in hexadecimal
    DIR/signing-key     the 32-byte Ed25519 seed in hexadecimal

Whoever may read the directory has the keys: it is for one machine whose disk is trusted, or for trying out.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.keys.errors import CustodianFailed, EpochGone, UnwrapFailed
from vault.foundation.keys.record_key import derive

_EPOCH_NAME = re.compile(r"epoch-(\d{6})$")
_SECRET_BYTES = 32
_NONCE_BYTES = 12
_HIGHEST = "highest-epoch"


class FileCustodian:
    """Epoch secrets as files. Safe for many threads and processes."""

    def __init__(self, directory: Path, forbidden_parents: Sequence[Path] = ()) -> None:
        self.name = f"file://{directory}"
        self._directory = directory
        for parent in forbidden_parents:
            if directory.resolve().is_relative_to(parent.resolve()):
                raise self._failed("it lies inside a directory that is kept with the data")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._failed(error.strerror or "the directory cannot be made") from error
        self._require_private(directory)
        with self._exclusively():
            if not (directory / "signing-key").exists():
                self._write("signing-key", os.urandom(_SECRET_BYTES).hex())

    def epochs(self) -> tuple[int, ...]:
        """See `Custodian.epochs`."""
        found = (_EPOCH_NAME.match(path.name) for path in self._directory.iterdir())
        return tuple(sorted(int(match[1]) for match in found if match))

    def create_epoch(self) -> int:
        """See `Custodian.create_epoch`. The number of a destroyed epoch is never given again."""
        with self._exclusively():
            try:
                highest = int(self._read(_HIGHEST))
            except FileNotFoundError:
                highest = 0
            except ValueError:
                raise self._failed(f"{_HIGHEST} is damaged") from None
            number = max(highest, *self.epochs(), 0) + 1
            self._write(_name(number), os.urandom(_SECRET_BYTES).hex())
            self._write(_HIGHEST, str(number))
        return number

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        """See `Custodian.wrap`. AES-256-GCM with a random nonce; `context` is the associated data."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._secret(epoch)).encrypt(nonce, key, context)

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        """See `Custodian.unwrap`."""
        secret = self._secret(epoch)
        try:
            return AESGCM(secret).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise UnwrapFailed(epoch=epoch) from None

    def destroy_epoch(self, epoch: int) -> None:
        """See `Custodian.destroy_epoch`. Overwritten before it is unlinked; copy-on-write disks may keep old blocks."""
        path = self._directory / _name(epoch)
        with self._exclusively():
            # Not `_secret`: a crash while overwriting leaves no readable secret, and the retry must still finish.
            if not path.exists():
                raise EpochGone(epoch=epoch)
            try:
                with path.open("r+b") as file:
                    size = os.fstat(file.fileno()).st_size
                    for _ in range(2):
                        file.seek(0)
                        file.write(os.urandom(size))
                        file.flush()
                        os.fsync(file.fileno())
                path.unlink()
                self._sync()
            except OSError as error:
                raise self._failed(error.strerror or "a file cannot be destroyed") from error

    def sign(self, message: bytes) -> bytes:
        """See `Custodian.sign`."""
        return self._signing_key().sign(message)

    def public_key(self) -> bytes:
        """See `Custodian.public_key`."""
        return self._signing_key().public_key().public_bytes_raw()

    def witness_secret(self) -> bytes:
        """See `Custodian.witness_secret`. Derived from the signing seed, which it does not tell."""
        return derive(self._signing_key().private_bytes_raw(), b"", b"slipvault/1/witness", _SECRET_BYTES)

    def _signing_key(self) -> Ed25519PrivateKey:
        try:
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._read("signing-key")))
        except (FileNotFoundError, ValueError):
            raise self._failed("the signing key is missing or damaged") from None

    def _secret(self, epoch: int) -> bytes:
        try:
            secret = bytes.fromhex(self._read(_name(epoch)))
        except FileNotFoundError:
            raise EpochGone(epoch=epoch) from None
        except ValueError:
            raise self._failed(f"the file of epoch {epoch} is damaged") from None
        if len(secret) != _SECRET_BYTES:
            raise self._failed(f"the file of epoch {epoch} is damaged")
        return secret

    def _read(self, name: str) -> str:
        path = self._directory / name
        try:
            self._require_private(path)
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._failed(error.strerror or "a file cannot be read") from error

    def _write(self, name: str, text: str) -> None:
        temporary = self._directory / f".{name}.new"
        try:
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._directory / name)
            self._sync()
        except OSError as error:
            raise self._failed(error.strerror or "a file cannot be written") from error

    def _sync(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _require_private(self, path: Path) -> None:
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid not in {0, os.geteuid()} or stat.S_ISLNK(status.st_mode):
            raise self._failed(f"{path.name} belongs to somebody else or is a link")
        if mode & 0o077:
            raise self._failed(f"{path.name} may be read by others (mode {mode:04o})")

    def _failed(self, problem: str) -> CustodianFailed:
        return CustodianFailed(custodian=self.name, problem=problem)


def _name(epoch: int) -> str:
    return f"epoch-{epoch:06d}"
