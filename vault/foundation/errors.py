"""Errors by whose fault they are, with a stable code, expected and actual values, and a hint.

Every failure that reaches a person or a program is a subclass of `VaultError`. The class carries what
never changes (code, HTTP status, CLI exit code, fault, message and hint as English msgids for gettext);
the instance carries the facts that fill the templates. Facts never hold personal data: they reach logs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


def N_(text: str) -> str:  # noqa: N802 - the gettext convention for marking a msgid without translating it
    """Marks `text` for translation and returns it unchanged."""
    return text


class Fault(StrEnum):
    """Whose turn it is to do something about the failure."""

    CALLER = "caller"  # the person or program asked for something it may not or cannot have
    INPUT = "input"  # the bytes or values given are not acceptable
    STORE = "store"  # an object store, time-stamp authority or key service failed or lied
    OURS = "ours"  # a defect or an operating problem of this installation


class VaultError(Exception):
    """The root of all errors that are shown; `str()` is the English message with its facts filled in."""

    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70
    fault: ClassVar[Fault] = Fault.OURS
    message: ClassVar[str] = N_("Something went wrong inside slipvault.")
    hint: ClassVar[str] = N_("Nothing was lost. Try again; if it persists, give the operator the code and time.")

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))


class InvalidInput(VaultError):
    """A value given by a caller does not have the form or range that it must have."""

    code = "invalid-input"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("{field}: {problem}.")
    hint = N_("Correct the value and send it again.")


class NotFoundOrNotYours(VaultError):
    """Nothing that the caller may see has this identity: the same answer whether it exists or not."""

    code = "not-found"
    status = 404
    exit_code = 66
    fault = Fault.CALLER
    message = N_("There is nothing here that you may see.")
    hint = N_("Check the number. If you need access, ask your archive administrator.")


class NotAllowed(VaultError):
    """The caller is known but lacks the right."""

    code = "not-allowed"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("This needs the right {right}, which your roles do not include.")
    hint = N_("Ask the security officer for a role that includes it.")


class Conflict(VaultError):
    """The state of things does not allow the act now."""

    code = "conflict"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This cannot be done in the present state: {state}.")
    hint = N_("Reload and look at the present state.")
