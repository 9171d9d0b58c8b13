"""Files that commands read and write."""

from __future__ import annotations

import os
from pathlib import Path

from vault.foundation.errors import N_, Fault, VaultError


class FileExists(VaultError):
    """The file to write to is there already."""

    code = "file-exists"
    status = 409
    exit_code = 65
    fault = Fault.CALLER
    message = N_("{file} is there already.")
    hint = N_("Choose another name, or overwrite it with --force.")


class FileUnwritable(VaultError):
    """The file cannot be written."""

    code = "file-unwritable"
    status = 500
    exit_code = 77
    fault = Fault.CALLER
    message = N_("{file} cannot be written: {problem}.")
    hint = N_("Check the directory, its permissions and the space left.")


class FileUnreadable(VaultError):
    """The file cannot be read as text."""

    code = "file-unreadable"
    status = 400
    exit_code = 65
    fault = Fault.CALLER
    message = N_("{file} cannot be read: {problem}.")
    hint = N_("Name a text file in UTF-8, or - for standard input.")


def read_text(file: Path) -> str:
    """The text of a file, of standard input for `-`. Raises FileUnreadable."""
    import sys

    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileUnreadable(file=str(file), problem=os.strerror(error.errno or 0)) from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(file=str(file), problem=N_("it is not UTF-8")) from error


def write_text(file: Path, text: str, *, force: bool) -> None:
    """Writes a text whole or not at all. Raises FileExists, FileUnwritable."""
    if file.exists() and not force:
        raise FileExists(file=str(file))
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise FileUnwritable(file=str(file), problem=os.strerror(error.errno or 0)) from error
    finally:
        temporary.unlink(missing_ok=True)
