"""What the ledger refuses."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class LedgerDamaged(VaultError):
    """The ledger's tables do not continue what was signed, so nothing more is signed."""

    code = "ledger-damaged"
    exit_code = 70
    fault = Fault.OURS
    message = N_("The ledger in the database does not continue what was signed at {size} entries: {problem}.")
    hint = N_(
        "Acts go on and are kept, but get no proof. Stop other access to the database and run slipvault verify."
    )
