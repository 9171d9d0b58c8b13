"""Makes the vectors of the sealed object, format 1: run it here, and nothing may change.

It writes objects by the format document with `cryptography` alone, never with slipvault, so that a vector that opens
shows two implementations agreeing. Everything is derived from fixed texts: there is no randomness.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

EXPONENT = 12
STEP = 1 << EXPONENT
HEADER, TAG = 148, 16
FIELDS = {
    "magic": (0, 7),
    "format": (7, 1),
    "suite": (8, 1),
    "segment-exponent": (9, 1),
    "header-length": (10, 2),
    "record-id": (12, 16),
    "component-id": (28, 16),
    "group-id": (44, 16),
    "wrapped-record-key": (60, 40),
    "salt": (100, 16),
    "commitment": (116, 32),
}


def fixed(text: str) -> bytes:
    return hashlib.sha256(b"slipvault vector " + text.encode()).digest()


def named(text: str) -> UUID:
    return uuid5(NAMESPACE_OID, "slipvault vector " + text)


def plain_of(size: int) -> bytes:
    """Bytes that follow from the size; two sizes have no common start."""
    stream = Cipher(algorithms.AES(fixed(f"plain {size}")), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(size))


@dataclass(frozen=True)
class Maker:
    """One record with its keys, and one component of it."""

    record: str = "A"
    component: str = "original"
    exponent: int = EXPONENT

    @property
    def record_id(self) -> UUID:
        return named(f"record {self.record}")

    @property
    def component_id(self) -> UUID:
        return named(f"component {self.component} of {self.record}")

    @property
    def record_key(self) -> bytes:
        return fixed(f"record key {self.record}")

    @property
    def group_key(self) -> bytes:
        return fixed("group key")

    def start(self) -> bytes:
        return struct.pack(
            ">7sBBBH16s16s16s40s",
            b"slipvlt",
            1,
            1,
            self.exponent,
            HEADER,
            self.record_id.bytes,
            self.component_id.bytes,
            named("group").bytes,
            aes_key_wrap(self.group_key, self.record_key),
        )

    def header(self, plain: bytes) -> tuple[bytes, bytes]:
        """The header, and the payload key."""
        named_plain = b"slipvault/1/salt" + self.component_id.bytes + hashlib.sha256(plain).digest()
        salt = hmac.digest(self.record_key, named_plain, "sha256")[:16]
        start = self.start()
        material = HKDF(SHA256(), 64, salt, b"slipvault/1/component" + start).derive(self.record_key)
        return start + salt + material[32:], material[:32]

    def segments(self, plain: bytes) -> list[bytes]:
        """The header and the sealed segments."""
        step = 1 << self.exponent
        pieces = [plain[at : at + step] for at in range(0, len(plain), step)] or [b""]
        header, key = self.header(plain)
        return [header, *(seal(key, header, i, p, flag=i == len(pieces) - 1) for i, p in enumerate(pieces))]

    def sealed(self, plain: bytes) -> bytes:
        return b"".join(self.segments(plain))


def seal(key: bytes, header: bytes, counter: int, piece: bytes, *, flag: int) -> bytes:
    nonce = counter.to_bytes(11, "big") + bytes([flag])
    return AESGCM(key).encrypt(nonce, piece, hashlib.sha256(header).digest())


@dataclass(frozen=True)
class Vector:
    name: str
    outcome: str
    says: str
    sealed: bytes
    maker: Maker = Maker()
    plain: bytes | None = None
    record_key: bytes | None = None

    def to_json(self) -> str:
        body = {
            "name": self.name,
            "outcome": self.outcome,
            "says": self.says,
            "record_id": str(self.maker.record_id),
            "component_id": str(self.maker.component_id),
            "record_key": (self.record_key or self.maker.record_key).hex(),
            "group_key": self.maker.group_key.hex(),
            "plain_size_bytes": None if self.plain is None else len(self.plain),
            "plain_sha256": None if self.plain is None else hashlib.sha256(self.plain).hexdigest(),
            "segment_exponent": self.maker.exponent,
            "sealed": base64.b64encode(self.sealed).decode(),
        }
        return json.dumps(body, indent=1) + "\n"


def good() -> Iterator[Vector]:
    maker = Maker()
    for size in (0, 1, STEP - 1, STEP, STEP + 1, 2 * STEP, 2 * STEP + 5):
        plain = plain_of(size)
        yield Vector(
            f"opens-{size:05d}", "opens", f"{size} bytes in segments of {STEP}", maker.sealed(plain), maker, plain
        )
    larger = replace(maker, exponent=13)
    plain = plain_of(STEP + 1)
    yield Vector("opens-exponent-13", "opens", "another segment size", larger.sealed(plain), larger, plain)
    largest = replace(maker, exponent=24)
    yield Vector("opens-exponent-24", "opens", "the largest segment size", largest.sealed(plain), largest, plain)


def cut() -> Iterator[Vector]:
    whole = Maker().sealed(plain_of(2 * STEP + 5))
    for size in (0, 1, 7, 8, 100, HEADER, HEADER + TAG - 1):
        yield Vector(f"truncated-at-{size:03d}", "truncated", f"only the first {size} bytes", whole[:size])
    for count in (1, 2):
        end = HEADER + count * (STEP + TAG)
        yield Vector(
            f"truncated-after-segment-{count}", "truncated", f"only {count} whole segments of three", whole[:end]
        )
    middle = HEADER + STEP + TAG + 100
    yield Vector("truncated-inside-segment", "damaged", "cut inside the second segment", whole[:middle])
    yield Vector("truncated-inside-tag", "damaged", "the last tag lacks a byte", whole[:-1])
    stump = HEADER + STEP + TAG + 7
    yield Vector("truncated-to-a-stump", "damaged", "seven bytes of the second segment are left", whole[:stump])
    empty = Maker().sealed(b"")
    yield Vector("truncated-empty", "truncated", "the tag of an empty object lacks a byte", empty[:-1])


def moved() -> Iterator[Vector]:
    one, other = Maker().segments(plain_of(3 * STEP)), Maker(component="text").segments(plain_of(3 * STEP))
    head, a, b, c = one
    yield Vector("reordered-first-two", "damaged", "the first two segments exchanged", head + b + a + c)
    yield Vector("reordered-last-two", "damaged", "the last two segments exchanged", head + a + c + b)
    yield Vector("repeated-segment", "damaged", "the first segment twice", head + a + a + b + c)
    yield Vector("missing-segment", "damaged", "the second segment left out", head + a + c)
    yield Vector(
        "spliced-components", "damaged", "a segment of another component of the record", head + a + other[2] + c
    )
    same = Maker().segments(plain_of(3 * STEP + 1))
    yield Vector(
        "spliced-contents", "damaged", "a segment of other bytes of the same component", head + a + same[2] + c
    )
    stranger = Maker(record="B").segments(plain_of(3 * STEP))
    yield Vector("spliced-records", "damaged", "a segment of another record", head + a + stranger[2] + c)
    yield Vector(
        "exchanged-payload", "damaged", "header of one, segments of another component", head + b"".join(other[1:])
    )
    yield Vector("swapped-components", "wrong identity", "another component of the record", b"".join(other))
    yield Vector("swapped-records", "wrong identity", "another record's object", b"".join(stranger))
    start, end = FIELDS["component-id"][0], FIELDS["component-id"][0] + 16
    text = b"".join(other)
    renamed = text[:start] + Maker().component_id.bytes + text[end:]
    yield Vector("swapped-and-renamed", "wrong key", "another component's object under this component's id", renamed)


def flipped() -> Iterator[Vector]:
    whole = Maker().sealed(plain_of(100))
    outcomes = {
        "magic": "not sealed",
        "format": "unsupported",
        "suite": "unsupported",
        "header-length": "unsupported",
        "record-id": "wrong identity",
        "component-id": "wrong identity",
    }
    for field, (start, size) in FIELDS.items():
        for place, at in (("first", start), ("last", start + size - 1)):
            outcome = outcomes.get(field, "wrong key")
            says = f"the lowest bit of the {place} byte of the {field} flipped"
            yield Vector(f"flipped-{field}-{place}", outcome, says, flip(whole, at))
    yield Vector("flipped-segment-exponent-high", "unsupported", "exponent 28 for 12", flip(whole, 9, 16))
    for name, at in (
        ("payload-first", HEADER),
        ("payload-last", HEADER + 99),
        ("tag-first", HEADER + 100),
        ("tag-last", -1),
    ):
        yield Vector(f"flipped-{name}", "damaged", f"a bit of the {name} byte flipped", flip(whole, at))
    long = Maker().sealed(plain_of(2 * STEP + 5))
    yield Vector(
        "flipped-second-segment", "damaged", "the first segment still opens", flip(long, HEADER + STEP + TAG + 9)
    )


def flip(data: bytes, at: int, bit: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def added() -> Iterator[Vector]:
    full, part = Maker().sealed(plain_of(STEP)), Maker().sealed(plain_of(100))
    yield Vector("trailing-byte", "trailing data", "one byte after a full last segment", full + b"\0")
    yield Vector("trailing-tag", "trailing data", "sixteen bytes after a full last segment", full + bytes(16))
    yield Vector("trailing-segment", "trailing data", "another object's segment at the end", full + part[HEADER:])
    yield Vector("trailing-object", "trailing data", "another whole object at the end", full + part)
    yield Vector("trailing-in-last-segment", "damaged", "a byte after a last segment that is not full", part + b"\0")


def uncanonical() -> Iterator[Vector]:
    """Made by somebody who has the key and breaks the rules: authentic, and still refused."""
    maker, plain = Maker(), plain_of(STEP)
    header, key = maker.header(plain)
    first = seal(key, header, 0, plain, flag=False)
    yield Vector(
        "empty-last-segment",
        "damaged",
        "an authentic empty segment at the end",
        header + first + seal(key, header, 1, b"", flag=1),
    )
    short = seal(key, header, 0, plain[:1000], flag=False) + seal(key, header, 1, plain[1000:], flag=True)
    yield Vector("short-first-segment", "damaged", "an authentic first segment that is not full", header + short)
    yield Vector(
        "counter-from-one", "damaged", "the only segment has counter 1", header + seal(key, header, 1, plain, flag=1)
    )
    yield Vector(
        "counter-over-long",
        "damaged",
        "counter 2^80, beyond 64 bits, ends in zeros",
        header + seal(key, header, 1 << 80, plain, flag=1),
    )
    yield Vector(
        "counter-all-ones", "damaged", "the largest counter", header + seal(key, header, (1 << 88) - 1, plain, flag=1)
    )
    yield Vector("flag-two", "damaged", "last-segment flag 2", header + seal(key, header, 0, plain, flag=2))
    yield Vector("never-last", "truncated", "the only segment says that others follow", header + first)
    yield Vector("suite-2", "unsupported", "a suite that does not exist", header[:8] + b"\2" + header[9:] + first)
    for exponent in (0, 11, 25, 63, 255):
        odd = header[:9] + bytes([exponent]) + header[10:]
        yield Vector(f"exponent-{exponent:03d}", "unsupported", "outside of 12 to 24", odd + first)


def older() -> Iterator[Vector]:
    """Format 0, the draft: no key commitment, keys from the ids alone, header of 116 bytes."""
    maker = Maker()
    for size in (0, 100):
        start = maker.start()
        start = start[:7] + b"\0" + start[8:10] + (116).to_bytes(2, "big") + start[12:]
        salt = fixed("draft salt")[:16]
        key = HKDF(SHA256(), 32, salt, b"slipvault/0/component" + start[12:44]).derive(maker.record_key)
        body = seal(key, start + salt, 0, plain_of(size), flag=True)
        yield Vector(f"format-0-{size:03d}", "unsupported", "a whole object of the draft", start + salt + body)
    newer = bytearray(maker.sealed(b"later"))
    newer[7] = 2
    yield Vector("format-2", "unsupported", "a later format", bytes(newer))


def keyed() -> Iterator[Vector]:
    maker = Maker()
    whole = maker.sealed(plain_of(100))
    yield Vector(
        "wrong-key", "wrong key", "the record key of another record", whole, record_key=fixed("record key B")
    )
    yield Vector("not-sealed-text", "not sealed", "a text", b"%PDF-1.7\n" + bytes(200))
    yield Vector("not-sealed-short", "not sealed", "three bytes that are no magic", b"abc")
    forged = two_keys(maker, fixed("record key of the forger"))
    yield Vector(
        "two-keys-committed",
        "opens",
        "AES-GCM accepts this payload under two keys; this is the committed one",
        *forged,
    )
    attack = Vector(
        "two-keys-other",
        "wrong key",
        "AES-GCM accepts this payload under this key too; the commitment does not",
        forged[0],
        record_key=fixed("record key of the forger"),
    )
    yield attack


def two_keys(maker: Maker, other_record_key: bytes) -> tuple[bytes, Maker, bytes]:
    """An object whose only segment authenticates under the payload keys of two record keys.

    A tag is E(nonce || 1) + the sum of blocks times powers of H, over GF(2^128) (NIST SP 800-38D). With one block left
    free, making the tags under both keys equal is one linear equation (Dodis et al., 2018, "invisible salamanders").
    """
    header, key = maker.header(fixed("forged"))
    start, salt = header[:100], header[100:116]
    other = HKDF(SHA256(), 64, salt, b"slipvault/1/component" + start).derive(other_record_key)[:32]
    nonce, associated = (0).to_bytes(11, "big") + b"\1", hashlib.sha256(header).digest()
    chosen = [fixed("block 0")[:16], fixed("block 1")[:16], None, fixed("block 3")[:16]]
    lengths = struct.pack(">QQ", 8 * len(associated), 8 * 16 * len(chosen))
    blocks = [associated[:16], associated[16:], *chosen, lengths]
    sums, powers = [], []
    for one in (key, other):
        h = block_of(one, bytes(16))
        total, power = block_of(one, nonce + b"\0\0\0\1"), h
        for block in reversed(blocks):
            if block is None:
                powers.append(power)
            else:
                total ^= times(int.from_bytes(block, "big"), power)
            power = times(power, h)
        sums.append(total)
    free = times(sums[0] ^ sums[1], inverse(powers[0] ^ powers[1]))
    tag = sums[0] ^ times(free, powers[0])
    ciphertext = b"".join(free.to_bytes(16, "big") if block is None else block for block in chosen)
    payload = ciphertext + tag.to_bytes(16, "big")
    plain, lie = (AESGCM(one).decrypt(nonce, payload, associated) for one in (key, other))
    assert plain != lie
    return header + payload, maker, plain


def block_of(key: bytes, block: bytes) -> int:
    return int.from_bytes(Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block), "big")


def times(x: int, y: int) -> int:
    """The product in GF(2^128) with GCM's bit order (SP 800-38D, 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = (y >> 1) ^ (0xE1 << 120 if y & 1 else 0)
    return product


def inverse(x: int) -> int:
    """x^(2^128 - 2)."""
    result, square = 1 << 127, x
    for _ in range(127):
        square = times(square, square)
        result = times(result, square)
    return result


def vectors() -> list[Vector]:
    return [*good(), *cut(), *moved(), *flipped(), *added(), *uncanonical(), *older(), *keyed()]


def main(directory: Path = Path(__file__).parent) -> None:
    for old in directory.glob("*.json"):
        old.unlink()
    for vector in vectors():
        (directory / f"{vector.name}.json").write_text(vector.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
