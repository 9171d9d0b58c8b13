"""What access refuses."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, NotAllowed, VaultError


class SignInFailed(VaultError):
    """Login and password do not belong together; the same answer whether the login exists or not."""

    code = "sign-in-failed"
    status = 401
    exit_code = 77
    fault = Fault.CALLER
    message = N_("Sign-in name and password do not belong together.")
    hint = N_("Check both. After several wrong tries you must wait before the next.")


class TooManyGuesses(VaultError):
    """Guessing is slowed down."""

    code = "too-many-guesses"
    status = 429
    exit_code = 75
    fault = Fault.CALLER
    message = N_("There were too many wrong tries.")
    hint = N_("Wait {retry_after_s} seconds, then try again.")


class PasswordMustChange(NotAllowed):
    """Somebody signed in with a one-time password, which gives the right to change it and no other."""

    code = "password-must-change"
    message = N_("Choose a password of your own first.")
    hint = N_("The one you have was for one time only. Change it, then sign in with the new one.")


class WeakPassword(VaultError):
    """A password that could be guessed."""

    code = "weak-password"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("This password is too easy to guess: {problem}.")
    hint = N_("Take at least {length_min} characters, for example four words that do not belong together.")


class UnitCodeTaken(VaultError):
    """Another unit has the code."""

    code = "unit-code-taken"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Another unit has this code.")
    hint = N_("Choose another one; it stands in archival numbers, so no two units share it.")


class LoginTaken(VaultError):
    """Somebody else has the sign-in name."""

    code = "login-taken"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This name is taken.")
    hint = N_("Choose another one.")


class OfficersKeptApart(VaultError):
    """One person cannot be two of the three officers, and the system officer nothing else."""

    code = "officers-kept-apart"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("One person cannot hold two officers' roles, nor any role beside the system officer's.")
    hint = N_("Take the other officer's role away first, or give this one to somebody else.")


class OwnAccount(VaultError):
    """Nobody gives themselves roles or disables the own account."""

    code = "own-account"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("You cannot do this to your own account.")
    hint = N_("Ask another security officer.")


class AlreadySetUp(VaultError):
    """The first-run set-up was done before."""

    code = "already-set-up"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This installation is set up already.")
    hint = N_("Sign in.")


class NeedsPerson(VaultError):
    """A two-person act is approved by people who sign in as themselves, never by a program or the host's operator."""

    code = "needs-person"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("Only a person who signed in as themselves can approve this.")
    hint = N_("Sign in with your own account; tokens and the operator of the host cannot approve.")


class OwnProposal(VaultError):
    """Whoever proposed a two-person act does not approve it (invariant A1)."""

    code = "own-proposal"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("You proposed this yourself, so somebody else must decide on it.")
    hint = N_("Ask another person who has the right to approve.")


class NotProposer(VaultError):
    """Only whoever proposed takes the proposal back."""

    code = "not-proposer"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("Only whoever proposed this can withdraw it.")
    hint = N_("If you disagree with it, refuse it and say why.")


class ProposalSettled(VaultError):
    """The proposal is no longer open to this person."""

    code = "proposal-settled"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This proposal is no longer open to you: {state}.")
    hint = N_("Look at its present state.")


class ViewNameTaken(VaultError):
    """The person has a saved view of that name for that list."""

    code = "view-name-taken"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("You have a view of this name for this list already.")
    hint = N_("Choose another name, or remove the old view first.")


class TooManyViews(VaultError):
    """The person keeps as many saved views as one person may."""

    code = "too-many-views"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("You keep {count_max} views already, and no more are possible.")
    hint = N_("Remove one that you no longer need.")
