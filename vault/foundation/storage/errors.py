"""What stores refuse, and how they fail: passing failures are worth a retry, the others are not."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class ObjectNotFound(VaultError):
    """The store has no object, or no such version of it."""

    code = "object-not-found"
    status = 404
    exit_code = 66
    fault = Fault.STORE
    message = N_("The store {store} has no object {key}.")
    hint = N_("Run slipvault verify: it names every object that is missing.")


class AlreadyExists(VaultError):
    """The key is taken by other bytes."""

    code = "object-already-exists"
    status = 409
    exit_code = 75
    fault = Fault.STORE
    message = N_("The store {store} already has other bytes under {key}.")
    hint = N_(
        "Object names carry their digest, so this means that the object there was damaged. Run slipvault verify."
    )


class LockRefused(VaultError):
    """A lock may be extended or strengthened, never shortened or weakened (invariant R1)."""

    code = "lock-refused"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The lock on {key} runs until {present} and cannot become {asked}.")
    hint = N_("A lock can only be extended.")


class StoreLied(VaultError):
    """The store said yes and did something else."""

    code = "store-lied"
    status = 502
    exit_code = 69
    fault = Fault.STORE
    message = N_("The store {store} did not keep its word for {key}: {what} should be {expected}, found {found}.")
    hint = N_("Nothing was accepted. Probe the store: slipvault store probe URL.")


class StoreUnavailable(VaultError):
    """The store does not answer, or says that it cannot now: this may pass."""

    code = "store-unavailable"
    status = 503
    exit_code = 69
    fault = Fault.STORE
    message = N_("The store {store} does not answer: {problem}.")
    hint = N_("Nothing was lost. Sending again later goes on where this ended.")


class StoreDenied(VaultError):
    """The store refuses: credentials, rights, or a request it does not support."""

    code = "store-denied"
    status = 502
    exit_code = 78
    fault = Fault.STORE
    message = N_("The store {store} refused: {problem}.")
    hint = N_("The operator must correct the credentials or the bucket's rights.")


class BadStoreAddress(VaultError):
    """A store address has a form that is not known."""

    code = "bad-store-address"
    exit_code = 78
    fault = Fault.OURS
    message = N_("The store address {address} cannot be used: {problem}.")
    hint = N_("Use worm:///directory, s3+http://host:port/bucket or s3+https://host/bucket.")
