"""From what a simulation found to what its page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.retention.book import read_book
from vault.retention.effects import Effect
from vault.retention.model import ScheduleVersion, VersionState
from vault.retention.queries import get_version
from vault.retention.simulations import Found, Group, Simulation, is_fresh, newest_finished, newest_simulation
from vault.surfaces.i18n import Translator
from vault.surfaces.lists.listing import Speech
from vault.surfaces.lists.simulated import EFFECT_WORDS
from vault.surfaces.web.pages import language_for
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views import simulation as views
from vault.surfaces.web.views.parts import BLANK, Action, Form, Link, Progress

OPEN = frozenset({"waiting", "running"})
MEANINGS: Mapping[Effect, tuple[str, str]] = MappingProxyType(
    {
        Effect.LONGER: ("good", N_("The day until which they must be kept moves back.")),
        Effect.SHORTER: ("warn", N_("The day until which they must be kept comes nearer.")),
        Effect.OPEN_LONGER: (
            "good",
            N_("When their period ends cannot be told yet; until when they are kept in any case moves back."),
        ),
        Effect.OPEN_SHORTER: (
            "warn",
            N_("When their period ends cannot be told yet; until when they are kept in any case comes nearer."),
        ),
        Effect.PERMANENT: ("good", N_("They would never fall due.")),
        Effect.NOT_PERMANENT: ("warn", N_("They would fall due some day.")),
        Effect.OPEN: ("warn", N_("Their period would count from an event that has not been reported.")),
        Effect.NOT_OPEN: ("info", N_("Their period would no longer wait for an event.")),
        Effect.DUE: ("bad", N_("They could be put forward for appraisal, hand-over or destruction at once.")),
        Effect.NOT_DUE: ("good", N_("They are due now, and would have to be kept.")),
        Effect.DISPOSITION: ("warn", N_("They are due before and after, for another disposition.")),
        Effect.RESTRICTED: ("bad", N_("A law says at most so long, another keeps them: all other use would have to stop.")),
        Effect.NOT_RESTRICTED: ("info", N_("No law would stop their use any more.")),
        Effect.ESCALATED: ("bad", N_("The law does not settle what happens to them; until somebody decides they are kept.")),
        Effect.NOT_ESCALATED: ("good", N_("The law would settle what happens to them.")),
        Effect.LIMIT: ("warn", N_("The last day on which a law allows to keep them would be another.")),
        Effect.LOCK: (
            "warn",
            N_(
                "A lock that nobody can shorten already promises longer. They are kept until it ends; the lock stays"
                " as it is."
            ),
        ),
        Effect.HOLD: ("warn", N_("They would be let go sooner, but are held: they stay until the last hold is released.")),
        Effect.LOCK_GROWS: ("warn", N_("Their locks in the store follow. Nobody can take that back afterwards.")),
    }
)  # fmt: skip
_SENTENCES = (
    (Effect.LONGER, N_("{count} would be kept longer")),
    (Effect.SHORTER, N_("{count} would be kept less long")),
    (Effect.OPEN_LONGER, N_("{count} would be kept longer in any case, though nobody can tell their end")),
    (Effect.OPEN_SHORTER, N_("{count} would be kept less long in any case, though nobody can tell their end")),
    (Effect.PERMANENT, N_("{count} would be kept for ever")),
    (Effect.DUE, N_("{count} would become due")),
    (Effect.RESTRICTED, N_("the use of {count} would have to stop")),
    (Effect.LOCK_GROWS, N_("the locks of {count} would be made longer")),
)


def simulation_view(
    request: Request, speech: Speech, viewer: Viewer, number: int, form: Form = BLANK
) -> views.SimulationView:
    """The page of a version's simulation: how far it is, or what the newest that was finished found.

    Raises:
        NotFoundOrNotYours: there is no version of that number.
    """
    connection, now = speech.connection, speech.now
    version = get_version(connection, number, now)
    newest, finished = newest_simulation(connection, number), newest_finished(connection, number)
    run = runs.get_run(connection, newest.run_id) if newest and newest.found is None else None
    is_open = version.state in {VersionState.DRAFT, VersionState.PROPOSED}
    # What was approved is decided: that the law went on since says nothing against it.
    fresh = finished is not None and (not is_open or is_fresh(connection, finished, version, now))
    is_under_way = run is not None and run.state in OPEN
    may = is_open and viewer.may(Right.RETENTION_SCHEDULE_SIMULATE)
    today = read_book(connection).day_of(now)
    href = f"/schedules/{number}/simulation"
    return views.SimulationView(
        href=href,
        number=number,
        note=version.note,
        state=_state(run, has_result=finished is not None, fresh=fresh),
        progress=Progress(run.done, run.total) if run and is_under_way and run.total else None,
        progress_href=f"{href}/progress" if is_under_way else None,
        problem=run.problem or "" if run else "",
        result=_result(request, speech, viewer, finished, fresh=fresh) if finished and not is_under_way else None,
        # One that is being cancelled may be so for long, if its worker died.
        may_simulate=may and (not is_under_way or (run is not None and run.cancel_requested)),
        on_date=max(today, version.effective_date or today).isoformat(),
        earliest_date=today.isoformat(),
        form=form,
        cancel=Action(N_("Cancel"), f"{href}/cancel", "post") if may and is_under_way else None,
        next_step=_next_step(speech.translator, version) if fresh and is_open else None,
    )


def run_state(run: runs.Run) -> str:
    """The state of a run as pages show it."""
    return "cancelling" if run.cancel_requested and run.state in OPEN else run.state


def _state(run: runs.Run | None, *, has_result: bool, fresh: bool) -> str:
    if run is not None and (run.state in OPEN or not has_result):
        return run_state(run)
    return ("fresh" if fresh else "stale") if has_result else "never"


def _next_step(say: Translator, version: ScheduleVersion) -> Link:
    label = N_("Propose it") if version.state is VersionState.DRAFT else N_("Decide about it")
    return Link(say.gettext(label), f"/schedules/{version.number}")


def _result(
    request: Request, speech: Speech, viewer: Viewer, simulation: Simulation, *, fresh: bool
) -> views.ResultView:
    found = simulation.found
    assert found is not None
    assert simulation.snapshot_at is not None
    say = speech.translator
    may_list = viewer.may(Right.RECORDS_RECORD_READ)

    def listed(count: int, **more: str) -> views.Tally:
        query = urlencode({"simulation": str(simulation.id), **more})
        return views.Tally(count, f"/simulated-records?{query}" if count and may_list else None)

    names = actor_names(speech.connection, [simulation.asked_by] if simulation.asked_by else [])
    version = say.gettext(N_("Version {number}")).format(number=simulation.against_number)
    return views.ResultView(
        sentences=_sentences(request, speech, simulation, found),
        is_fresh=fresh,
        on_date=simulation.on_date,
        against=Link(version, f"/schedules/{simulation.against_number}"),
        snapshot_at=simulation.snapshot_at,
        asked_by=actor_of(say, viewer, simulation.asked_by_kind, simulation.asked_by, names),
        records=found.records,
        affected=found.affected,
        effects=_effects(speech, found, listed),
        classes=tuple(
            _line(
                group, group.class_code, speech.classes.get(group.class_code, group.class_code), listed, "class_code"
            )
            for group in found.by_class()
        ),
        units=tuple(
            _line(group, str(unit), speech.units.get(unit, "–"), listed, "unit") for unit, group in _by_unit(found)
        ),
        list_href=listed(found.affected).href,
    )


Listed = Callable[..., views.Tally]


def _sentences(request: Request, speech: Speech, simulation: Simulation, found: Found) -> tuple[str, ...]:
    say, number = speech.translator, speech.formats.number
    if not found.affected:
        return (say.gettext(N_("Nothing would change for any record.")),)
    first = say.gettext(
        N_("As it would be on {day}: of {records} records {affected} would be treated otherwise.")
    ).format(
        day=speech.formats.day(simulation.on_date), records=number(found.records), affected=number(found.affected)
    )
    counted = [
        say.gettext(words).format(count=number(found.total(effect)))
        for effect, words in _SENTENCES
        if found.total(effect)
    ]
    told = [first]
    if counted:
        is_chinese = language_for(request).value == "zh"
        told.append(("，" if is_chinese else ", ").join(counted) + ("。" if is_chinese else "."))
    if found.total(Effect.LOCK):
        locked = N_(
            "{count} would be kept less long, but a lock stands: they are kept until it ends, and no lock is shortened."
        )
        told.append(say.gettext(locked).format(count=number(found.total(Effect.LOCK))))
    if found.total(Effect.HOLD):
        held = N_(
            "{count} would become due or be kept less long, but are held: they stay until their holds are released."
        )
        told.append(say.gettext(held).format(count=number(found.total(Effect.HOLD))))
    return tuple(told)


def _effects(speech: Speech, found: Found, listed: Listed) -> tuple[views.EffectLine, ...]:
    until = max((group.locked_until for group in found.groups if group.locked_until), default=None)
    latest = speech.say(N_("The last of these locks ends on {day}."))
    return tuple(
        views.EffectLine(
            label=EFFECT_WORDS[effect],
            meaning=meaning,
            tally=listed(found.total(effect), effect=effect.value),
            tone=tone,
            note=latest.format(day=speech.formats.day(until)) if effect is Effect.LOCK and until else "",
        )
        for effect, (tone, meaning) in MEANINGS.items()
        if found.total(effect)
    )


def _line(group: Group, code: str, name: str, listed: Listed, narrowed_by: str) -> views.GroupLine:
    def tally(effect: Effect) -> views.Tally:
        return listed(group.effects.get(effect, 0), **{narrowed_by: code, "effect": effect.value})

    def together(told: Effect, untold: Effect) -> views.Tally:
        """Those whose end is told and those whose end is not: never the same record."""
        one, other = tally(told), tally(untold)
        only = one if not other.count else other if not one.count else None
        return only or views.Tally(one.count + other.count, None)

    longer, shorter = (
        together(Effect.LONGER, Effect.OPEN_LONGER),
        together(Effect.SHORTER, Effect.OPEN_SHORTER),
    )
    return views.GroupLine(
        code=code,
        name=name,
        records=group.records,
        affected=listed(group.affected, **{narrowed_by: code}),
        longer=longer,
        shorter=shorter,
        due=tally(Effect.DUE),
        permanent=tally(Effect.PERMANENT),
        restricted=tally(Effect.RESTRICTED),
        locked=tally(Effect.LOCK),
        locked_until=group.locked_until,
        years=_years(group.years),
        other=group.affected - longer.count - shorter.count,
        longer_open=tally(Effect.OPEN_LONGER),
        shorter_open=tally(Effect.OPEN_SHORTER),
        held=tally(Effect.HOLD),
    )


def _by_unit(found: Found) -> Sequence[tuple[UUID, Group]]:
    units = sorted({group.unit_id for group in found.groups if group.unit_id is not None})
    return [(unit, Found(tuple(g for g in found.groups if g.unit_id == unit)).summed("")) for unit in units]


def _years(years: Mapping[int, int]) -> tuple[tuple[str, int], ...]:
    """Every year from the greatest loss over ±0 to the greatest gain, where few; else only those that occur."""
    if not years:
        return ()
    first, last = min(0, *years) - 1, max(0, *years) + 1
    told = range(first, last + 1) if last - first < 48 else sorted(years)
    return tuple((f"{year:+d}" if year else "±0", years.get(year, 0)) for year in told)
