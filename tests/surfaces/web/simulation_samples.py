"""Realistic simulation pages; `web_samples` puts them among the others."""

from __future__ import annotations

from datetime import UTC, date, datetime

from law_samples import LI, Texts, Told

from vault.foundation.errors import N_
from vault.retention.effects import Effect
from vault.surfaces.lists.simulated import EFFECT_WORDS
from vault.surfaces.web.simulation_view import MEANINGS
from vault.surfaces.web.views import lists
from vault.surfaces.web.views import simulation as views
from vault.surfaces.web.views.parts import Action, Choices, FieldError, Form, Link, Option, Paging, Progress

_AT = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
_PAGE = "/schedules/3/simulation"
_LIST = "/simulated-records?simulation=01935c1e-2222-7000-8000-000000000001"


def _tally(count: int) -> views.Tally:
    return views.Tally(count, _LIST if count else None)


def _group(code: str, name: str, counts: tuple[int, ...], years: tuple[tuple[str, int], ...] = ()) -> views.GroupLine:
    records, *told = counts
    until = date(2041, 6, 30) if told[-1] else None
    other = max(0, told[0] - told[1] - told[2])
    return views.GroupLine(code, name, records, *map(_tally, told), until, years, other, _tally(told[1] // 9))


def _result(t: Texts, *, is_fresh: bool) -> views.ResultView:
    effects = {
        Effect.LONGER: 41_203,
        Effect.SHORTER: 8_911,
        Effect.DUE: 1_204,
        Effect.LOCK: 642,
        Effect.HOLD: 27,
        Effect.LOCK_GROWS: 37_020,
    }
    gained = tuple((f"{year:+d}" if year else "±0", {20: 41_000, 19: 203}.get(year, 0)) for year in range(15, 25))
    lost = tuple((f"{year:+d}" if year else "±0", 8_911 if year == -5 else 0) for year in range(-8, 3))
    return views.ResultView(
        sentences=(
            t(
                "按 2027-01-01 计算：全部 100,000 件档案中，50,114 件的处理会改变。",
                "As it would be on 2027-01-01: of 100,000 records 50,114 would be treated otherwise.",
            ),
            t(
                "41,203 件保管期延长，8,911 件保管期缩短，1,204 件变为到期。",
                "41,203 would be kept longer, 8,911 less long, 1,204 would become due.",
            ),
            t(
                "642 件本应缩短，但已设锁定：保管至锁定结束，锁定不会缩短。",
                "642 would be kept less long, but a lock stands.",
            ),
        ),
        is_fresh=is_fresh,
        on_date=date(2027, 1, 1),
        against=Link(t("第 1 版", "Version 1"), "/schedules/1"),
        snapshot_at=_AT,
        asked_by=LI,
        records=100_000,
        affected=50_114,
        effects=tuple(
            views.EffectLine(EFFECT_WORDS[effect], MEANINGS[effect][1], _tally(count), MEANINGS[effect][0])
            for effect, count in effects.items()
        ),
        classes=(
            _group("VOUCHER", t("会计凭证", "Accounting vouchers"), (45_000, 41_203, 41_203, 0, 0, 0, 0, 0), gained),
            _group("COMPLAINT", t("投诉处理单", "Complaints"), (12_000, 8_911, 0, 8_911, 1_204, 0, 0, 642), lost),
            _group("GENERAL", t("一般业务单", "General slips"), (43_000, 0, 0, 0, 0, 0, 0, 0)),
        ),
        units=(
            _group("u1", t("营业大厅", "Main hall"), (60_000, 30_114, 21_203, 8_911, 1_204, 0, 0, 642)),
            _group("u2", t("开发区分厅", "Branch hall"), (40_000, 20_000, 20_000, 0, 0, 0, 0, 0)),
        ),
        list_href=_LIST,
    )


def full(t: Texts) -> list[Told]:
    """The simulation of a draft: found, out of date, under way; and its list."""
    note = t("会计凭证改为三十年，投诉改为五年", "Vouchers thirty years, complaints five")
    fresh = views.SimulationView(
        _PAGE, 3, note, "fresh", result=_result(t, is_fresh=True), may_simulate=True, on_date="2027-01-01",
        earliest_date="2026-11-24", next_step=Link(t("提出", "Propose it"), "/schedules/3"),
    )  # fmt: skip
    wrong = Form({"on_date": "2020-01-01"}, (FieldError("on_date", t("2020-01-01 已过去", "2020-01-01 has passed")),))
    stale = views.SimulationView(
        _PAGE,
        3,
        note,
        "stale",
        result=_result(t, is_fresh=False),
        may_simulate=True,
        on_date="2027-01-01",
        form=wrong,
    )
    running = views.SimulationView(
        _PAGE, 3, note, "running", Progress(40_000, 100_000), f"{_PAGE}/progress", cancel=Action(N_("Cancel"), f"{_PAGE}/cancel", "post")
    )  # fmt: skip
    return [
        ("simulation", _PAGE, "simulation.html", "schedules", fresh),
        ("simulation-stale", f"{_PAGE}?stale", "simulation.html", "schedules", stale),
        ("simulation-running", f"{_PAGE}?running", "simulation.html", "schedules", running),
        ("simulated-records", _LIST, "simulated_records.html", "schedules", _list(t, is_empty=False)),
    ]


def empty(t: Texts) -> list[Told]:
    """Never simulated, for somebody who may and somebody who may not; failed; without effect; a list without lines."""
    never = views.SimulationView(_PAGE, 3, "", "never", may_simulate=True, on_date="2026-11-24")
    nothing = views.ResultView(
        (t("没有任何档案的处理会改变。", "Nothing would change for any record."),), True, date(2027, 1, 1),
        Link(t("第 1 版", "Version 1"), "/schedules/1"), _AT, LI, 100_000, 0, (), (), (), None,
    )  # fmt: skip
    return [
        ("simulation-never", f"{_PAGE}?never", "simulation.html", "schedules", never),
        ("simulation-nobody", f"{_PAGE}?nobody", "simulation.html", "schedules", views.SimulationView(_PAGE, 3, "", "never")),
        ("simulation-failed", f"{_PAGE}?failed", "simulation.html", "schedules", views.SimulationView(_PAGE, 3, "", "failed", problem="schedule-changed", may_simulate=True)),
        ("simulation-cancelled", f"{_PAGE}?cancelled", "simulation.html", "schedules", views.SimulationView(_PAGE, 3, "", "cancelled", may_simulate=True)),
        ("simulation-nothing", f"{_PAGE}?nothing", "simulation.html", "schedules", views.SimulationView(_PAGE, 3, "", "fresh", result=nothing)),
        ("simulated-records-none", f"{_LIST}&effect=due", "simulated_records.html", "schedules", _list(t, is_empty=True)),
    ]  # fmt: skip


def _list(t: Texts, *, is_empty: bool) -> views.AffectedListView:
    rows = () if is_empty else tuple(
        views.AffectedRow(
            f"r{place}", f"/records/r{place}", f"J042-KJ·2024-D10-CWB-{place:04d}", t("会计凭证", "Accounting vouchers"),
            t("财务部", "Finance"), (t("保管期延长", "kept longer"), t("锁定将延长", "lock will be made longer")), t("保管", "keep"),
            t("保管", "keep"), *((date(2034, 12, 31), date(2054, 12, 31), None, None) if place else (None, None, None, date(2044, 12, 31))),
            date(2034, 12, 31) if place % 2 else None, place == 3,
        )
        for place in range(6)
    )  # fmt: skip
    frame = lists.ListFrame(
        "simulated-records", "/simulated-records", N_("Records that would be treated otherwise"),
        Paging(0 if is_empty else 50_114, len(rows), next_href=None if is_empty else f"{_LIST}&after=x"),
        lists.Empty(N_("No record fits these filters.")), may_export=True,
    )  # fmt: skip
    options = tuple(Option(effect.value, t(effect.value, effect.value)) for effect in Effect)
    return views.AffectedListView(
        frame, views.AffectedFilter("01935c1e", "due" if is_empty else ""), Choices({"effect": options}), rows,
        Link(t("第 3 版", "Version 3"), "/schedules/3"), Link(t("模拟", "Simulation"), _PAGE), is_narrowed=is_empty, whole_href=_LIST,
    )  # fmt: skip
