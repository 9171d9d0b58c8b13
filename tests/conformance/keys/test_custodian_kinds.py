"""What only one kind of custodian can do wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from tests.conformance.keys.custodian_places import PIN, Place
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.errors import CustodianFailed, EpochGone

CONTEXT = b"context"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "custodian"


def test_its_directory_and_files_are_private_whatever_the_umask(directory: Path) -> None:
    before = os.umask(0)
    try:
        open_custodian(f"file://{directory}").create_epoch()
    finally:
        os.umask(before)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o704, 0o770, 0o755])
def test_a_directory_open_to_others_is_refused(directory: Path, mode: int) -> None:
    open_custodian(f"file://{directory}")
    directory.chmod(mode)
    with pytest.raises(CustodianFailed, match="may be read by others"):
        open_custodian(f"file://{directory}")


def test_a_secret_open_to_others_is_refused(directory: Path) -> None:
    custodian = open_custodian(f"file://{directory}")
    epoch = custodian.create_epoch()
    (directory / "epoch-000001").chmod(0o640)
    with pytest.raises(CustodianFailed, match="may be read by others"):
        custodian.wrap(epoch, bytes(32), CONTEXT)
    (directory / "signing-key").chmod(0o604)
    with pytest.raises(CustodianFailed, match="may be read by others"):
        custodian.sign(b"message")


def test_a_link_or_a_stranger_s_file_is_refused(directory: Path, tmp_path: Path) -> None:
    custodian = open_custodian(f"file://{directory}")
    epoch = custodian.create_epoch()
    secret = directory / "epoch-000001"
    secret.rename(tmp_path / "elsewhere")
    secret.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CustodianFailed, match="is a link"):
        custodian.wrap(epoch, bytes(32), CONTEXT)
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(CustodianFailed, match="is a link"):
        open_custodian(f"file://{tmp_path}/link")


def test_a_directory_under_the_data_is_refused_also_through_a_link(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "aside").symlink_to(data)
    for inside in (data, data / "keys", tmp_path / "aside" / "keys", tmp_path / "x" / ".." / "data" / "keys"):
        with pytest.raises(CustodianFailed, match="kept with the data"):
            open_custodian(f"file://{inside}", forbidden_parents=[tmp_path / "other", data])
    assert list(data.iterdir()) == []
    open_custodian(f"file://{tmp_path}/data-keys", forbidden_parents=[data])


def test_destroying_leaves_no_secret_behind(directory: Path) -> None:
    custodian = open_custodian(f"file://{directory}")
    epoch = custodian.create_epoch()
    secret = (directory / "epoch-000001").read_bytes().strip()
    handle = os.open(directory / "epoch-000001", os.O_RDONLY)
    custodian.destroy_epoch(epoch)
    try:
        assert secret not in os.pread(handle, 4096, 0)  # overwritten, not only unlinked
    finally:
        os.close(handle)
    assert all(secret not in path.read_bytes() for path in directory.iterdir())


@pytest.mark.invariant("S2")
@pytest.mark.parametrize("left", [b"", b"\xff\x00\x80" * 20, b"0" * 10])
def test_a_destruction_cut_short_is_finished_by_the_next(directory: Path, left: bytes) -> None:
    """A crash between overwriting and unlinking leaves a file that holds no secret any more."""
    custodian = open_custodian(f"file://{directory}")
    epoch = custodian.create_epoch()
    wrapped = custodian.wrap(epoch, bytes(32), CONTEXT)
    (directory / "epoch-000001").write_bytes(left)
    again = open_custodian(f"file://{directory}")
    with pytest.raises(CustodianFailed, match="damaged"):
        again.unwrap(epoch, wrapped, CONTEXT)
    again.destroy_epoch(epoch)
    with pytest.raises(EpochGone):
        again.unwrap(epoch, wrapped, CONTEXT)
    assert again.create_epoch() == epoch + 1


def test_a_creation_cut_short_is_as_if_it_had_not_begun(directory: Path) -> None:
    custodian = open_custodian(f"file://{directory}")
    (directory / ".epoch-000001.new").write_text("ab")
    assert custodian.epochs() == ()
    assert custodian.create_epoch() == 1
    assert not (directory / ".epoch-000001.new").exists()


def test_a_damaged_signing_key_is_an_error_and_never_replaced(directory: Path) -> None:
    open_custodian(f"file://{directory}")
    (directory / "signing-key").write_text("not hexadecimal")
    with pytest.raises(CustodianFailed, match="signing key"):
        open_custodian(f"file://{directory}").sign(b"message")
    assert (directory / "signing-key").read_text() == "not hexadecimal"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file://",
        "file://host/directory",
        "http://host/keys",
        "pkcs11:///module.so",
        "pkcs11:///module.so?token=a",
        "pkcs11:///nowhere/module.so?token=a&pin-file=/nowhere/pin",
    ],
)
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(CustodianFailed):
        open_custodian(url)


def test_a_token_s_keys_cannot_leave_it(token: Place) -> None:
    custodian = token.open()
    custodian.create_epoch()
    label = token.url.partition("token=")[2].partition("&")[0]
    module = token.url.removeprefix("pkcs11://").partition("?")[0]
    device = pkcs11.lib(module).get_token(token_label=label)
    with device.open() as session:
        # Without the PIN nothing secret is even listed.
        found = [
            key
            for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)
            for key in session.get_objects({Attribute.CLASS: kind})
        ]
        assert len(found) == 3, "the key that signs, the key of the marks, an epoch"
        for key in found:
            assert key[Attribute.SENSITIVE]
            assert not key[Attribute.EXTRACTABLE]
            assert key[Attribute.NEVER_EXTRACTABLE]
            assert key[Attribute.ALWAYS_SENSITIVE]
            assert key[Attribute.PRIVATE]
            with pytest.raises(pkcs11.exceptions.PKCS11Error):
                key[Attribute.VALUE]


def test_a_token_s_pin_comes_from_a_private_file(token: Place) -> None:
    pin_file = Path(token.url.partition("pin-file=")[2])
    pin_file.chmod(0o604)
    with pytest.raises(CustodianFailed, match="everybody") as caught:
        token.open()
    pin_file.chmod(0o600)
    pin_file.write_text("000000")
    with pytest.raises(CustodianFailed, match="PIN") as wrong:
        token.open()
    assert PIN not in f"{caught.value}{wrong.value}"
    pin_file.unlink()
    with pytest.raises(CustodianFailed, match="PIN file"):
        token.open()


def test_a_token_that_does_not_exist_is_named(token: Place) -> None:
    with pytest.raises(CustodianFailed, match="NoSuchToken"):
        open_custodian(token.url.replace("token=slipvault", "token=other"))
