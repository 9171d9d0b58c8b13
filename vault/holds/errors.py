"""What holds refuse. They never refuse a hold because something else is under way (invariant H1)."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class RecordsUnknown(VaultError):
    """Lines of a list name no record that the caller may see. The lines are told, not what stands in them."""

    code = "records-unknown"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("{count} lines name no record that you may see: {lines}.")
    hint = N_("Correct these lines and send the list again; nothing of it was held.")


class HoldKeyReused(VaultError):
    """The sender's key was used before to open another matter, or to hold other records or for another reason."""

    code = "hold-key-reused"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This key was used before for another matter or hold. Nothing was opened or held.")
    hint = N_("Send it again with a key of its own; only a retry of the same keeps its key.")


class MatterClosed(VaultError):
    """Nothing is held under a matter that is closed."""

    code = "matter-closed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The matter {number} is closed.")
    hint = N_("Open a matter for the new document.")


class MatterStillHolds(VaultError):
    """A matter is closed only when nothing is held under it any more."""

    code = "matter-still-holds"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Under the matter {number} holds are in force: {holds}.")
    hint = N_("Have them released first.")


class HoldEnded(VaultError):
    """The hold was released."""

    code = "hold-ended"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The hold {name} was released.")
    hint = N_("Place a new hold; a released one stays as it is.")


class ReleaseProposed(VaultError):
    """The release of the hold waits for approval already."""

    code = "release-proposed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The release of the hold {name} is proposed already.")
    hint = N_("Have it approved, refused or withdrawn first.")


class ReleaseNotProposed(VaultError):
    """Nobody has proposed to release the hold."""

    code = "release-not-proposed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Nobody has proposed to release the hold {name}.")
    hint = N_("Look at its present state.")


class ReleaseReplaced(VaultError):
    """The release that somebody read was withdrawn or refused, and another one is proposed by now."""

    code = "release-replaced"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The proposal to release the hold {name} is another one than you have read.")
    hint = N_("Read the hold again, and decide about what is proposed now.")


class ReleaseOutdated(VaultError):
    """Records were put under the hold after its release was proposed: nobody has decided about those."""

    code = "release-outdated"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Records were put under the hold {name} after its release was proposed.")
    hint = N_("Refuse or withdraw the proposal, and propose the release anew.")
