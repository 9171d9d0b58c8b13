"""Realistic pages of the law, full and empty; `web_samples` puts them among the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vault.surfaces.web.views import why
from vault.surfaces.web.views.parts import ActorName, FieldError, Form, Link

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
    ]


def empty() -> list[Told]:
    """The same with nothing on it."""
    return []


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
        why.KnownEvent(t("合同终止", "contract ended"), date(2026, 11, 1), "解除协议 7", LI, ago(days=3)),
        why.KnownEvent(t("账户关闭", "account closed"), None, "", WANG, ago(days=9), undone_at=ago(days=8)),
    )
    return why.WhyView(
        f"{RECORD}/why", RECORD, "J042-HT·2026-D10-YYB-0137", t("劳动合同 张伟", "Contract of 张伟"), date(2026, 11, 24),
        date(2026, 11, 24), Form({"on": "2026-11-24", "known": "2026-11-25"}),
        why.Told(
            date(2026, 11, 24), NOW, True, t("保存", "keep"), t("保存至 2036-11-24 止。", "To be kept."),
            t("劳动合同", "Labour contract"), "CONTRACT", "/schedules/2/classes/CONTRACT", grounds, events,
            (why.StoreLock("s3+https://obs.local/slips", "compliance", ago(days=-3652), 3),),
            t("锁定至保管期满：2036-11-24。", "Locked to the end."), t("下一次决定：2036-11-25。", "Decided again."),
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
