"""Detached Ed25519 signatures (RFC 8032) over files, with keys as PEM: what `openssl pkeyutl -verify -rawin` checks."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

SIGNATURE_BYTES = 64
_RAW = (Encoding.Raw, PublicFormat.Raw)
_PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pem_of(public_key: bytes) -> str:
    """The 32 bytes of a public key as PEM (SubjectPublicKeyInfo, RFC 8410)."""
    return Ed25519PublicKey.from_public_bytes(public_key).public_bytes(*_PEM).decode("ascii")


def key_of(pem: str) -> bytes | None:
    """The 32 bytes of a public key in PEM; nothing when it is no Ed25519 public key."""
    try:
        key = load_pem_public_key(pem.encode("utf-8"))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_bytes(*_RAW) if isinstance(key, Ed25519PublicKey) else None


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """By what people compare keys: SHA-256 of its 32 bytes in hex."""
    return hashlib.sha256(public_key).hexdigest()
