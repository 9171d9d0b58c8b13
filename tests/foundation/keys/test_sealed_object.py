"""Properties of sealing: round trips, ranges, malleability, determinism, memory."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.foundation.keys.errors import SealBroken, Truncated, WrongIdentity, WrongKey
from vault.foundation.keys.record_key import RecordKey
from vault.foundation.keys.sealed_object import (
    HEADER_BYTES,
    identity_of,
    open_bytes,
    open_chunks,
    read_header,
    seal_bytes,
    seal_stream,
    sealed_size,
)
from vault.foundation.keys.sealed_reader import SealedReader

EXPONENT = 12
STEP = 1 << EXPONENT
COMPONENT = UUID("0192d3a0-0000-7000-8000-00000000000c")
RECORD = UUID("0192d3a0-0000-7000-8000-000000000001")
GROUP = UUID("0192d3a0-0000-7000-8000-0000000000aa")


def made_key(seed: int = 1, record_id: UUID = RECORD, group_key: bytes = b"g" * 32) -> RecordKey:
    secret = random.Random(seed).randbytes(32)
    return RecordKey(record_id, GROUP, aes_key_wrap(group_key, secret), secret)


def sealed_of(
    plain: bytes, key: RecordKey | None = None, component_id: UUID = COMPONENT, exponent: int = EXPONENT
) -> bytes:
    return seal_bytes(key or made_key(), component_id, plain, hashlib.sha256(plain).digest(), exponent).data


def ranged(sealed: bytes, key: RecordKey | None = None) -> SealedReader:
    return SealedReader(
        lambda at, size: io.BytesIO(sealed[at : at + size]), len(sealed), key or made_key(), COMPONENT
    )


sizes = st.one_of(
    st.integers(0, 3 * STEP),
    st.sampled_from([n * STEP + d for n in range(4) for d in (-1, 0, 1) if n * STEP + d >= 0]),
)


@given(size=sizes, seed=st.integers(0, 1000))
def test_round_trip_by_every_way(size: int, seed: int) -> None:
    plain = random.Random(seed).randbytes(size)
    digest = hashlib.sha256(plain).digest()
    one = seal_bytes(made_key(), COMPONENT, plain, digest, EXPONENT)
    file = io.BytesIO()
    other = seal_stream(made_key(), COMPONENT, io.BytesIO(plain), size, digest, file, EXPONENT)
    assert one.data == file.getvalue()
    assert one.sha256 == other.sha256 == hashlib.sha256(one.data).digest()
    assert len(one.data) == other.sealed_size_bytes == sealed_size(size, EXPONENT)
    assert open_bytes(made_key(), COMPONENT, one.data) == plain
    assert b"".join(open_chunks(made_key(), COMPONENT, [one.data])) == plain
    assert ranged(one.data).read() == plain


@given(size=sizes, reads=st.lists(st.tuples(st.integers(0, 3 * STEP + 10), st.integers(0, 2 * STEP)), max_size=6))
def test_any_range_is_the_same_range_of_the_plain_text(size: int, reads: list[tuple[int, int]]) -> None:
    plain = random.Random(size).randbytes(size)
    reader, model = ranged(sealed_of(plain)), io.BytesIO(plain)
    assert reader.size_bytes == size
    for offset, length in reads:
        assert reader.seek(offset) == model.seek(offset)
        assert reader.read(length) == model.read(length)
        assert reader.tell() == model.tell()
    assert reader.seek(0, io.SEEK_END) == size
    buffered = io.BufferedReader(ranged(sealed_of(plain)), 1000)
    assert buffered.read() == plain


@given(size=st.integers(0, 2 * STEP + 5), data=st.data())
def test_no_changed_object_opens(size: int, data: st.DataObject) -> None:
    """Malleability: whatever is flipped, cut out, doubled or exchanged, no bytes come out whole."""
    plain = random.Random(size).randbytes(size)
    sealed = sealed_of(plain)
    at = data.draw(st.integers(0, len(sealed) - 1))
    length = data.draw(st.integers(1, 300))
    act = data.draw(st.sampled_from(["flip", "cut", "double", "overwrite", "append"]))
    changed = {
        "flip": sealed[:at] + bytes([sealed[at] ^ (1 << length % 8)]) + sealed[at + 1 :],
        "cut": sealed[:at] + sealed[at + length :],
        "double": sealed[: at + length] + sealed[at:],
        "overwrite": sealed[:at] + random.Random(at).randbytes(min(length, len(sealed) - at)) + sealed[at + length :],
        "append": sealed + random.Random(at).randbytes(length),
    }[act]
    if changed == sealed:
        return
    with pytest.raises(SealBroken):
        open_bytes(made_key(), COMPONENT, changed)
    with pytest.raises(SealBroken):
        ranged(changed).read()
    given_out = io.BytesIO()
    with pytest.raises(SealBroken):
        given_out.writelines(open_chunks(made_key(), COMPONENT, [changed]))
    assert plain.startswith(given_out.getvalue())


@given(noise=st.binary(max_size=600))
@settings(max_examples=300)
def test_noise_is_refused_by_name(noise: bytes) -> None:
    for candidate in (noise, sealed_of(b"x")[:12] + noise):
        with pytest.raises(SealBroken):
            open_bytes(made_key(), COMPONENT, candidate)
        identity_of(candidate)


def test_sealing_again_gives_the_same_object_and_other_bytes_another_key() -> None:
    plain = b"slip" * 1000
    assert sealed_of(plain) == sealed_of(plain)
    one, other = sealed_of(plain), sealed_of(plain[:-1] + b"q")
    assert read_header(one).salt != read_header(other).salt
    # The same start of the plain text does not show: the keys differ.
    assert one[HEADER_BYTES : HEADER_BYTES + 64] != other[HEADER_BYTES : HEADER_BYTES + 64]


def test_one_payload_key_means_one_header() -> None:
    """Same record key, component and bytes, but another segment size or wrapping: other keys, so no nonce repeats."""
    plain = bytes(3 * STEP)
    again = made_key(group_key=b"h" * 32)
    keys = set()
    for key, exponent in ((made_key(), 12), (made_key(), 13), (again, 12)):
        head = sealed_of(plain, key, exponent=exponent)
        assert read_header(head).salt == read_header(sealed_of(plain)).salt
        keys.add(key.component_keys(head[:100], head[100:116])[0])
    assert len(keys) == 3


def test_another_record_component_or_key_is_named() -> None:
    sealed = sealed_of(b"text")
    with pytest.raises(WrongIdentity):
        open_bytes(made_key(record_id=GROUP), COMPONENT, sealed)
    with pytest.raises(WrongIdentity):
        open_bytes(made_key(), GROUP, sealed)
    with pytest.raises(WrongKey):
        open_bytes(made_key(seed=2), COMPONENT, sealed)


def test_a_reader_of_ranges_notices_a_cut_before_it_tells_the_size() -> None:
    sealed = sealed_of(bytes(3 * STEP))
    with pytest.raises(Truncated):
        ranged(sealed[: HEADER_BYTES + 2 * (STEP + 16)])


def test_a_reader_of_ranges_fetches_only_what_it_needs() -> None:
    plain = os.urandom(64 * STEP)
    sealed = sealed_of(plain)
    fetched: list[tuple[int, int]] = []

    def open_range(at: int, size: int) -> io.BytesIO:
        fetched.append((at, size))
        return io.BytesIO(sealed[at : at + size])

    reader = SealedReader(open_range, len(sealed), made_key(), COMPONENT)
    reader.seek(10 * STEP + 5)
    assert reader.read(100) == plain[10 * STEP + 5 : 10 * STEP + 105]
    assert len(fetched) == 3  # header, last segment, the one that was asked for
    assert sum(size for _, size in fetched) < 3 * STEP


def test_a_reader_of_the_whole_asks_the_store_once_for_what_is_left() -> None:
    plain = os.urandom(64 * STEP + 7)
    sealed = sealed_of(plain)
    opened: list[io.BytesIO] = []

    def open_range(at: int, size: int) -> io.BytesIO:
        opened.append(io.BytesIO(sealed[at : at + size]))
        return opened[-1]

    reader = SealedReader(open_range, len(sealed), made_key(), COMPONENT)
    assert reader.read(30 * STEP) == plain[: 30 * STEP]
    assert len(opened) == 4  # header, last segment, the first, all behind it
    assert not opened[-1].closed
    rest = opened[-1]
    reader.seek(50 * STEP)
    assert reader.read() == plain[50 * STEP :]
    assert rest.closed
    reader.close()
    assert all(stream.closed for stream in opened)


def test_a_stream_that_is_not_what_its_digest_says_is_refused() -> None:
    plain = os.urandom(2 * STEP)
    digest = hashlib.sha256(plain).digest()
    for wrong in (plain[:-1], plain[:-1] + bytes([plain[-1] ^ 1])):
        with pytest.raises(ValueError, match=r"missing|changed"):
            seal_stream(made_key(), COMPONENT, io.BytesIO(wrong), len(plain), digest, io.BytesIO(), EXPONENT)
    for exponent in (11, 25):
        with pytest.raises(ValueError, match="does not allow"):
            sealed_of(plain, exponent=exponent)


_LARGE = """
import hashlib, io, resource, sys
from uuid import UUID
sys.path.insert(0, sys.argv[1])
from vault.foundation.keys.record_key import RecordKey
from vault.foundation.keys.sealed_object import open_chunks, seal_stream

BLOCK, COUNT = bytes(range(256)) * 4096, 300

class Drawn(io.RawIOBase):
    left = BLOCK * 0
    made = 0
    def read(self, size=-1):
        while len(self.left) < size and self.made < COUNT:
            self.left += BLOCK
            self.made += 1
        piece, self.left = self.left[:size], self.left[size:]
        return piece

key = RecordKey(UUID(int=1), UUID(int=2), bytes(40), bytes(32))
digest = hashlib.sha256()
for _ in range(COUNT):
    digest.update(BLOCK)
file = open(sys.argv[2], "w+b")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seal_stream(key, UUID(int=3), Drawn(), COUNT * len(BLOCK), digest.digest(), file)
file.seek(0)
again = hashlib.sha256()
for piece in open_chunks(key, UUID(int=3), iter(lambda: file.read(65536), b"")):
    again.update(piece)
assert again.digest() == digest.digest()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_a_large_stream_takes_little_memory(tmp_path: Path) -> None:
    """300 MB in and out; the growth of resident memory, in a process of its own, stays under 50 MB."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", _LARGE, str(root), str(tmp_path / "sealed")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 50 * 1024
