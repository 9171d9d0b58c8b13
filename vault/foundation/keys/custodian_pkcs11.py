"""A custodian behind PKCS#11: epoch secrets and the signing key are token objects that cannot be extracted."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import EncryptedDataInvalid, GeneralError, NoSuchKey, PKCS11Error, UserAlreadyLoggedIn

from vault.foundation.keys.errors import CustodianFailed, EpochGone, UnwrapFailed

_EPOCH_LABEL = re.compile(r"slipvault-epoch-(\d{6})$")
_SIGNING_LABEL = "slipvault-signing-key"
_WITNESS_LABEL = "slipvault-witness-key"
_NONCE_BYTES = 12
_TAG_BITS = 128
# The curve as a DER PrintableString (PKCS#11 v3 section 2.3.5), which every token with Ed25519 takes.
_ED25519 = b"\x13\x0cedwards25519"

Result = TypeVar("Result")


class Pkcs11Custodian:
    """Keys on a token. One session, used by one thread at a time."""

    def __init__(self, module: str, token_label: str, pin_file: Path) -> None:
        self.name = f"pkcs11://{module}?token={token_label}"
        self._guard = threading.RLock()
        self._pin_file = pin_file
        try:
            if pin_file.stat().st_mode & 0o007:
                raise self._failed("the PIN file may be read by everybody")
            pin = pin_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise self._failed("the PIN file cannot be read") from error
        # Also while loading: SoftHSM loses sight of a token to which another process is just writing.
        with self._making(), self._exclusively():
            self._session = self._opened(module, token_label, pin)
            if not list(self._session.get_objects({Attribute.LABEL: _SIGNING_LABEL})):
                self._make_signing_key()
            if not list(self._session.get_objects({Attribute.LABEL: _WITNESS_LABEL})):
                self._make_secret(_WITNESS_LABEL)

    def _opened(self, module: str, token_label: str, pin: str) -> Any:
        try:
            token = pkcs11.lib(module).get_token(token_label=token_label)
            try:
                return token.open(rw=True, user_pin=pin)
            except UserAlreadyLoggedIn:
                # One login is valid for all sessions of a process (PKCS#11 v2.40, 2.6.3): a second custodian joins it.
                return token.open(rw=True)
        except (PKCS11Error, RuntimeError) as error:
            raise self._failed(f"{type(error).__name__}: module, token or PIN") from error

    def epochs(self) -> tuple[int, ...]:
        """See `Custodian.epochs`."""
        with self._exclusively():
            keys = self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})
            found = [_EPOCH_LABEL.match(key.label or "") for key in keys]
        return tuple(sorted(int(match[1]) for match in found if match))

    def create_epoch(self) -> int:
        """See `Custodian.create_epoch`. A data object on the token remembers the highest number ever given."""
        with self._making(), self._exclusively():
            number = max(self._highest(), *self.epochs(), 0) + 1
            self._make_secret(_label(number))
            self._remember(number)
        return number

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        """See `Custodian.wrap`. CKM_AES_GCM on the token; `context` is the associated data."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed: bytes = self._with_epoch(
            epoch,
            lambda secret: secret.encrypt(key, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, context)),
        )
        return nonce + sealed

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        """See `Custodian.unwrap`."""
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]

        def opened(secret: Any) -> bytes:
            """Tells altered bytes and another context from a token that fails."""
            try:
                plain: bytes = secret.decrypt(
                    sealed, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, context)
                )
            except (EncryptedDataInvalid, GeneralError):
                raise UnwrapFailed(epoch=epoch) from None
            return plain

        return self._with_epoch(epoch, opened)

    def destroy_epoch(self, epoch: int) -> None:
        """See `Custodian.destroy_epoch`."""
        with self._making():
            self._with_epoch(epoch, lambda secret: secret.destroy())

    def sign(self, message: bytes) -> bytes:
        """See `Custodian.sign`. CKM_EDDSA on the token."""
        with self._exclusively():
            key = self._session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=_SIGNING_LABEL)
            signature: bytes = key.sign(message, mechanism=Mechanism.EDDSA)
        return signature

    def public_key(self) -> bytes:
        """See `Custodian.public_key`. CKA_EC_POINT wraps the 32 bytes in a DER octet string."""
        with self._exclusively():
            key = self._session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=_SIGNING_LABEL)
            point: bytes = key[Attribute.EC_POINT]
        return point[-32:]

    def witness_secret(self) -> bytes:
        """See `Custodian.witness_secret`. What a key of the token makes of zeros, its only use; the key stays there."""
        with self._exclusively():
            key = self._session.get_key(object_class=ObjectClass.SECRET_KEY, label=_WITNESS_LABEL)
            made: bytes = key.encrypt(
                bytes(32), mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(bytes(_NONCE_BYTES), b"")
            )
        return hashlib.sha256(b"slipvault/1/witness" + made).digest()

    def _make_signing_key(self) -> None:
        parameters = self._session.create_domain_parameters(
            KeyType.EC_EDWARDS,
            {Attribute.EC_PARAMS: _ED25519},
            local=True,
        )
        parameters.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            label=_SIGNING_LABEL,
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )

    def _make_secret(self, label: str) -> None:
        self._session.generate_key(
            KeyType.AES,
            256,
            label=label,
            store=True,
            template={
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.ENCRYPT: True,
                Attribute.DECRYPT: True,
            },
        )

    def _highest(self) -> int:
        marks = self._session.get_objects(
            {Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: "slipvault-epochs"}
        )
        return max((int(mark[Attribute.VALUE]) for mark in marks), default=0)

    def _remember(self, number: int) -> None:
        self._session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.TOKEN: True,
                Attribute.APPLICATION: "slipvault-epochs",
                Attribute.LABEL: f"slipvault-epochs-{number}",
                Attribute.VALUE: str(number).encode(),
            }
        )

    def _with_epoch(self, epoch: int, act: Callable[[Any], Result]) -> Result:
        with self._exclusively():
            try:
                secret = self._session.get_key(object_class=ObjectClass.SECRET_KEY, label=_label(epoch))
            except NoSuchKey:
                raise EpochGone(epoch=epoch) from None
            return act(secret)

    @contextmanager
    def _making(self) -> Iterator[None]:
        """One process of this host at a time: a token would take two keys of one name."""
        try:
            handle = os.open(self._pin_file, os.O_RDONLY)
        except OSError as error:
            raise self._failed("the PIN file cannot be read") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with self._guard:
            try:
                yield
            except PKCS11Error as error:
                raise self._failed(type(error).__name__) from error

    def _failed(self, problem: str) -> CustodianFailed:
        return CustodianFailed(custodian=self.name, problem=problem)


def _label(epoch: int) -> str:
    return f"slipvault-epoch-{epoch:06d}"


def _gcm(nonce: bytes, context: bytes) -> Any:
    return pkcs11.GCMParams(nonce, context, _TAG_BITS)
