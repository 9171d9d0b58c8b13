"""What retention refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retention_rules.problems import Problem
from vault.foundation.errors import N_, Fault, VaultError

if TYPE_CHECKING:
    from vault.retention.event_lists import LineProblem


class UnknownClass(VaultError):
    """The schedule in effect has no class of the code given."""

    code = "unknown-class"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("There is no retention class with the code {class_code}.")
    hint = N_("Choose a class from the list of retention classes.")


class NoSchedule(VaultError):
    """No schedule was in effect on the day asked."""

    code = "no-schedule"
    status = 404
    exit_code = 66
    fault = Fault.CALLER
    message = N_("No schedule was in effect on {day}.")
    hint = N_("Ask for a later day.")


class NotHereThen(VaultError):
    """The record had not come in on the day asked."""

    code = "not-here-then"
    status = 404
    exit_code = 66
    fault = Fault.CALLER
    message = N_("The record came in on {received}; on {day} it was not here.")
    hint = N_("Ask for a later day.")


class ScheduleInvalid(VaultError):
    """A schedule says something that cannot be."""

    code = "schedule-invalid"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The schedule cannot be used: {problem}.")
    hint = N_("Correct it and send it again; nothing was changed.")


class ScheduleNotOpen(VaultError):
    """The version is not in the state that the act needs."""

    code = "schedule-not-open"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Version {number} of the schedule is {state}, so this cannot be done to it.")
    hint = N_("Look at its present state; a change of what is approved is a new version.")


class ScheduleChanged(VaultError):
    """Somebody else changed the draft after the caller had read it."""

    code = "schedule-changed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Somebody changed version {number} of the schedule meanwhile.")
    hint = N_("Read it again and decide anew; nothing was changed.")


class EffectiveInPast(VaultError):
    """A schedule takes effect today at the earliest: what was decided before stays as it was."""

    code = "effective-in-past"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("A schedule takes effect on {today} at the earliest, not on {day}.")
    hint = N_("Propose it with a later day.")


class AlreadyProposed(VaultError):
    """The same act on the same subject waits for approval already."""

    code = "already-proposed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This is proposed already and waits for approval.")
    hint = N_("Have it approved, refused or withdrawn first.")


class ClassStillUsed(VaultError):
    """A schedule leaves out classes that records have."""

    code = "class-still-used"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The schedule leaves out classes that records still have: {classes}.")
    hint = N_("Keep them in the schedule, or classify those records anew first.")


class BeingLocked(VaultError):
    """The record's locks are being set; they are never taken back, so it is as good as filed."""

    code = "being-locked"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The record is being filed: its locks are being set, and nobody takes them back.")
    hint = N_("Wait a moment. A filed record gets another class with the approval of a second person.")


class NotBeingFiled(VaultError):
    """Nobody asked for the record to be filed, or it is filed already."""

    code = "not-being-filed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Nothing is to be stopped: the record is not waiting to be filed.")
    hint = N_("Look at its present state.")


class NeverShorter(VaultError):
    """Another class for a filed record may keep it longer, never shorter (invariant R1)."""

    code = "never-shorter"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The class {class_code} is not known to keep this record at least as long as its present one does.")
    hint = N_("A filed record can only get a class that keeps it at least as long.")


class SameClass(VaultError):
    """The record has the class already."""

    code = "same-class"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The record has the class {class_code} already.")
    hint = N_("Choose another class, or leave the record as it is.")


class RuleNotOpen(VaultError):
    """There is nothing to confirm about the rule: it is verified, confirmed, changed, or not there."""

    code = "rule-not-open"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("There is nothing to confirm about the rule {rule}.")
    hint = N_("Only unverified rules of the schedule in effect are confirmed; look at the list of rules.")


class PackAltered(VaultError):
    """A rule pack in the database is not the one that was entered, or not the one that two people approved."""

    code = "pack-altered"
    fault = Fault.OURS
    message = N_("The rule pack {pack} is not the one that was approved; no law can be told by it.")
    hint = N_(
        "Somebody altered it in the database. Tell the system officer: the digest that was approved stands in the ledger,"
        " and a copy of the database from before has the pack."
    )


class PackRefused(VaultError):
    """A rule pack cannot be taken."""

    code = "pack-refused"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The rule pack cannot be used: {problem}.")
    hint = N_("Correct it and send it again; nothing was changed.")


class NotSimulated(VaultError):
    """The version was not tried on the records as it stands, or the law changed since."""

    code = "not-simulated"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Version {number} of the schedule was not simulated as it stands now.")
    hint = N_(
        "Simulate it and read what it would do. A simulation counts for exactly the draft that was simulated, for 30 days"
        " and until the law changes otherwise."
    )


class SimulatedForOtherDay(VaultError):
    """The version was tried as it would be on another day than the one from which it shall apply."""

    code = "simulated-for-other-day"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Version {number} of the schedule was simulated as it would be on {simulated}, not on {day}.")
    hint = N_(
        "Simulate it as it would be on {day}, or propose it for {simulated}: what a version does to the records depends"
        " on the day from which it applies."
    )


class ScheduleFileRefused(VaultError):
    """A file cannot be a schedule; `problems` names every line."""

    code = "schedule-file-refused"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("The file cannot be used: it has {problems_count} problems.")
    hint = N_("Correct the lines named and send it again; nothing was changed.")

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems_count=len(problems))
        self.problems = tuple(problems)


class EventListRefused(VaultError):
    """Lines of a list of events cannot be taken, so none of the list was; `problems` names them."""

    code = "event-list-refused"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("{refused} of {lines} lines cannot be taken, so nothing was reported.")
    hint = N_("Correct the lines named and send the whole list again with the same key.")

    def __init__(self, problems: Sequence[LineProblem], *, refused: int, lines: int) -> None:
        super().__init__(refused=refused, lines=lines)
        self.problems = tuple(problems)


class ReportKeyReused(VaultError):
    """A client key was used before for another report."""

    code = "report-key-reused"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This key was used before for another report.")
    hint = N_("Use a new key for a new report.")


class EventUndone(VaultError):
    """The event was undone before."""

    code = "event-undone"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("This event was undone already.")
    hint = N_("If it did happen, report it again.")


class OwnEvent(VaultError):
    """Whoever reported an event does not undo it."""

    code = "own-event"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("You reported this event yourself, so somebody else must undo it.")
    hint = N_("Ask another person who has the right to undo events.")
