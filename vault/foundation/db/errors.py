"""What the database refuses, in words."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class UnwitnessedChange(VaultError):
    """A transaction changed something that no ledger entry witnesses; nothing was committed (invariant L1)."""

    code = "unwitnessed-change"
    fault = Fault.OURS
    message = N_("A change was refused because no ledger entry witnesses it.")


class DatabaseUnavailable(VaultError):
    """PostgreSQL cannot be reached or is starting."""

    code = "database-unavailable"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The catalogue database cannot be reached.")
    hint = N_("Nothing was lost. Try again in a moment; the operator sees the cause in the log.")


class DatabaseUnreachable(VaultError):
    """The database that the settings name does not let the service in when it starts."""

    code = "database-unreachable"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The database cannot be used: {problem}.")
    hint = N_("Check SLIPVAULT_DATABASE_URL, whether that server runs, its pg_hba.conf and the password.")


class RestorationUnfinished(VaultError):
    """A copy was being put into the database when its process ended; nobody starts on what may be half an archive."""

    code = "restoration-unfinished"
    status = 503
    exit_code = 75
    fault = Fault.OURS
    message = N_(
        "A copy is being put into this database, or that was cut off: nothing starts on it before it is finished."
    )
    hint = N_("Wait for slipvault database restore, or run it again with the same dump: it does what is left.")


class DatabaseFull(VaultError):
    """PostgreSQL answers, but its disk has no room for another row."""

    code = "database-full"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The catalogue database has no room left on its disk.")
    hint = N_("Nothing was lost. The operator must make room; sending again then goes on where this ended.")


class TransactionClosed(VaultError):
    """A transaction was used after its end: a defect in the caller."""

    code = "transaction-closed"
    fault = Fault.OURS
    message = N_("A finished transaction was used again.")


class DatabaseUnsuitable(VaultError):
    """The PostgreSQL server lacks something that the catalogue relies on."""

    code = "database-unsuitable"
    exit_code = 78
    fault = Fault.OURS
    message = N_("This PostgreSQL database cannot serve: {problem}.")
    hint = N_("{advice}")


class ServerPathClosed(DatabaseUnsuitable):
    """We are root and the server is not: it cannot reach its own directory."""

    code = "database-path-closed"
    message = N_("The database server's account may not pass through {directory}.")
    hint = N_("Choose a home that others may pass through, for example /var/lib/slipvault, or: chmod o+x {directory}")


class OtherServerVersion(DatabaseUnsuitable):
    """The files were made by another PostgreSQL; a newer one cannot read them as they are."""

    code = "database-other-version"
    message = N_("The files in {directory} are of PostgreSQL {found}, the program is {wanted}.")
    hint = N_("Nothing was changed. Dump them with the old version (pg_dump) and restore into a new home.")


class ServerProgramFailed(DatabaseUnsuitable):
    """A program of PostgreSQL ended with an error, for example because the disk is full."""

    code = "database-program-failed"
    message = N_("{program} failed: {said}")
    hint = N_(
        "Check free space and rights of the home directory, then start again; the database's log is server.log."
    )
