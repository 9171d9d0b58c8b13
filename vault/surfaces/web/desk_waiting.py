"""What waits for somebody, by their rights, and what went wrong today. The nearest deadline comes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.queries import expiring_tokens, unused_accounts
from vault.access.rights import Right
from vault.catalogue.queries import TO_FILE_MAX, waiting_to_be_filed
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.ledger.queries import count_since
from vault.holds.queries import stores_to_tell
from vault.intake import queries as intake
from vault.intake.model import Item
from vault.intake.stores import newest_probe
from vault.oversight.jobs import TASK_VERIFY
from vault.surfaces.i18n import Formats
from vault.surfaces.web import desk_law
from vault.surfaces.web.views.desk import Trouble, WaitingItem
from vault.surfaces.web.views.parts import Link

TOKENS_ASKED_BEFORE = timedelta(days=30)
VERIFIED_EVERY = timedelta(days=30)
SOON = timedelta(days=5)
_SIGN_IN_REFUSED = "access:session:refuse"


@dataclass(frozen=True)
class Asker:
    """Who asks for what waits, and when."""

    connection: Connection
    viewer: Viewer
    formats: Formats
    now: datetime
    store: str

    @property
    def midnight(self) -> datetime:
        """When the organisation's day began."""
        return self.formats.local(self.now).replace(hour=0, minute=0, second=0, microsecond=0)

    def say(self, message: str) -> str:
        """A message in the reader's language."""
        return self.formats.translator.gettext(message)

    def urgency(self, due_at: datetime) -> str:
        """How near a deadline is."""
        return "overdue" if due_at < self.now else "soon" if due_at - self.now < SOON else "calm"


def waiting(asker: Asker) -> tuple[WaitingItem, ...]:
    """What waits, the nearest deadline first, what has none last."""
    tellers = (
        (Right.RETENTION_SCHEDULE_APPROVE, desk_law.to_approve),
        (Right.RETENTION_CONFIRMATION_APPROVE, desk_law.to_confirm),
        (Right.RETENTION_RECLASSIFICATION_APPROVE, desk_law.to_reclassify),
        (Right.HOLDS_RELEASE_APPROVE, desk_law.to_release),
        (Right.HOLDS_RELEASE_PROPOSE, desk_law.to_review),
        (Right.HOLDS_HOLD_PLACE, desk_law.refused_holds),
        (Right.RETENTION_SCHEDULE_DRAFT, desk_law.own_versions),
        (Right.RETENTION_RECORD_FILE, _to_file),
        (Right.INTAKE_BATCH_CREATE, _open_batches),
        (Right.RECORDS_RECORD_READ, _without_pages),
        (Right.ACCESS_TOKEN_ISSUE, _tokens),
        (Right.ACCESS_PERSON_MANAGE, _accounts),
        (Right.LEDGER_LEDGER_VERIFY, _verification),
        (Right.STORES_HEALTH_READ, _stores),
        (Right.JOBS_JOB_CANCEL, _jobs),
    )
    found = [item for right, teller in tellers if asker.viewer.may(right) for item in teller(asker)]
    order = {"overdue": 0, "soon": 1, "calm": 2}
    return tuple(sorted(found, key=lambda item: (item.due_at is None, item.due_at or asker.now, order[item.urgency])))


def troubles(asker: Asker) -> tuple[Trouble, ...]:
    """What went wrong today."""
    tellers = (
        (Right.INTAKE_QUARANTINE_READ, _refused),
        (Right.LEDGER_ENTRY_READ, _sign_ins),
        (Right.LEDGER_LEDGER_VERIFY, _findings),
    )
    return tuple(trouble for right, teller in tellers if asker.viewer.may(right) for trouble in teller(asker))


def has_troubles(viewer: Viewer) -> bool:
    """Whether anything that can go wrong is this person's business."""
    return any(
        viewer.may(right)
        for right in (Right.INTAKE_QUARANTINE_READ, Right.LEDGER_ENTRY_READ, Right.LEDGER_LEDGER_VERIFY)
    )


def _to_file(asker: Asker) -> Iterator[WaitingItem]:
    found = waiting_to_be_filed(asker.connection, asker.viewer.units)
    if found is None:
        return
    number = asker.formats.number(min(found.count, TO_FILE_MAX)) + ("+" if found.count > TO_FILE_MAX else "")
    text = asker.formats.translator.ngettext(
        "%(num)s record is to be filed", "%(num)s records are to be filed", found.count
    )
    yield WaitingItem(
        link=Link(text % {"num": number}, "/records?state=received"),
        what=asker.say(N_("The short lock of the first one ends then.")),
        since_at=None,
        urgency=asker.urgency(found.first_lock_until),
        due_at=found.first_lock_until,
    )


