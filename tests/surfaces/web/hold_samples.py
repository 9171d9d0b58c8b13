"""Realistic pages of matters and holds, full and empty; `web_samples` puts them among the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from vault.foundation.errors import N_
from vault.surfaces.web.views import holds as views
from vault.surfaces.web.views.lists import Empty, ListFrame
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
from vault.surfaces.web.views.schedules import ProposalBox, Said

Told = tuple[str, str, str, str, object]
Texts = Callable[[str, str], str]
NOW = datetime(2026, 11, 24, 7, 42, 31, tzinfo=UTC)
LI, WANG = ActorName("person", "李秀兰", "/people/0193a2"), ActorName("person", "王建国")
MATTER = "/matters/01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7"
HOLD = "/holds/01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c8"
RECORD = "/records/01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c9"


def full(t: Texts) -> list[Told]:
    """Every page of holds with much on it."""
    return [
        ("matters", "/matters", "matters.html", "matters", _matters(t)),
        ("matter", MATTER, "matter.html", "matters", _matter(t)),
        ("hold", HOLD, "hold.html", "matters", _hold(t)),
        ("place-hold", f"/holds/new?matter={MATTER[9:]}", "place_hold.html", "matters", _place(t)),
    ]


def empty(t: Texts) -> list[Told]:
    """The same with nothing on it."""
    frame = ListFrame("matters", "/matters", N_("Holds"), Paging(0, 0), Empty(N_("Nothing was ever held.")))
    nothing = views.MatterListView(frame, views.MatterFilter(), Choices(), (), may_open=False, client_key="")
    return [
        ("matters-none", "/matters?empty", "matters.html", "matters", nothing),
        ("matter-new", "/matters/new", "matter.html", "matters", _bare_matter(t)),
        ("hold-told", "/holds/told", "hold.html", "matters", _told(t)),
        (
            "place-hold-none",
            "/holds/new",
            "place_hold.html",
            "matters",
            views.PlaceView(Choices(), "", "k", "2026-11-25"),
        ),
    ]


def _matters(t: Texts) -> views.MatterListView:
    told = (
        (
            "M-2026-0003",
            "release-proposed",
            "court",
            t("市中级人民法院", "Intermediate court"),
            "(2026) 法执字第 17 号",
            214,
        ),
        ("M-2026-0002", "holds", "police", t("市公安局经侦支队", "Police"), "公（经）调证字〔2026〕0042 号", 5_000),
        ("M-2025-0001", "closed", "house", t("本单位法务部", "Legal department"), "", 0),
    )
    rows = tuple(
        views.MatterRow(
            str(n), MATTER, number, state, kind, name, document, t("买卖合同纠纷一案", "Sale"), NOW, 2, count
        )
        for n, (number, state, kind, name, document, count) in enumerate(told)
    )
    authorities = Choices(
        {"authority": (Option("court", t("法院", "Court")),), "state": (Option("open", t("未结", "Open")),)}
    )
    return views.MatterListView(
        ListFrame("matters", "/matters", N_("Holds"), Paging(3, 3), Empty(""), may_export=True),
        views.MatterFilter(),
        authorities,
        rows,
        may_open=True,
        client_key="key",
        form=Form({"title": ""}, (FieldError("title", t("未填或过短。", "It is missing.")),)),
    )  # fmt: skip


def _matter(t: Texts) -> views.MatterView:
    held = tuple(
        views.HoldRow(
            HOLD, f"M-2026-0003/{n}", state, t("法院要求保全", "The court asks"), date(2027, 1, 1), NOW, 214, 12
        )
        for n, state in ((3, "being-set"), (2, "release-proposed"), (1, "released"))
    )
    return views.MatterView(
        href=MATTER,
        number="M-2026-0003",
        state="release-proposed",
        authority="court",
        authority_name=t("市中级人民法院", "Intermediate court"),
        document_number="(2026) 法执字第 17 号",
        basis=t("民事诉讼法第七十条", "Civil Procedure Law art. 70"),
        title=t("买卖合同纠纷一案", "A sale"),
        opened_by=LI,
        opened_at=NOW - timedelta(days=9),
        closed_at=None,
        holds=held,
        timeline=(TimelineEntry(NOW, "holds:matter:open", LI, "/ledger/entries/1", leaf_index=7),),
        actions=(Action(N_("Hold records"), "/holds/new", tone="primary", icon="hold"),),
        ledger_href="/ledger?subject=x",
    )


def _bare_matter(t: Texts) -> views.MatterView:
    return views.MatterView(
        href=MATTER,
        number="M-2026-0004",
        state="open",
        authority="house",
        authority_name=t("本单位法务部", "Legal department"),
        document_number="",
        basis=t("民事诉讼法第八十四条", "Civil Procedure Law art. 84"),
        title=t("预期诉讼", "A suit that is expected"),
        opened_by=WANG,
        opened_at=NOW,
        closed_at=None,
        holds=(),
        timeline=(),
    )


def _hold(t: Texts) -> views.HoldView:
    rows = tuple(
        views.HeldRow(RECORD, f"J042-YW·2026-D10-YYB-{n:04d}", "being-set" if n == 2 else "stands", NOW, NOW, problem)
        for n, problem in ((1, ""), (2, "store-unavailable"), (3, ""))
    )
    said = (Said(WANG, NOW, is_approved=True, comment=t("同意", "Agreed")),)
    return views.HoldView(
        href=HOLD,
        name="M-2026-0003/2",
        matter=Link("M-2026-0003", MATTER),
        matter_title=t("买卖合同纠纷一案", "A sale"),
        state="release-proposed",
        is_in_force=True,
        reason=t("法院要求保全", "The court asks for it"),
        review_date=date(2026, 11, 20),
        is_review_due=True,
        placed_by=LI,
        placed_at=NOW - timedelta(days=8),
        released_at=None,
        release_reason=t("案件已结", "The case is closed"),
        release_id="01935c1e-2222-7000-8000-000000000009",
        is_release_outdated=True,
        proposal=ProposalBox(LI, NOW, said, missing=1, is_open=True, may_say=True),
        records_count=5,
        standing_count=4,
        unseen_count=2,
        waiting_count=1,
        refused={"store-unavailable": 1},
        is_waiting_only=False,
        rows=rows,
        paging=Paging(3, 3),
        timeline=(TimelineEntry(NOW, "holds:release:propose", LI, "/ledger/entries/2", leaf_index=9),),
        may_add=True,
        may_withdraw=True,
        forms={"refuse": Form({}, (FieldError("comment", t("请写明理由。", "A reason is needed.")),))},
        ledger_href="/ledger?subject=x",
    )


def _told(t: Texts) -> views.HoldView:
    return views.HoldView(
        href=HOLD,
        name="M-2026-0003/1",
        matter=Link("M-2026-0003", MATTER),
        matter_title=t("买卖合同纠纷一案", "A sale"),
        state="stands",
        is_in_force=True,
        reason=t("法院要求保全", "The court asks for it"),
        review_date=None,
        is_review_due=False,
        placed_by=LI,
        placed_at=NOW,
        released_at=None,
        release_reason="",
        release_id="",
        is_release_outdated=False,
        proposal=None,
        records_count=1,
        standing_count=1,
        unseen_count=0,
        waiting_count=0,
        refused={},
        is_waiting_only=True,
        rows=(),
        paging=Paging(0, 0),
        timeline=(),
        may_propose=True,
    )


def _place(t: Texts) -> views.PlaceView:
    wrong = FieldError("records", t("有 1 行没有对应您可查看的档案：第 2 行。", "1 lines name no record: 2."))
    form = Form(
        {"records": "J042-YW·2026-D10-YYB-0001\nJ042", "reason": t("法院要求保全", "The court asks")}, (wrong,)
    )
    matter = MATTER[9:]
    choices = Choices({"matter": (Option(matter, f"M-2026-0003 {t('买卖合同纠纷一案', 'A sale')}"),)})
    return views.PlaceView(choices, matter, "key", "2026-11-25", is_cut=True, form=form)
