"""What states, events and codes are called on pages: a word, a tone and an icon for each.

A code that has no entry here is shown as it is, in the neutral tone: an unknown state must not hide a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vault.foundation.errors import N_
from vault.surfaces.field_words import PERSONAL_FIELDS
from vault.surfaces.web.event_words import EVENTS

Tone = Literal["neutral", "good", "info", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Word:
    """A state as a person reads it; `label` is a message id."""

    label: str
    tone: Tone = "neutral"
    icon: str = "dot"


STATES: dict[str, dict[str, Word]] = {
    "record": {
        "received": Word(N_("To be filed"), "info", "intake"),
        "filed": Word(N_("Filed"), "good", "check"),
        "being_filed": Word(N_("Being filed: its locks are being set"), "info", "lock"),
    },
    "rule": {
        "verified": Word(N_("Verified"), "good", "check"),
        "confirmed": Word(N_("Confirmed by two people"), "good", "check"),
        "unverified": Word(N_("Not verified"), "warn", "alert"),
    },
    "matter": {
        "open": Word(N_("Open, nothing is held"), "info", "dot"),
        "holds": Word(N_("Holds in force"), "warn", "hold"),
        "release-proposed": Word(N_("Release proposed"), "warn", "clock"),
        "closed": Word(N_("Closed"), "neutral", "lock"),
    },
    "hold": {
        "being-set": Word(N_("In force, being set in the stores"), "warn", "running"),
        "stands": Word(N_("In force, stands in the stores"), "warn", "hold"),
        "release-proposed": Word(N_("In force, release proposed"), "warn", "clock"),
        "being-lifted": Word(N_("Released, being taken off in the stores"), "info", "running"),
        "released": Word(N_("Released"), "neutral", "check"),
    },
    "authority": {
        "court": Word(N_("Court")),
        "procuratorate": Word(N_("Procuratorate")),
        "police": Word(N_("Police")),
        "supervision": Word(N_("Supervisory commission")),
        "regulator": Word(N_("Regulator")),
        "other": Word(N_("Another authority")),
        "house": Word(N_("The house itself")),
    },
    "event": {
        "valid": Word(N_("Counts"), "good", "check"),
        "undone": Word(N_("Undone"), "neutral", "undo"),
    },
    "seal": {
        "shipped": Word(N_("Comes with the program"), "good", "check"),
        "own": Word(N_("Signed by this archive"), "good", "check"),
        "signed": Word(N_("Signed: compare the key"), "info", "keys"),
        "unsigned": Word(N_("Not signed"), "warn", "alert"),
    },
    "version": {
        "draft": Word(N_("Draft"), "neutral", "pen"),
        "proposed": Word(N_("Waits for approval"), "warn", "clock"),
        "approved": Word(N_("Approved"), "good", "check"),
        "coming": Word(N_("Approved, not in effect yet"), "info", "clock"),
        "in_effect": Word(N_("In effect"), "good", "check"),
        "superseded": Word(N_("Superseded"), "neutral", "dot"),
        "refused": Word(N_("Refused"), "bad", "cross"),
        "withdrawn": Word(N_("Withdrawn"), "neutral", "cross"),
    },
    "batch": {
        "open": Word(N_("Receiving"), "info", "intake"),
        "complete": Word(N_("All here, to be closed"), "info", "check"),
        "balanced": Word(N_("Balanced"), "good", "check"),
        "unbalanced": Word(N_("Not balanced"), "warn", "alert"),
        "closed": Word(N_("Closed"), "neutral", "lock"),
    },
    "item": {
        "chosen": Word(N_("Not sent yet"), "info", "clock"),
        "waiting": Word(N_("Waiting"), "neutral", "clock"),
        "sending": Word(N_("Being sent"), "info", "up"),
        "received": Word(N_("Being checked"), "info", "running"),
        "intent": Word(N_("Being stored"), "info", "lock"),
        "sealing": Word(N_("Being stored"), "info", "lock"),
        "accepted": Word(N_("Accepted"), "good", "check"),
        "duplicate": Word(N_("Already here"), "neutral", "copy"),
        "refused": Word(N_("Refused"), "bad", "cross"),
        "failed": Word(N_("Not sent"), "bad", "alert"),
        "cancelled": Word(N_("Cancelled"), "neutral", "cross"),
    },
    "tab": {
        "": Word(N_("All")),
        "accepted": Word(N_("Accepted")),
        "duplicate": Word(N_("Already here")),
        "refused": Word(N_("Refused")),
        "intent": Word(N_("Being stored")),
    },
    "quarantine": {
        "waiting": Word(N_("Waits to be seen to"), "warn", "clock"),
        "handled": Word(N_("Seen to"), "good", "check"),
    },
    "balance": {
        "even": Word(N_("Every sheet accounted for"), "good", "check"),
        "uneven": Word(N_("Sheets missing, too many or under way"), "warn", "alert"),
    },
    "handling": {
        "scanned_again": Word(N_("Scanned and sent again")),
        "returned": Word(N_("Given back to whoever brought it")),
        "not_kept": Word(N_("Nothing that belongs in the archive")),
        "other": Word(N_("Something else")),
    },
    "trigger": {
        "open": Word(N_("The period has not begun to count"), "info", "clock"),
        "set": Word(N_("The period is counting"), "good", "check"),
    },
    "copy": {
        "verified": Word(N_("Verified"), "good", "check"),
        "unverified": Word(N_("Not verified yet"), "neutral", "clock"),
        "missing": Word(N_("Missing"), "bad", "cross"),
        "damaged": Word(N_("Damaged"), "bad", "alert"),
    },
    "verification": {
        "clean": Word(N_("Nothing was changed"), "good", "check"),
        "findings": Word(N_("Something is wrong"), "bad", "alert"),
        "running": Word(N_("Being verified"), "info", "running"),
        "never": Word(N_("Never verified"), "warn", "clock"),
        "new": Word(N_("Not verified since it came in"), "neutral", "clock"),
        "stale": Word(N_("Changed since it was verified"), "warn", "clock"),
    },
    "pages": {
        "ready": Word(N_("Page images are ready"), "good", "check"),
        "making": Word(N_("Page images are being made"), "info", "running"),
        "failed": Word(N_("Page images could not be made"), "bad", "alert"),
        "none": Word(N_("This kind of file has no page images"), "neutral", "info"),
    },
    "store": {
        "honest": Word(N_("Keeps its promises"), "good", "check"),
        "lies": Word(N_("Breaks its promises: intake is stopped"), "bad", "alert"),
        "unreachable": Word(N_("Not reachable"), "bad", "cross"),
        "unknown": Word(N_("Not tried yet"), "neutral", "clock"),
    },
    "drift": {
        "open": Word(N_("Not as it must be"), "bad", "alert"),
        "repaired": Word(N_("Mended"), "good", "check"),
        "in-order": Word(N_("In order again"), "neutral", "check"),
    },
    "service": {
        "up": Word(N_("Working"), "good", "check"),
        "slow": Word(N_("Behind"), "warn", "clock"),
        "down": Word(N_("Down"), "bad", "cross"),
    },
    "epoch": {
        "active": Word(N_("In use"), "good", "check"),
        "retired": Word(N_("No longer in use"), "neutral", "clock"),
        "destroyed": Word(N_("Destroyed"), "bad", "cross"),
    },
    "group": {
        "active": Word(N_("In use"), "good", "check"),
        "retired": Word(N_("No longer in use"), "neutral", "clock"),
    },
    "person": {
        "active": Word(N_("Active"), "good", "check"),
        "invited": Word(N_("Has not signed in yet"), "info", "clock"),
        "locked": Word(N_("Locked after wrong passwords"), "warn", "lock"),
        "disabled": Word(N_("Disabled"), "neutral", "cross"),
    },
    "token": {
        "none": Word(N_("No token"), "warn", "alert"),
        "active": Word(N_("Valid"), "good", "check"),
        "expiring": Word(N_("Expires soon"), "warn", "clock"),
        "expired": Word(N_("Expired"), "neutral", "clock"),
        "revoked": Word(N_("Revoked"), "neutral", "cross"),
    },
    "job": {
        "waiting": Word(N_("Waiting"), "neutral", "clock"),
        "running": Word(N_("Running"), "info", "running"),
        "cancelling": Word(N_("Being cancelled"), "warn", "clock"),
        "done": Word(N_("Done"), "good", "check"),
        "failed": Word(N_("Failed"), "bad", "alert"),
        "cancelled": Word(N_("Cancelled"), "neutral", "cross"),
    },
    "simulation": {
        "never": Word(N_("Not simulated yet"), "neutral", "clock"),
        "waiting": Word(N_("Waiting"), "neutral", "clock"),
        "running": Word(N_("Running"), "info", "running"),
        "cancelling": Word(N_("Being cancelled"), "warn", "clock"),
        "failed": Word(N_("Failed"), "bad", "alert"),
        "cancelled": Word(N_("Cancelled"), "neutral", "cross"),
        "fresh": Word(N_("Counts for the draft as it stands"), "good", "check"),
        "stale": Word(N_("Out of date"), "warn", "alert"),
    },
    "lock": {
        "none": Word(N_("No lock"), "warn", "alert"),
        "governance": Word(N_("Governance lock"), "info", "lock"),
        "compliance": Word(N_("Compliance lock"), "good", "lock"),
    },
    "role": {
        "original": Word(N_("Original scan")),
        "access_copy": Word(N_("Access copy")),
        "page": Word(N_("Page image")),
        "thumbnail": Word(N_("Thumbnail")),
    },
    "check": {
        "bytes": Word(
            N_("Stored bytes are those that came in, and open with the record's key"), "neutral", "records"
        ),
        "locks": Word(N_("No lock is weaker or shorter than the catalogue says"), "neutral", "lock"),
        "rows": Word(N_("Catalogue rows fit the digests in the ledger"), "neutral", "batch"),
        "ledger": Word(N_("Ledger entries lead to the signed root"), "neutral", "ledger"),
    },
    "subject": {
        "record": Word(N_("Record")),
        "batch": Word(N_("Batch")),
        "item": Word(N_("Item")),
        "person": Word(N_("Person")),
        "station": Word(N_("Station")),
        "token": Word(N_("Token of a station")),
        "unit": Word(N_("Unit")),
        "organisation": Word(N_("Organisation")),
        "view": Word(N_("Saved view")),
        "job": Word(N_("Job")),
        "store": Word(N_("Store")),
        "drift": Word(N_("Difference between store and catalogue")),
        "leftover": Word(N_("Leftover object")),
        "epoch": Word(N_("Epoch of keys")),
        "group": Word(N_("Group key")),
        "fonds": Word(N_("Fonds")),
        "schedule": Word(N_("Retention classes")),
    },
    "actor": {
        "person": Word(N_("person"), "neutral", "person"),
        "station": Word(N_("station"), "neutral", "stations"),
        "system": Word(N_("system"), "neutral", "settings"),
        "operator": Word(N_("operator"), "neutral", "settings"),
    },
    "urgency": {
        "overdue": Word(N_("Overdue"), "bad", "alert"),
        "soon": Word(N_("Due soon"), "warn", "clock"),
        "calm": Word(N_("Waiting"), "neutral", "clock"),
    },
}

# What the details of an entry are called; a name that is not here is shown as it is.
DETAILS = {
    "revision": N_("Revision"),
    "row": N_("The row that was written"),
    "digest": N_("Digest"),
    "class_code": N_("Retention class"),
    "unit_id": N_("Unit"),
    "components": N_("Stored object"),
    "components_count": N_("Stored objects"),
    "digests": N_("Salted digests of the catalogue rows"),
    "records": N_("Records"),
    "record_states": N_("States of records"),
    "component_copies": N_("Copies in stores"),
    "personal_fields": N_("Personal fields"),
    "corrections": N_("Corrections"),
    "fields": N_("Fields"),
    "field": N_("Field"),
    "retention_moved": N_("To be kept until"),
    "before": N_("before"),
    "after": N_("after"),
    "lock_until": N_("Locked until"),
    "sealed_sha256": N_("Digest of the sealed object"),
    "sealed_size_bytes": N_("Size of the sealed object"),
    "size_bytes": N_("Size"),
    "store": N_("Store"),
    "kind": N_("Kind"),
    "record_id": N_("Id of the record"),
    "id": N_("Id"),
    "duplicate_of": N_("Id of the record that was there"),
    "reasons": N_("Reasons"),
    "reason_sealed": N_("Reason, sealed with the record's key"),
    "findings": N_("Findings"),
    "entries": N_("Ledger entries"),
    "sheets_announced": N_("Sheets announced"),
    "received": N_("received"),
    "accepted": N_("accepted"),
    "refused": N_("refused"),
    "duplicate": N_("already here"),
    "state": N_("State"),
    "role": N_("Role"),
    "code": N_("Code"),
    "fonds_code": N_("Fonds"),
    "language": N_("Language"),
    "lasts_days": N_("Days valid"),
    "wait_s": N_("Seconds to wait"),
    "classes": N_("Retention classes"),
    "epoch": N_("Epoch"),
    "period": N_("Period"),
    "number": N_("Number"),
    "checks": N_("Checks"),
    "lies": N_("Broken promises"),
    "problem": N_("Problem"),
    "attempts": N_("Attempts"),
    "original": N_("Original scan"),
    "id_number": N_("Citizen id number"),
    "card_number": N_("Bank card number"),
    "phone": N_("Telephone"),
    "balanced": N_("Balanced"),
    "unbalanced": N_("Not balanced"),
    "yes": N_("yes"),
    "no": N_("no"),
}


def detail_word(code: str) -> str:
    """The message id for a detail of an entry, or for a value that is a word of ours."""
    return DETAILS.get(code, code)


def state(kind: str, code: str) -> Word:
    """The word for state `code` of a `kind` of thing; an unknown code names itself."""
    return STATES[kind].get(code, Word(code))


def event(code: str) -> str:
    """The message id for a ledger event; an unknown event names itself."""
    return EVENTS.get(code, code)


def personal_field(code: str) -> str:
    """The message id for a personal field's name."""
    return PERSONAL_FIELDS.get(code, code)
