"""Checkpoints: C2SP signed notes over size and root of the tree, signed with Ed25519."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROOF_KIND = "c2sp.org/tlog-proof@v1"
_ED25519 = b"\x01"
_DASH = "\u2014 "
_HASH_BYTES = 32

Sign = Callable[[bytes], bytes]


class BadCheckpoint(ValueError):
    """A note that is not a checkpoint of this log, or is not signed by its key."""


@dataclass(frozen=True)
class Checkpoint:
    """Size and root of the tree at one moment."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(public_key: bytes) -> str:
    """The name of the log whose checkpoints this key signs."""
    return f"slipvault.local/{hashlib.sha256(public_key).hexdigest()[:16]}"


def key_id(origin: str, public_key: bytes) -> bytes:
    """The four bytes before a signature (C2SP signed-note)."""
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def signed_note(checkpoint: Checkpoint, public_key: bytes, sign: Sign) -> str:
    """The checkpoint as a signed note."""
    text = checkpoint.text()
    signature = key_id(checkpoint.origin, public_key) + sign(text.encode())
    return f"{text}\n{_DASH}{checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, public_key: bytes) -> Checkpoint:
    """The checkpoint of a note that `public_key` signed.

    Raises:
        BadCheckpoint: another form, another log, or no valid signature.
    """
    text, separator, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or "\r" in note:
        raise BadCheckpoint("not a signed note")
    origin, size, root = lines[:3]
    if origin != origin_of(public_key):
        raise BadCheckpoint("the checkpoint of another log, which this key does not sign")
    wanted = key_id(origin, public_key)
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except ValueError:  # of letters that are not ASCII, too: other signers' lines are theirs
            continue
        if name == origin and signature[:4] == wanted:
            try:
                Ed25519PublicKey.from_public_bytes(public_key).verify(signature[4:], f"{text}\n".encode())
                return Checkpoint(origin, _size(size), _root(root))
            except (InvalidSignature, ValueError):
                raise BadCheckpoint("the signature or a line of the note is wrong") from None
    raise BadCheckpoint("no signature of this key")


def _size(line: str) -> int:
    """ASCII digits without leading zeros: one number has one form."""
    if not re.fullmatch(r"0|[1-9][0-9]*", line):
        raise ValueError("the size is no number in its one form")
    return int(line)


def _root(line: str) -> bytes:
    root = base64.b64decode(line, validate=True)
    if len(root) != _HASH_BYTES:
        raise ValueError("the root has another length")
    return root
