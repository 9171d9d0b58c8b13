"""A keyed tag over plain bytes that rest somewhere between arriving and being sealed.

The key of a sealed object follows from the digest that was taken when the bytes arrived. Bytes that changed since would be
sealed under a key that belongs to others. The tag (AES-256-GMAC under a key that exists once, in memory) shows that they
have not, at many times the speed of hashing them again.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_KEY_BYTES, _NONCE_BYTES = 32, 12


class BytesChanged(ValueError):
    """The bytes are not those that arrived; what was made of them is to be discarded."""


@dataclass(frozen=True)
class PlainTag:
    """The tag of some bytes, and the key that it was made with, which is used for nothing else."""

    key: bytes = field(repr=False)
    tag: bytes

    def require(self, again: Tagging) -> None:
        """Raises BytesChanged when the bytes that passed through `again` are others."""
        if not hmac.compare_digest(again.finish().tag, self.tag):
            raise BytesChanged("the bytes changed between arriving and being sealed")


class Tagging:
    """Takes the tag of bytes that pass by in pieces of any size."""

    def __init__(self, like: PlainTag | None = None) -> None:
        self._key = os.urandom(_KEY_BYTES) if like is None else like.key
        self._passing = Cipher(algorithms.AES(self._key), modes.GCM(bytes(_NONCE_BYTES))).encryptor()

    def update(self, data: bytes | memoryview) -> None:
        """Passes a piece."""
        self._passing.authenticate_additional_data(bytes(data))

    def finish(self) -> PlainTag:
        """The tag of all that passed."""
        self._passing.finalize()
        return PlainTag(self._key, self._passing.tag)
