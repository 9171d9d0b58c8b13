"""How background work ends early."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class JobCancelled(VaultError):
    """Somebody asked for the work to end; what was done so far stays done."""

    code = "job-cancelled"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The work was cancelled.")
    hint = N_("Start it again when it is wanted: it goes on with what is left.")


class UnknownTask(VaultError):
    """Nobody registered a task of this name: a defect, or a queue of another version."""

    code = "unknown-task"
    fault = Fault.OURS
    message = N_("There is no task called {task}.")


class JobPutOff(VaultError):
    """The worker is ending, or another is still at it: the work is done by whichever is there in `after_s` seconds."""

    code = "job-put-off"
    status = 503
    exit_code = 75
    fault = Fault.OURS
    message = N_("The work was put off: the worker is ending, or another one is still at it.")
    hint = N_("Nothing is lost: another worker goes on with it, or this one when it is started again.")

    def __init__(self, after_s: int = 0) -> None:
        self.after_s = after_s
        super().__init__()
