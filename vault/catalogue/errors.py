"""What the catalogue refuses."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class SameContentExists(VaultError):
    """The unit already keeps a record with exactly these bytes."""

    code = "same-content-exists"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The same bytes are already kept as a record of this unit.")
    hint = N_("Nothing needs to be sent again.")


class BadFieldValue(VaultError):
    """A described or personal field cannot be what it is said to be."""

    code = "bad-field-value"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The field {field} is not acceptable: {problem}.")
    hint = N_("Compare it with the slip and send it again; nothing was stored.")


class RenditionsUnderlocked(VaultError):
    """The record was filed while its access copies were made: their lock is the one of before."""

    code = "renditions-underlocked"
    status = 409
    exit_code = 75
    fault = Fault.OURS
    message = N_("The record was filed meanwhile, so its access copies need its longer lock first.")


class RecordChanged(VaultError):
    """Somebody else corrected the record after the caller had read it."""

    code = "record-changed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_(
        "Somebody corrected this record meanwhile: you had read revision {seen}, now there is revision {now}."
    )
    hint = N_("Read the record again and decide anew; nothing was changed.")


class NothingToChange(VaultError):
    """The description already says all that shall be said."""

    code = "nothing-to-change"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The description says this already: there is nothing to change.")
    hint = N_("Change a value, or leave the record as it is.")


class ReasonNeeded(VaultError):
    """Unmasking a personal field and changing a value need a reason that others can read later."""

    code = "reason-needed"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("A reason of at least {length_min} characters is needed.")
    hint = N_("Say what it is for, or what was wrong, for example the number of the matter.")
