"""Realistic pages of the law, full and empty; `web_samples` puts them among the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vault.foundation.errors import N_
from vault.surfaces.web.charts import bar_chart
from vault.surfaces.web.views import (
    due,
    events,
    lists,
    reclassify,
    retention_class,
    rule_packs,
    rules,
    schedules,
    why,
)
from vault.surfaces.web.views.parts import (
    Action,
    ActorName,
    Choices,
    FieldError,
    Form,
    Link,
    Option,
    Paging,
    TimelineEntry,
)

Told = tuple[str, str, str, str, object]
Texts = Callable[[str, str], str]
NOW = datetime(2026, 11, 24, 7, 42, 31, tzinfo=UTC)
LI = ActorName("person", "李秀兰", "/people/0193a2")
WANG = ActorName("person", "王建国", "/people/0193a3")
RECORD = "/records/01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7"


def full(t: Texts) -> list[Told]:
    """Every page of the law with much on it."""
    return [
        ("why", f"{RECORD}/why", "why.html", "records", _why(t)),
        ("why-wrong", f"{RECORD}/why?on=1999", "why.html", "records", _why_wrong(t)),
        ("reclassify", f"{RECORD}/class", "reclassify.html", "records", _reclassify(t)),
        ("reclassify-filed", f"{RECORD}/class?done=proposed", "reclassify.html", "records", _reclassify_filed(t)),
        ("schedules", "/schedules", "schedules.html", "schedules", _schedules(t)),
        ("schedule", "/schedules/2", "schedule.html", "schedules", _schedule(t)),
        ("schedule-draft", "/schedules/3", "schedule.html", "schedules", _draft(t)),
        ("class", "/schedules/1/classes/CONTRACT", "class.html", "schedules", _class(t)),
        ("class-edit", "/schedules/3/classes/CONTRACT", "class.html", "schedules", _class_edit(t)),
        ("rules", "/rules", "rules.html", "rules", _rules(t)),
        ("rule", "/rules/DEFAULT-5Y", "rule.html", "rules", _rule(t)),
        ("rule-packs", "/rule-packs", "rule_packs.html", "rules", _packs(t)),
        ("rule-pack", "/rule-packs/cn-2027.01", "rule_pack.html", "rules", _pack(t)),
        ("rule-pack-preview", "/rule-packs/preview", "rule_pack_preview.html", "rules", _pack_preview(t)),
        ("events", "/events", "events.html", "events", _events(t)),
        ("event", "/events/1", "event.html", "events", _event(t)),
        ("event-report", "/events/new", "event_report.html", "events", _event_report(t)),
        ("event-preview", "/events/preview", "event_preview.html", "events", _event_preview(t)),
        ("due", "/due?year=2031", "due.html", "due", _due(t)),
        ("due-month", "/due?month=2031-03", "due.html", "due", _due_month(t)),
    ]


def empty(t: Texts) -> list[Told]:
    """The same with nothing on it."""
    frame = lists.ListFrame(
        "schedules", "/schedules", N_("Schedule"), Paging(0, 0), lists.Empty(N_("No version fits these filters."))
    )
    bare = schedules.VersionView(
        "/schedules/1", 1, "in_effect", t("随程序提供的类别", "Shipped"), None, None, ActorName("system", "slipvault"), NOW, NOW,
        "12-31", (), "0" * 64, (), (), differences=schedules.Differences(1, (), ()),
    )  # fmt: skip
    return [
        ("schedules-none", "/schedules?state=draft", "schedules.html", "schedules", schedules.ScheduleListView(frame, schedules.VersionFilter("draft"), Choices(), (), may_draft=False)),
        ("schedule-bare", "/schedules/0", "schedule.html", "schedules", bare),
        ("class-new", "/schedules/3/new-class", "class.html", "schedules", _class_new(t)),
        ("rules-none", "/rules?q=x", "rules.html", "rules", rules.RuleListView(rules.RuleFilter("x"), Choices(), (), 104, 0)),
        ("rule-bare", "/rules/OWN-1", "rule.html", "rules", rules.RuleView("OWN-1", t("自定规则", "Own rule"), "/rules/OWN-1", "verified", (), (), (), may_propose=False)),
        ("events-none", "/events?state=undone", "events.html", "events", _no_events()),
        ("event-undone", "/events/2", "event.html", "events", _event_undone(t)),
        ("event-preview-none", "/events/preview-list", "event_preview.html", "events", events.PreviewView(0, 1, 1, 0, (), (t("第 2 行：没有此事件", "line 2: no such event"),), "", "k")),
        ("due-none", "/due", "due.html", "due", _due_none(t)),
    ]  # fmt: skip


def _event_row(t: Texts, n: int, state: str, day: date | None) -> events.EventRow:
    return events.EventRow(
        str(n),
        f"/events/{n}",
        t("合同终止", "contract ended"),
        day,
        f"J042-HT·2026-D10-YYB-000{n}",
        RECORD,
        t("解除协议", "agreement"),
        LI,
        ago(days=n),
        state,
    )


def _events(t: Texts) -> events.EventListView:
    frame = lists.ListFrame(
        "events",
        "/events",
        N_("Events"),
        Paging(2, 2),
        lists.Empty(N_("No event was ever reported.")),
        may_export=True,
        may_save=True,
        newest="01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7",
    )
    names = (Option("contract_terminated", t("合同终止", "contract ended")),)
    rows = (_event_row(t, 1, "valid", date(2026, 11, 1)), _event_row(t, 2, "undone", None))
    return events.EventListView(
        frame, events.EventFilter(record="r", report="p"), Choices({"name": names}), rows, may_report=True
    )


def _no_events() -> events.EventListView:
    frame = lists.ListFrame(
        "events",
        "/events",
        N_("Events"),
        Paging(0, 0),
        lists.Empty(N_("No event fits these filters.")),
        is_narrowed=True,
    )
    return events.EventListView(frame, events.EventFilter(state="undone"), Choices(), (), may_report=False)


def _consequence(t: Texts, *, is_changed: bool) -> events.Consequence:
    return events.Consequence(
        "J042-HT·2026-D10-YYB-0001",
        RECORD,
        t("保存，至少至 2036-11-24", "keep"),
        t("保存，至 2042-01-01", "keep longer"),
        is_changed,
    )


def _event(t: Texts) -> events.EventView:
    wrong = Form({"reason": "x"}, (FieldError("reason", t("需要 4 至 500 个字符", "4 to 500 characters")),))
    return events.EventView(
        "/events/1",
        _event_row(t, 1, "valid", date(2026, 11, 1)),
        None,
        None,
        "",
        _consequence(t, is_changed=True),
        may_undo=True,
        form=wrong,
    )


def _event_undone(t: Texts) -> events.EventView:
    return events.EventView(
        "/events/2", _event_row(t, 2, "undone", None), WANG, NOW, t("登记错了", "by mistake"), None, may_undo=False
    )


def _event_report(t: Texts) -> events.ReportView:
    choices = Choices({"event": (Option("contract_terminated", t("合同终止", "contract ended")),)})
    wrong = Form({"record": "X-1", "day": "2026-11-01"}, (FieldError("record", t("没有此档案", "no such record")),))
    empty_list = Form({}, (FieldError("file", t("请选择文件", "choose a file")),))
    return events.ReportView(choices, date(2026, 11, 24), wrong, empty_list)


def _event_preview(t: Texts) -> events.PreviewView:
    told = (_consequence(t, is_changed=True), _consequence(t, is_changed=False))
    return events.PreviewView(
        1200,
        1201,
        1,
        1,
        told,
        (t("第 4 行：没有此事件", "line 4: no such event"),),
        "record,event,day",
        "key-of-this-report",
        known=(Link(t("合同终止 2026-11-01", "contract ended 2026-11-01"), "/events/e1"),),
    )


def _cells(*counts: int) -> tuple[due.DueCell, ...]:
    return tuple(
        due.DueCell(
            f"2031-{n:02d}", count, f"/records?due_from=2031-{n:02d}-01", -(-4 * count // (max(counts) or 1)), n == 3
        )
        for n, count in enumerate(counts, 1)
    )


def _due(t: Texts) -> due.DueView:
    counts = (120, 0, 300, 45, 12, 700, 80, 0, 0, 3, 99, 1204)
    cells = _cells(*counts)
    rows = tuple(
        due.DueRow(name, cells, due.DueCell("", sum(counts), "/records?x", 0))
        for name in (t("一般业务单", "General slip"), t("汇款及转账凭证", "Remittance"))
    )
    chart = bar_chart([(cell.label, cell.count) for cell in cells])
    tabs = (
        (Link(t("按日", "Days"), "/due?month=2031-01"), False),
        (Link(t("按月", "Months"), "/due?year=2031"), True),
    )
    return due.DueView(
        t("2031 年", "Year 2031"),
        due.DueFilter(year="2031", unit="u"),
        Choices({"unit": (Option("u", t("营业部", "Hall")),)}),
        chart,
        tuple(cell.href for cell in cells),
        tuple(Link(cell.label, "/due?month=x") for cell in cells),
        rows,
        cells,
        (),
        (),
        2563,
        tabs,
        Link("2030", "/due?year=2030"),
        Link("2032", "/due?year=2032"),
        ((t("到期，待鉴定", "due for appraisal"), 12, "/records?what=review"),),
        date(2026, 11, 24),
    )


def _due_month(t: Texts) -> due.DueView:
    days = tuple(
        due.DueCell(str(n), n % 5 * 3, f"/records?due_from=2031-03-{n:02d}", n % 5, n == 9) for n in range(1, 32)
    )
    padded: list[due.DueCell | None] = [None] * 5 + list(days) + [None] * 6
    weeks = tuple(tuple(padded[at : at + 7]) for at in range(0, 42, 7))
    row = due.DueRow(t("一般业务单", "General slip"), (), due.DueCell("", 180, "/records?x", 0))
    return due.DueView(
        "2031-03",
        due.DueFilter(month="2031-03"),
        Choices(),
        bar_chart([(d.label, d.count) for d in days], label_every=2),
        tuple(d.href for d in days),
        (),
        (row,),
        days,
        weeks,
        tuple(
            t(zh, en)
            for zh, en in zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
        ),
        180,
        (),
        None,
        None,
        (),
        date(2026, 11, 24),
    )


def _due_none(t: Texts) -> due.DueView:
    return due.DueView(
        t("2026 年", "Year 2026"),
        due.DueFilter(),
        Choices(),
        bar_chart([]),
        (),
        (),
        (),
        (),
        (),
        (),
        0,
        (),
        None,
        None,
        (),
        date(2026, 11, 24),
    )


def _version_row(t: Texts, number: int, state: str, *approvers: str) -> schedules.VersionRow:
    return schedules.VersionRow(
        str(number), f"/schedules/{number}", number, state, t("会计凭证改为三十年", "Accounting vouchers: thirty years"),
        date(2027, 1, 1) if number > 1 else None, LI, ago(days=9 - number), approvers, f"{number}" * 64, 12,
    )  # fmt: skip


def _schedules(t: Texts) -> schedules.ScheduleListView:
    frame = lists.ListFrame(
        "schedules", "/schedules", N_("Schedule"), Paging(4, 4), lists.Empty(N_("No version fits these filters.")),
        may_save=True, may_export=True, newest="01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7",
    )  # fmt: skip
    rows = (
        _version_row(t, 4, "draft"),
        _version_row(t, 3, "proposed", "李秀兰"),
        _version_row(t, 2, "coming", "李秀兰", "王建国"),
        _version_row(t, 1, "in_effect"),
    )
    states = tuple(Option(code, t(zh, code)) for code, zh in (("draft", "草稿"), ("approved", "已批准")))
    wrong = Form({"note": ""}, (FieldError("note", t("需要 1 至 500 个字符", "1 to 500 characters")),))
    problems = (t("第 2 行 适用规则：没有这条规则：NO-SUCH", "line 2 rules: no such rule"),)
    return schedules.ScheduleListView(
        frame,
        schedules.VersionFilter(),
        Choices({"state": states}),
        rows,
        may_draft=True,
        form=wrong,
        file_problems=problems,
    )


def _class_rows(t: Texts, number: int) -> tuple[schedules.ClassRow, ...]:
    return (
        schedules.ClassRow(
            "CONTRACT", f"/schedules/{number}/classes/CONTRACT", t("劳动合同", "Labour contract"),
            (t("CN-LABOR-CONTRACT：自“合同终止”起至少 2 年。", "CN-LABOR-CONTRACT: at least 2 years."),),
            t("自“收到”起 10 年", "10 years"), t("销毁", "destroy"), t("一次锁定至保管期满", "at once"), 1, has_unverified=True,
        ),
        schedules.ClassRow("GENERAL", f"/schedules/{number}/classes/GENERAL", t("一般业务单", "General slip"), (), "", t("鉴定", "appraise"), t("滚动锁定，提前 1 年", "rolling"), 2, has_unverified=False),
    )  # fmt: skip


def _schedule(t: Texts) -> schedules.VersionView:
    box = schedules.ProposalBox(
        LI,
        ago(days=2),
        (schedules.Said(WANG, ago(days=1), is_approved=True, comment=t("同意", "agreed")),),
        1,
        is_open=True,
        may_say=True,
    )
    changes = (
        schedules.ChangeLine(
            t("类别 CONTRACT：本单位期限由 10 年 改为 20 年（期限变长）", "class CONTRACT: longer"), "longer"
        ),
        schedules.ChangeLine(t("类别 GENERAL：适用规则（期限可能变短）", "class GENERAL: may be shorter"), "shorter"),
        schedules.ChangeLine(t("类别 GENERAL：份数由 1 改为 2", "class GENERAL: copies from 1 to 2"), "other"),
    )
    entry = TimelineEntry(ago(days=2), "retention:schedule:propose", LI, "/ledger/entries/0193", leaf_index=48211)
    wrong = Form({"comment": ""}, (FieldError("comment", t("需要 4 至 500 个字符", "4 to 500 characters")),))
    return schedules.VersionView(
        "/schedules/2", 2, "proposed", t("劳动合同改为二十年", "Labour contracts: twenty years"),
        Link(t("第 1 版", "Version 1"), "/schedules/1"), date(2027, 1, 1), LI, ago(days=3), None, "12-31",
        ("cn-2026.11", "de-2026.11"), "ab" * 32, _class_rows(t, 2), (entry,), proposal=box,
        differences=schedules.Differences(1, (Option("1", t("第 1 版", "Version 1")),), changes),
        simulation=Link(t("推演结果", "Its effects"), "/schedules/2/simulation"), may_withdraw=True, forms={"refuse": wrong},
        actions=(Action(N_("As YAML"), "/schedules/2/file", icon="download"),), ledger_href="/ledger?subject=x",
    )  # fmt: skip


def _draft(t: Texts) -> schedules.VersionView:
    wrong = Form(
        {"effective_date": "2020-01-01"}, (FieldError("effective_date", t("最早为今天。", "Today at the earliest.")),)
    )
    return schedules.VersionView(
        "/schedules/3", 3, "draft", t("试改", "A trial"), Link(t("第 2 版", "Version 2"), "/schedules/2"), None, LI, ago(days=1), None,
        "12-31", ("cn-2026.11",), "cd" * 32, _class_rows(t, 3), (), may_edit=True, may_withdraw=True, earliest_date="2026-11-24",
        forms={"propose": wrong}, file_problems=(t("第 2 行 份数：应为 1 至 9 的整数", "line 2: copies"),),
        actions=(Action(N_("Add a class"), "/schedules/3/new-class", icon="plus"),),
    )  # fmt: skip


def _outcome(t: Texts) -> retention_class.Outcome:
    steps = (
        t("“收到”：2026-11-24", "“came in”: 2026-11-24"),
        t("2026-11-24 加 10 年：2036-11-24", "2026-11-24 and 10 years: 2036-11-24"),
    )
    return retention_class.Outcome(
        t("2026-11-24 办结的业务单将保存到 2036-11-24。", "A slip closed today would be kept until 2036-11-24."),
        t("锁定至保管期满：2036-11-24。", "Locked to its end."),
        (
            retention_class.Ground(t("本单位规定保存 10 年。", "Kept for 10 years."), "OWN · CONTRACT", None, is_verified=True, steps=steps),
            retention_class.Ground(t("依法至少保存 2 年。", "By law 2 years."), "CN-LABOR-CONTRACT", "/rules/CN-LABOR-CONTRACT", is_verified=False, steps=()),
        ),
    )  # fmt: skip


def _class(t: Texts) -> retention_class.ClassView:
    box = retention_class.ExampleBox(
        date(2026, 11, 24), "", _outcome(t), (t("合同终止", "contract ended"),), _outcome(t)
    )
    return retention_class.ClassView(
        "/schedules/1/classes/CONTRACT", Link(t("保管期限表第 1 版", "Version 1"), "/schedules/1"), "in_effect", "CONTRACT",
        t("劳动合同", "Labour contract"), _class_rows(t, 1)[0], ((N_("Copies"), "1"), (N_("Own period"), "")), box,
        records_href="/records?class_code=CONTRACT", form=Form({"example_date": "2026-11-24"}),
    )  # fmt: skip


def _class_edit(t: Texts) -> retention_class.ClassView:
    values = {
        "code": "CONTRACT", "name_zh": "劳动合同", "name_en": "Labour contract", "category_code": "HT", "period_code": "D10",
        "sensitivity": "personal", "own_period_years": "10", "own_trigger": "received", "own_calendar": "exact_date",
        "disposition": "destroy", "lock": "full", "horizon_years": "1", "intake_lasts_days": "30", "copies": "99",
        "example_date": "2026-11-24",
    }  # fmt: skip
    errors = (
        FieldError("copies", t("应为 1 至 9 的整数", "1 to 9")),
        FieldError("horizon", t("请填整数", "whole numbers")),
    )
    options = tuple(
        retention_class.RuleOption(code, t("劳动合同文本", "Labour contracts"), t("至少 2 年。", "At least 2 years."), "art.50", code == "CN-1", code == "CN-2", code)
        for code in ("CN-1", "CN-2", "CN-3")
    )  # fmt: skip

    def option(*codes: str) -> tuple[Option, ...]:
        return tuple(Option(code, t("选项", code), t("说明", "a hint")) for code in codes)

    choices = Choices(
        {
            "category_code": option("HT", "YW"), "sensitivity": option("normal", "personal"), "disposition": option("destroy", "review"),
            "own_trigger": option("received"), "own_calendar": option("exact_date"), "lock": option("full", "rolling"),
        }
    )  # fmt: skip
    return retention_class.ClassView(
        "/schedules/3/classes/CONTRACT", Link(t("保管期限表第 3 版", "Version 3"), "/schedules/3"), "draft", "CONTRACT",
        t("劳动合同", "Labour contract"), _class_rows(t, 3)[0], (), retention_class.ExampleBox(date(2026, 11, 24), t("标出的各项改正后，这里即显示结果。", "Soon.")),
        may_edit=True, save_href="/schedules/3/classes", example_href="/schedules/3/class-example",
        remove_href="/schedules/3/classes/CONTRACT/remove", seen="ef" * 32, form=Form(values, errors), rules=options, choices=choices,
    )  # fmt: skip


def _class_new(t: Texts) -> retention_class.ClassView:
    return retention_class.ClassView(
        "/schedules/3/new-class", Link(t("保管期限表第 3 版", "Version 3"), "/schedules/3"), "draft", "", t("新类别", "A new class"), None, (),
        retention_class.ExampleBox(date(2026, 11, 24), t("改正后即显示。", "Soon.")), is_new=True, may_edit=True,
        save_href="/schedules/3/classes", example_href="/schedules/3/class-example", form=Form({"example_date": "2026-11-24"}),
    )  # fmt: skip


def _rules(t: Texts) -> rules.RuleListView:
    rows = tuple(
        rules.RuleRow(f"CN-RULE-{n}", f"/rules/CN-RULE-{n}", t("会计凭证", "Accounting vouchers"), t("自“会计年度终了”起至少 30 年。", "At least 30 years."), t("会计档案管理办法 第十四条", "art. 14"), t("会计", "accounting"), t("中国内地", "China"), state, n, "cn-2026.11")
        for n, state in enumerate(("verified", "confirmed", "unverified"))
    )  # fmt: skip
    sectors = (Option("accounting", t("会计", "accounting")),)
    return rules.RuleListView(rules.RuleFilter(), Choices({"sector": sectors}), rows, 104, 61)


def _rule(t: Texts) -> rules.RuleView:
    version = rules.RuleVersion(
        "cn-2026.11", "unverified", t("自“业务办结”起至少 5 年。", "At least 5 years."), t("本办法第六条", "Clause 6.1"),
        ((N_("Period"), t("5 年", "5 years")), (N_("Counts from"), t("业务办结", "slip closed"))), "", "ab" * 32,
        is_in_force=True, is_in_schedule=True, effective_date=None, ended_date=None,
    )  # fmt: skip
    old = rules.RuleVersion(
        "cn-2025.01",
        "verified",
        t("旧规定。", "Old."),
        t("旧办法", "Old"),
        (),
        "",
        "cd" * 32,
        False,
        False,
        None,
        date(2025, 1, 1),
    )
    box = schedules.ProposalBox(LI, ago(days=1), (), 1, is_open=True, may_say=True)
    done = schedules.ProposalBox(
        LI,
        ago(days=9),
        (schedules.Said(WANG, ago(days=8), is_approved=True, comment=""),),
        0,
        is_open=False,
        may_say=False,
    )
    return rules.RuleView(
        "DEFAULT-5Y", t("无明确规定的业务单", "No specific rule"), "/rules/DEFAULT-5Y", "unverified", (version, old),
        (Link(t("一般业务单", "General slip"), "/schedules/1/classes/GENERAL"),),
        (
            rules.ConfirmationBox(t("本办法第六条，2026 年印发", "Measures of 2026"), None, True, box, "/rules/confirmations/1"),
            rules.ConfirmationBox(t("旧办法", "Old measures"), ago(days=8), False, done, "/rules/confirmations/2"),
        ),
        may_propose=True,
    )  # fmt: skip


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


def _why(t: Texts) -> why.WhyView:
    grounds = (
        why.Ground(
            t("本单位规定该类自“收到”起保存 10 年，至 2036-11-24 止。", "The organisation keeps this class for 10 years."),
            "OWN", "CONTRACT", "", None, is_winner=True, is_verified=True, confirmed_source="",
            steps=(t("“收到”：2026-11-24", "“received”: 2026-11-24"), t("2026-11-24 加 10 年：2036-11-24", "2026-11-24 and 10 years: 2036-11-24")),
        ),
        why.Ground(
            t("依法自“合同终止”起至少保存 2 年；该事件尚未发生。", "By law kept at least 2 years from its end."),
            "CN-LABOR-CONTRACT", "劳动合同法 art.50", "cn-2026.11", "/rules/CN-LABOR-CONTRACT",
            is_winner=False, is_verified=False, confirmed_source="",
        ),
        why.Ground("…", "DEFAULT-5Y", t("本办法", "Measures"), "cn-2026.11", None, False, False, t("本办法第六条", "Clause six")),
    )  # fmt: skip
    events = (
        why.KnownEvent(
            t("合同终止", "contract ended"), date(2026, 11, 1), "解除协议 7", LI, ago(days=3), href="/events/e1"
        ),
        why.KnownEvent(t("账户关闭", "account closed"), None, "", WANG, ago(days=9), undone_at=ago(days=8)),
    )
    return why.WhyView(
        f"{RECORD}/why", RECORD, "J042-HT·2026-D10-YYB-0137", t("劳动合同 张伟", "Contract of 张伟"), date(2026, 11, 24),
        date(2026, 11, 24), Form({"on": "2026-11-24", "known": "2026-11-25"}),
        why.Told(
            date(2026, 11, 24), NOW, True, t("保存", "keep"), t("保存至 2036-11-24 止。", "To be kept."),
            t("劳动合同", "Labour contract"), "CONTRACT", "/schedules/2/classes/CONTRACT", grounds, events,
            (why.StoreLock("s3+https://obs.local/slips", "compliance", ago(days=-3652), 3),),
            t("锁定至保管期满：2036-11-24。", "Locked to the end."), t("此锁定已在各存储中的每个副本上生效。", "It stands."),
            t("下一次决定：2036-11-25。", "Decided again."),
            Link(t("保管期限表第 2 版", "Version 2"), "/schedules/2"), date(2026, 12, 1),
            (why.Approver(LI, ago(days=2), t("同意", "agreed")), why.Approver(WANG, ago(days=1))),
            (("zh-CN", "中文", ("2026-11-24 的结论：保存。", "  “收到”：2026-11-24")), ("en", "English", ("Kept.", "  2026-11-24"))),
        ),
    )  # fmt: skip


def _why_wrong(t: Texts) -> why.WhyView:
    told: dict[str, Any] = {"values": {"on": "1999", "known": ""}}
    wrong = FieldError("on", t("这不是日期。", "This is no day."))
    form = Form(told["values"], (wrong,))
    return why.WhyView(
        f"{RECORD}/why", RECORD, "J042-HT·2026-D10-YYB-0137", t("劳动合同", "Contract"), date(2026, 11, 24),
        date(2026, 11, 24), form, None,
    )  # fmt: skip


def _pack_row(t: Texts, version: str, seal: str) -> rule_packs.PackRow:
    signed_by = "ab" * 32 if seal in {"own", "signed"} else ""
    return rule_packs.PackRow(
        version,
        f"/rule-packs/{version}",
        t("中国内地", "China"),
        date(2027, 1, 1),
        61,
        "cn-2026.11",
        "cd" * 32,
        seal,
        signed_by,
        seal == "shipped",
    )


def _packs(t: Texts) -> rule_packs.PackListView:
    rows = tuple(
        _pack_row(t, f"cn-2027.0{n}", seal) for n, seal in enumerate(("shipped", "own", "signed", "unsigned"), 1)
    )
    wrong = Form({}, (FieldError("file", t("签名与该公钥和规则包不符", "the signature is wrong")),))
    return rule_packs.PackListView(rows, may_take_in=True, form=wrong)


def _pack_lines(t: Texts) -> tuple[schedules.ChangeLine, ...]:
    return (
        schedules.ChangeLine(
            t("规则 DEFAULT-5Y：最短期限由 P5Y 改为 P6Y（期限变长）", "rule DEFAULT-5Y: longer"), "longer"
        ),
    )


def _pack(t: Texts) -> rule_packs.PackView:
    drafts = Choices({"number": (Option("3", t("第 3 版", "Version 3")),)})
    wrong = Form({"number": "3"}, (FieldError("number", t("请选择", "choose one")),))
    return rule_packs.PackView(
        _pack_row(t, "cn-2027.01", "signed"),
        Link("cn-2026.11", "/rule-packs/cn-2026.11"),
        _pack_lines(t),
        "/rule-packs/cn-2027.01/file",
        "/rule-packs/cn-2027.01/use",
        drafts,
        "ef" * 32,
        wrong,
    )


def _pack_preview(t: Texts) -> rule_packs.PackPreview:
    return rule_packs.PackPreview(
        _pack_row(t, "cn-2027.01", "unsigned"), None, (), is_known=False, text="pack: x", signature="", public_key=""
    )


def _reclassify(t: Texts) -> reclassify.ReclassifyView:
    choices = Choices({"class_code": (Option("CONTRACT", t("劳动合同", "Labour contract")),)})
    wrong = Form(
        {"class_code": "CONTRACT", "reason": "x"},
        (FieldError("reason", t("需要 4 至 500 个字符", "4 to 500 characters")),),
    )
    return reclassify.ReclassifyView(
        f"{RECORD}/class", RECORD, "J042-YW·2026-D5-YYB-0137", t("一般业务单", "General slip"), False, False, True, choices, "CONTRACT",
        t("劳动合同", "Labour contract"), _consequence(t, is_changed=True), (reclassify.ClassChange(t("投诉与建议", "Complaint"), t("一般业务单", "General slip"), "", None, ""),), wrong, Form(),
    )  # fmt: skip


def _reclassify_filed(t: Texts) -> reclassify.ReclassifyView:
    box = schedules.ProposalBox(LI, ago(days=1), (), 1, is_open=True, may_say=True)
    change = reclassify.ClassChange(
        t("一般业务单", "General slip"),
        t("劳动合同", "Labour contract"),
        t("附有合同", "a contract"),
        box,
        "/reclassifications/1",
    )
    wrong = Form({"comment": ""}, (FieldError("comment", t("需要 4 至 500 个字符", "4 to 500 characters")),))
    return reclassify.ReclassifyView(
        f"{RECORD}/class",
        RECORD,
        "J042-YW·2026-D5-YYB-0137",
        t("一般业务单", "General slip"),
        True,
        True,
        False,
        Choices(),
        "",
        "",
        None,
        (change,),
        Form(),
        wrong,
    )
