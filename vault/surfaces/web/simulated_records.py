"""The list of records that a version of the schedule would treat otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.words import say_what
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.retention.effects import Effect
from vault.retention.simulations import AffectedRecord, EffectFilters, get_simulation
from vault.surfaces.lists.listing import Speech
from vault.surfaces.lists.simulated import EFFECT_WORDS, SIMULATED, effects_in_words
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, open_list, unit_options, uuid_of
from vault.surfaces.web.pages import page
from vault.surfaces.web.views import simulation as views
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import Choices, Link, Option

routes = Routes("", "pages", in_schema=False)
_NONE = UUID(int=0)


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> EffectFilters:
    return EffectFilters(
        simulation_id=uuid_of(told["simulation"]) or _NONE,
        effect=Effect(told["effect"]) if told["effect"] in set(Effect) else None,
        class_code=told["class_code"] or None,
        unit_id=uuid_of(told["unit"]),
    )


LIST: WebList[EffectFilters, AffectedRecord] = WebList(
    listing=SIMULATED,
    title=N_("Records that would be treated otherwise"),
    open=("simulation", "effect", "class_code", "unit"),
    personal=(),
    parse=_parse,
    anything=EffectFilters(_NONE),
)


@routes.get(LIST.path, Right.RECORDS_RECORD_READ, response_class=Response)
def affected_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Records of the viewer's units that a version would treat otherwise, those that came in last first."""
    with open_list(request, ctx, viewer, LIST) as asked:
        speech, values = asked.speech, asked.told.values
        simulation = get_simulation(asked.connection, asked.filters.simulation_id)
        # The simulation itself is no filter that could be cleared, and a view of it would soon be out of date.
        frame = replace(asked.frame(_EMPTY), is_narrowed=False, views=())
        view = views.AffectedListView(
            list=frame,
            filter=views.AffectedFilter(**values),
            choices=Choices(
                {
                    "effect": tuple(Option(one.value, speech.say(EFFECT_WORDS[one])) for one in Effect),
                    "class_code": tuple(Option(code, name) for code, name in speech.classes.items()),
                    "unit": unit_options(speech, viewer),
                }
            ),
            rows=tuple(_row(speech, line) for line in asked.page.lines),
            version=Link(
                speech.say(N_("Version {number}")).format(number=simulation.number), f"/schedules/{simulation.number}"
            ),
            simulation=Link(speech.say(N_("Simulation")), f"/schedules/{simulation.number}/simulation"),
            is_narrowed=any(values[name] for name in LIST.open[1:]),
            whole_href=f"{LIST.path}?{urlencode({'simulation': str(simulation.id)})}",
        )
    return page(request, "simulated_records.html", view, current="schedules")


_EMPTY = Empty(
    N_("No record fits these filters."),
    N_(
        "Only records of units that you may see are listed. A newer simulation of the version takes the list's place."
    ),
)


def _row(speech: Speech, line: AffectedRecord) -> views.AffectedRow:
    return views.AffectedRow(
        id=str(line.id),
        href=f"/records/{line.id}",
        archival_number=line.archival_number,
        class_name=speech.classes.get(line.class_code, line.class_code),
        unit=speech.units.get(line.unit_id, ""),
        effects=effects_in_words(speech, line),
        what_before=say_what(line.what_before, speech.language.value),
        what_after=say_what(line.what_after, speech.language.value),
        until_before=line.until_before,
        until_after=line.until_after,
        at_least_before=line.at_least_before,
        at_least_after=line.at_least_after,
        locked_until=line.locked_until,
        is_kept_by_lock=Effect.LOCK in line.effects,
    )
