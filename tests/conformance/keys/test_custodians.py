"""What every custodian must do, tried on each of them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.conformance.keys.custodian_places import PIN, Place
from vault.foundation.keys.errors import EpochGone, UnwrapFailed

KEY = bytes(range(32))
CONTEXT = b"slipvault/1/group" + bytes(16)
ROOT = Path(__file__).parents[3]


def test_epochs_are_numbered_from_one_and_stay(place: Place) -> None:
    custodian = place.open()
    assert custodian.epochs() == ()
    assert [custodian.create_epoch() for _ in range(3)] == [1, 2, 3]
    assert custodian.epochs() == (1, 2, 3)
    assert place.open().epochs() == (1, 2, 3)


def test_what_was_wrapped_unwraps_also_after_a_restart(place: Place) -> None:
    custodian = place.open()
    epoch = custodian.create_epoch()
    wrapped = custodian.wrap(epoch, KEY, CONTEXT)
    assert custodian.unwrap(epoch, wrapped, CONTEXT) == KEY
    assert place.open().unwrap(epoch, wrapped, CONTEXT) == KEY
    assert KEY not in wrapped
    assert custodian.wrap(epoch, KEY, CONTEXT) != wrapped


def test_another_context_or_epoch_or_altered_bytes_do_not_unwrap(place: Place) -> None:
    custodian = place.open()
    epoch, other = custodian.create_epoch(), custodian.create_epoch()
    wrapped = custodian.wrap(epoch, KEY, CONTEXT)
    hostile = [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in range(len(wrapped))]
    hostile += [wrapped[:-1], wrapped[:12], wrapped[:5], b"", wrapped + b"\0", bytes(len(wrapped))]
    for changed in hostile:
        with pytest.raises(UnwrapFailed):
            custodian.unwrap(epoch, changed, CONTEXT)
    for context in (b"", CONTEXT[:-1], CONTEXT[:-1] + b"\1", CONTEXT + b"\0"):
        with pytest.raises(UnwrapFailed):
            custodian.unwrap(epoch, wrapped, context)
    with pytest.raises(UnwrapFailed):
        custodian.unwrap(other, wrapped, CONTEXT)
    assert custodian.unwrap(epoch, wrapped, CONTEXT) == KEY


def test_the_witness_secret_is_its_own_and_stays(place: Place) -> None:
    custodian = place.open()
    secret = custodian.witness_secret()
    assert len(secret) == 32
    assert place.open().witness_secret() == custodian.witness_secret() == secret
    custodian.destroy_epoch(custodian.create_epoch())
    assert custodian.witness_secret() == secret, "a shredding leaves the ledger as it is"
    assert secret not in custodian.sign(b"x") + custodian.public_key()


@pytest.mark.invariant("K1")
def test_a_destroyed_epoch_never_opens_anything_again(place: Place) -> None:
    custodian = place.open()
    kept, destroyed = custodian.create_epoch(), custodian.create_epoch()
    wrapped = {epoch: custodian.wrap(epoch, KEY, CONTEXT) for epoch in (kept, destroyed)}
    custodian.destroy_epoch(destroyed)
    for again in (custodian, place.open()):
        assert again.epochs() == (kept,)
        with pytest.raises(EpochGone):
            again.unwrap(destroyed, wrapped[destroyed], CONTEXT)
        with pytest.raises(EpochGone):
            again.wrap(destroyed, KEY, CONTEXT)
        with pytest.raises(EpochGone):
            again.destroy_epoch(destroyed)
        assert again.unwrap(kept, wrapped[kept], CONTEXT) == KEY
        with pytest.raises(UnwrapFailed):
            again.unwrap(kept, wrapped[destroyed], CONTEXT)
        # The number of a destroyed epoch, though it was the highest, is not given to another secret.
        assert again.create_epoch() > destroyed
        again.destroy_epoch(again.epochs()[-1])


def test_an_epoch_that_never_was_is_gone(place: Place) -> None:
    custodian = place.open()
    for act in (
        lambda: custodian.wrap(7, KEY, CONTEXT),
        lambda: custodian.unwrap(7, bytes(60), CONTEXT),
        lambda: custodian.destroy_epoch(7),
    ):
        with pytest.raises(EpochGone):
            act()


def test_signatures_are_ed25519_and_the_key_stays(place: Place) -> None:
    custodian = place.open()
    public = custodian.public_key()
    assert len(public) == 32
    key = Ed25519PublicKey.from_public_bytes(public)
    for message in (b"", b"slipvault\n1\n", os.urandom(5000)):
        signature = custodian.sign(message)
        key.verify(signature, message)
        with pytest.raises(InvalidSignature):
            key.verify(signature, message + b"\0")
    again = place.open()
    assert again.public_key() == public
    assert again.sign(b"same") == custodian.sign(b"same")


def test_many_threads_share_one_custodian(place: Place) -> None:
    custodian = place.open()
    epoch = custodian.create_epoch()
    public = Ed25519PublicKey.from_public_bytes(custodian.public_key())

    def work(number: int) -> bytes:
        key = number.to_bytes(32)
        context = CONTEXT + bytes([number])
        opened = custodian.unwrap(epoch, custodian.wrap(epoch, key, context), context)
        public.verify(custodian.sign(key), key)
        return opened

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(120))) == [number.to_bytes(32) for number in range(120)]


_BEGIN = """
import sys
from vault.foundation.keys.custodian import open_custodian
custodian = open_custodian(sys.argv[1])
print(custodian.public_key().hex(), *(custodian.create_epoch() for _ in range(3)))
"""


def test_processes_that_begin_together_agree(place: Place) -> None:
    """Four processes find an empty custodian at once: one signing key, and twelve epochs of different numbers."""
    environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _BEGIN, place.url], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(4)
    ]
    told = [process.communicate(timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert len({public for public, *_ in told}) == 1
    assert sorted(int(number) for _, *numbers in told for number in numbers) == list(range(1, 13))
    custodian = place.open()
    assert custodian.epochs() == tuple(range(1, 13))
    assert custodian.public_key().hex() == told[0][0]
    for epoch in custodian.epochs():
        assert custodian.unwrap(epoch, custodian.wrap(epoch, KEY, CONTEXT), CONTEXT) == KEY


def test_its_name_and_errors_tell_no_secret(place: Place) -> None:
    custodian = place.open()
    told = [custodian.name, repr(custodian), str(custodian)]
    with pytest.raises(EpochGone) as caught:
        custodian.unwrap(3, KEY, CONTEXT)
    told.append(str(caught.value))
    assert not any(PIN in text or KEY.hex() in text for text in told)
