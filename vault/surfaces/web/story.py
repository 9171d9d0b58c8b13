"""The story of one object, drawn from the ledger in plain words: what, who, when, and what about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request

from retention_rules import shipped, words
from vault.access.model import Viewer
from vault.access.queries import actor_names, organisation
from vault.access.rights import ROLE_NAMES, Right, Role
from vault.foundation.errors import N_
from vault.foundation.ledger.queries import CountedEvent, ToldEntry, events_within, story_of
from vault.surfaces.field_words import DESCRIPTION_FIELDS
from vault.surfaces.i18n import Formats, Translator
from vault.surfaces.web.pages import speaker
from vault.surfaces.web.views.parts import ActorName, TimelineEntry
from vault.surfaces.web.words import state

# What belongs to one act is one line: the intent of an item is told by its outcome.
_UNTOLD = frozenset({"intake:item:intend"})


def story(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    subject_id: UUID,
    *,
    aside: Callable[[str, Mapping[str, Any]], str] = lambda _event, _details: "",
    context: bool = False,
) -> tuple[TimelineEntry, ...]:
    """The newest entries about an object, newest first, the same in a row as one line.

    `aside` tells of an event and its details what only this page can tell (a reason that was sealed); with `context`
    the story also counts what happened within the object, such as the items of a batch.
    """
    told = story_of(connection, subject_id)
    within = events_within(connection, subject_id) if context else ()
    actors = {entry.line.actor_id for entry in told} | {counted.actor_id for counted in within}
    names = actor_names(connection, [actor for actor in actors if actor])
    say = speaker(request)
    formats = Formats(say, ZoneInfo(organisation(connection).time_zone))
    lines = [_line(formats, viewer, entry, names, aside(entry.line.event, entry.details)) for entry in told]
    lines += [_counted(say, viewer, counted, names) for counted in within if counted.event not in _UNTOLD]
    return tuple(_joined(sorted(lines, key=lambda line: line.at, reverse=True)))


def actor_of(
    say: Translator, viewer: Viewer, kind: str, actor_id: UUID | None, names: Mapping[UUID, str]
) -> ActorName:
    """Who did it, by the name people know; with an address where the viewer may look at people or stations."""
    fixed = {"system": say.gettext(N_("the system")), "operator": say.gettext(N_("the operator of the host"))}
    name = names.get(actor_id, "") if actor_id else ""
    if not name:
        return ActorName(kind, fixed.get(kind, say.gettext(N_("somebody who is no longer known"))))
    places = {"person": (Right.ACCESS_PERSON_READ, "/people/"), "station": (Right.ACCESS_STATION_READ, "/stations/")}
    right, base = places.get(kind, (None, ""))
    return ActorName(kind, name, f"{base}{actor_id}" if right is not None and viewer.may(right) else None)


def note_of(formats: Formats, event: str, details: Mapping[str, Any]) -> str:
    """What the details of an entry say to a person, or nothing."""
    teller = _NOTES.get(event)
    return teller(formats, details) if teller else ""


def fields_in_words(say: Translator, fields: Iterable[str]) -> str:
    """Names of described fields, as the page names them."""
    return say.gettext(", ").join(say.gettext(DESCRIPTION_FIELDS.get(name, name)) for name in fields)


def _line(formats: Formats, viewer: Viewer, entry: ToldEntry, names: Mapping[UUID, str], aside: str) -> TimelineEntry:
    line = entry.line
    notes = [part for part in (note_of(formats, line.event, entry.details), aside) if part]
    return TimelineEntry(
        at=line.at,
        event=line.event,
        actor=actor_of(formats.translator, viewer, line.actor_kind, line.actor_id, names),
        href=f"/ledger/entries/{line.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
        note=" · ".join(notes),
        leaf_index=line.leaf_index,
    )


def _counted(say: Translator, viewer: Viewer, counted: CountedEvent, names: Mapping[UUID, str]) -> TimelineEntry:
    return TimelineEntry(
        at=counted.last_at,
        event=counted.event,
        actor=actor_of(say, viewer, counted.actor_kind, counted.actor_id, names),
        href=None,
        count=counted.count,
        first_at=counted.first_at,
    )


def _joined(lines: Iterable[TimelineEntry]) -> Iterable[TimelineEntry]:
    """The same act by the same person in a row is one line, with how often and since when."""
    held: TimelineEntry | None = None
    for line in lines:
        is_same = held is not None and (held.event, held.actor, held.note) == (line.event, line.actor, line.note)
        if held is not None and is_same:
            held = replace(held, count=held.count + line.count, first_at=line.first_at or line.at)
            continue
        if held is not None:
            yield held
        held = line
    if held is not None:
        yield held


def _unmasked(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    return fields_in_words(say, [details["field"]])


def _described(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    return fields_in_words(say, details["fields"])


def _settled(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    still_open = say.gettext(N_("still open"))
    text = say.gettext(N_("to be kept until {after} instead of {before}"))
    return text.format(before=details["before"] or still_open, after=details["after"] or still_open)


def _event(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    name = words.say_event(details["name"], say.language.value, shipped.event_names())
    return f"{name}: {details['day'] or say.gettext(N_('will never happen'))}"


def _filing(formats: Formats, details: Mapping[str, Any]) -> str:
    return formats.translator.gettext(N_("by the rule for trusted stations")) if details["by_rule"] else ""


def _locks_set(formats: Formats, details: Mapping[str, Any]) -> str:
    last = datetime.fromisoformat(details["lock_until"]) - timedelta(seconds=1)  # it runs to the end of its last day
    return formats.translator.gettext(N_("locked until {day}")).format(day=formats.day(last))


def _class_changed(formats: Formats, details: Mapping[str, Any]) -> str:
    return formats.translator.gettext(N_("{before} to {after}")).format(**details)


def _verified(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    findings = details["findings"]
    if not findings:
        return say.gettext(N_("Nothing was changed"))
    return say.ngettext("%(num)s finding", "%(num)s findings", findings) % {"num": findings}


def _registered(formats: Formats, details: Mapping[str, Any]) -> str:
    ends = [datetime.fromisoformat(component["lock_until"]) for component in details.get("components", [])]
    return formats.translator.gettext(N_("locked until {day}")).format(day=formats.day(min(ends))) if ends else ""


def _locked(formats: Formats, details: Mapping[str, Any]) -> str:
    return formats.translator.gettext(N_("locked until {day}")).format(day=details["until_date"])


def _rendered(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    count = details.get("components_count", 0)
    return say.ngettext("%(num)s stored object", "%(num)s stored objects", count) % {"num": count}


def _closed(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    return say.gettext(state("batch", details["state"]).label)


def _opened(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    announced = details.get("sheets_announced")
    return "" if announced is None else say.gettext(N_("{n} announced")).format(n=announced)


def _role(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    code = details["role"]
    return say.gettext(ROLE_NAMES[Role(code)]) if code in set(Role) else code


def _token(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    days = details["lasts_days"]
    return say.ngettext("valid for %(num)s day", "valid for %(num)s days", days) % {"num": days}


def _refused(formats: Formats, details: Mapping[str, Any]) -> str:
    say = formats.translator
    seconds = details.get("wait_s", 0)
    return say.ngettext("%(num)s second to wait", "%(num)s seconds to wait", seconds) % {"num": seconds}


def _simulated(formats: Formats, details: Mapping[str, Any]) -> str:
    text = formats.translator.gettext(N_("{affected} of {records} records would be treated otherwise"))
    return text.format(**{name: formats.number(details[name]) for name in ("affected", "records")})


_NOTES: Mapping[str, Callable[[Formats, Mapping[str, Any]], str]] = {
    "catalogue:record:register": _registered,
    "catalogue:renditions:add": _rendered,
    "catalogue:record:describe": _described,
    "retention:lock:intend": _locked,
    "catalogue:field:unmask": _unmasked,
    "catalogue:record:reclassify": _class_changed,
    "catalogue:locks:set": _locks_set,
    "retention:reclassification:propose": _class_changed,
    "retention:due_dates:settle": _settled,
    "retention:simulation:finish": _simulated,
    "retention:event:report": _event,
    "retention:record:file": _filing,
    "oversight:record:verify": _verified,
    "oversight:verification:finish": _verified,
    "intake:batch:open": _opened,
    "intake:batch:close": _closed,
    "access:role:grant": _role,
    "access:role:revoke": _role,
    "access:token:issue": _token,
    "access:session:refuse": _refused,
}
