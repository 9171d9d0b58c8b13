"""Why a record is still here, in the reader's words: its period, its locks, the law's reasons. Pure."""

from __future__ import annotations

from retention_rules import words
from retention_rules.model import State
from vault.catalogue.model import RecordStatus
from vault.foundation.errors import N_
from vault.surfaces.law_words import lock_in_words, reason_in_words, steps_in_words, trigger_in_words
from vault.surfaces.web.record_around import Around
from vault.surfaces.web.views import record as views


def keeping_of(around: Around) -> views.Keeping:
    """The part of the page that says why the record is still here."""
    record, say, decision = around.record, around.speaker, around.why.decision
    return views.Keeping(
        received_date=around.received_date,
        summary=_summary(around),
        lock_note=_lock_note(around),
        trigger=trigger_in_words(say, decision.winning),
        trigger_state="open" if decision.state is State.OPEN else "set",
        retain_until=record.retain_until,
        at_least_until=decision.at_least_until if record.retain_until is None else None,
        locks=tuple(views.StoreLock(one.store, one.mode.lower(), one.until) for one in around.why.locks),
        schedule_note=_schedule_note(around),
        next_note=_next_note(around),
        reasons=tuple(
            views.Reason(
                rule_code=reason.rule,
                text=reason_in_words(say, reason),
                citation=reason.citation,
                is_winner=place == 0,
                is_verified=reason.is_verified,
                steps=steps_in_words(say, reason),
            )
            for place, reason in enumerate(decision.reasons)
        ),
        is_permanent=decision.state is State.PERMANENT,
    )


def _lock_note(around: Around) -> str:
    """Why the lock ends when it does."""
    say, lock = around.speaker, around.why.decision.lock
    filed = lock_in_words(say, lock) if lock is not None else ""
    if around.record.status is RecordStatus.FILED:
        return filed
    short = say.gettext(N_("Locked for a short time when it came in, because a wrong class can still be corrected."))
    then = say.gettext(N_("When it is filed:"))
    return f"{short} {then} {filed}" if filed else short


def _summary(around: Around) -> str:
    """Why it is still here, in one sentence."""
    say, decision = around.speaker.gettext, around.why.decision
    if decision.is_held:
        return say(N_("It is held: nobody can destroy it before the last of its holds is released."))
    if decision.state is State.PERMANENT:
        return say(N_("It is kept for ever."))
    if decision.state is State.OPEN and decision.at_least_until is not None:
        certain = decision.at_least_until.isoformat()
        return say(N_("It is kept until {day} at least; when its period ends nobody can say yet.")).format(
            day=certain
        )
    if decision.state is State.OPEN:
        return say(N_("Nobody can say yet when its period ends, so it may not be destroyed."))
    day = decision.retain_until.isoformat() if decision.retain_until else ""
    if decision.state is State.DUE:
        return say(N_("Its period ended on {day}. It stays until its appraisal is done and approved.")).format(
            day=day
        )
    return say(N_("Its period runs until {day}. Until then it may not be destroyed.")).format(day=day)


def _schedule_note(around: Around) -> str:
    """Which version of the schedule says so, and who approved it."""
    say, version = around.speaker.gettext, around.why.schedule
    names = [around.names.get(said.person_id, "") for said in around.why.approved_by]
    if not names:
        return say(N_("Version {number} of the schedule: the classes that come with the program.")).format(
            number=version.number
        )
    text = say(N_("Version {number} of the schedule, in effect from {day}, approved by {names}."))
    day = version.effective_date.isoformat() if version.effective_date else ""
    return text.format(number=version.number, day=day, names=say(", ").join(names))


def _next_note(around: Around) -> str:
    """What comes next, if nothing else happens."""
    why = around.why
    if why.next_what is None or why.decision.next_date is None:
        return ""
    what = words.say_what(why.next_what, around.speaker.language.value)
    return around.speaker.gettext(N_("Next, on {day}: {what}")).format(
        day=why.decision.next_date.isoformat(), what=what
    )