def _open_batches(asker: Asker) -> Iterator[WaitingItem]:
    """A pile is closed on the day it was brought in."""
    for batch in intake.batches_of(asker.connection, asker.viewer.id, only_open=True):
        opened = asker.formats.local(batch.opened_at).replace(hour=0, minute=0, second=0, microsecond=0)
        due = opened + timedelta(days=1)
        missing = (batch.balance.sheets_announced or batch.balance.received) - batch.balance.received
        if missing > 0:
            text = asker.formats.translator.ngettext(
                "%(num)s sheet is still missing.", "%(num)s sheets are still missing.", missing
            )
            what = text % {"num": missing}
        else:
            what = asker.say(N_("The batch is still open: close it when all is there."))
        urgency = "overdue" if due < asker.now else "soon"
        yield WaitingItem(Link(batch.name, f"/batches/{batch.id}"), what, batch.opened_at, urgency, due)


def _without_pages(asker: Asker) -> Iterator[WaitingItem]:
    what = asker.say(N_("Its page images could not be made; have them tried again."))
    for record_id, number in intake.renditions_failed(asker.connection, asker.viewer.units):
        yield WaitingItem(Link(number, f"/records/{record_id}"), what, None)


def _tokens(asker: Asker) -> Iterator[WaitingItem]:
    what = asker.say(N_("The token of this station runs out; without one it cannot send."))
    for station_id, name, ends in expiring_tokens(asker.connection, asker.now + TOKENS_ASKED_BEFORE):
        yield WaitingItem(Link(name, f"/stations/{station_id}"), what, None, asker.urgency(ends), ends)


def _accounts(asker: Asker) -> Iterator[WaitingItem]:
    what = asker.say(N_("Has not replaced the one-time password; it runs out."))
    for person_id, name, ends in unused_accounts(asker.connection):
        yield WaitingItem(Link(name, f"/people/{person_id}"), what, None, asker.urgency(ends), ends)


def _verification(asker: Asker) -> Iterator[WaitingItem]:
    run = runs.newest(asker.connection, TASK_VERIFY)
    link = Link(asker.say(N_("Verification of the archive")), "/ledger")
    if run is None or run.state not in {"done", "waiting", "running"}:
        yield WaitingItem(link, asker.say(N_("Nobody has verified the whole archive yet.")), None)
    elif run.state == "done" and run.finished_at is not None:
        due = run.finished_at + VERIFIED_EVERY
        if run.result.get("findings_count"):
            yield WaitingItem(
                link, asker.say(N_("The last verification found something.")), run.finished_at, "overdue"
            )
        elif due - asker.now < SOON:
            what = asker.say(N_("The last verification was clean; once a month it is done again."))
            yield WaitingItem(link, what, run.finished_at, asker.urgency(due), due)


def _stores(asker: Asker) -> Iterator[WaitingItem]:
    probe = newest_probe(asker.connection, asker.store)
    link = Link(asker.say(N_("Stores and keys")), "/health")
    if probe is None:
        yield WaitingItem(link, asker.say(N_("The store was never tried: intake is stopped.")), None, "overdue")
    elif probe.lies:
        yield WaitingItem(
            link, asker.say(N_("The store breaks its promises: intake is stopped.")), probe.at, "overdue"
        )
    _, refused = stores_to_tell(asker.connection)
    if refused:
        text = asker.formats.translator.ngettext(
            "A store refuses the legal hold of %(num)s record, or to take it off; it is asked again.",
            "A store refuses the legal hold of %(num)s records, or to take it off; it is asked again.",
            refused,
        )
        yield WaitingItem(link, text % {"num": asker.formats.number(refused)}, None, "overdue")


def _jobs(asker: Asker) -> Iterator[WaitingItem]:
    failed = runs.count_by_state(asker.connection).get("failed", 0)
    if failed:
        text = asker.formats.translator.ngettext("%(num)s job failed", "%(num)s jobs failed", failed)
        yield WaitingItem(Link(text % {"num": failed}, "/jobs?state=failed"), asker.say(N_("Jobs")), None)


def _refused(asker: Asker) -> Iterator[Trouble]:
    what = asker.say(N_("A file was refused."))
    for item in intake.refused_since(asker.connection, asker.viewer.units, asker.midnight):
        href = f"/batches/{item.batch_id}?state=refused" if _may_open(asker, item) else "/quarantine"
        yield Trouble(what, Link(item.file_name or what, href), item.received_at)


def _may_open(asker: Asker, item: Item) -> bool:
    return item.batch_id is not None and asker.viewer.may(Right.INTAKE_BATCH_CREATE)


def _sign_ins(asker: Asker) -> Iterator[Trouble]:
    count = count_since(asker.connection, _SIGN_IN_REFUSED, asker.midnight)
    if count:
        text = asker.formats.translator.ngettext(
            "%(num)s sign-in was refused today", "%(num)s sign-ins were refused today", count
        )
        link = Link(asker.say(N_("Ledger")), f"/ledger?event={_SIGN_IN_REFUSED}")
        yield Trouble(text % {"num": count}, link, None)


def _findings(asker: Asker) -> Iterator[Trouble]:
    run = runs.newest(asker.connection, TASK_VERIFY)
    if run is not None and run.finished_at is not None and run.finished_at >= asker.midnight:
        count = int(run.result.get("findings_count", 0))
        if count:
            text = asker.formats.translator.ngettext("%(num)s finding", "%(num)s findings", count)
            link = Link(asker.say(N_("Verification of the archive")), "/ledger")
            yield Trouble(text % {"num": count}, link, run.finished_at)
