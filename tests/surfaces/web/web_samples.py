"""Realistic pages of a window-service hall, full and empty, for looking at and for the template tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import hold_samples
import law_samples
import reconciliation_samples
import simulation_samples

from vault.foundation.errors import N_, Fault
from vault.surfaces.i18n import FAULT_WORDS, Language, translator
from vault.surfaces.web.views import batch as batch_views
from vault.surfaces.web.views import (
    desk,
    entrance,
    health,
    holidays,
    intake,
    ledger,
    lists,
    people,
    records,
    search,
    sending,
    station,
)
from vault.surfaces.web.views import ledger_entry as entry_views
from vault.surfaces.web.views import record as views
from vault.surfaces.web.views.parts import (
    Action,
    ActorName,
    Choices,
    FieldError,
    Finding,
    Form,
    HourCount,
    Link,
    Notice,
    Option,
    Paging,
    Progress,
    TimelineEntry,
)
from vault.surfaces.web.views.shell import PLACES, Shell, rail

NOW = datetime(2026, 11, 24, 7, 42, 31, tzinfo=UTC)
LI = ActorName("person", "李秀兰", "/people/0193a2")
WANG = ActorName("person", "王建国", "/people/0193a3")
STATION = ActorName("station", "一楼大厅 3 号扫描站", "/stations")
SYSTEM = ActorName("system", "slipvault", None)
RECORD = "/records/01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7"
BATCH = "/batches/01935c1e-1111-7000-8000-000000000001"
NUMBER = "J042-YW·2026-D10-YYB-0137"


@dataclass(frozen=True)
class Sample:
    """One page as it could be asked for."""

    name: str
    address: str
    template: str
    current: str
    view: object
    status: int = 200
    is_signed_in: bool = True
    notices: tuple[Notice, ...] = ()


def shell(language: Language, sample: Sample) -> Shell:
    """The frame around `sample`."""
    return Shell(
        language=language,
        now=NOW,
        organisation="滨海市政务服务中心",
        person_name="李秀兰" if sample.is_signed_in else None,
        csrf_token="c2FtcGxlLXRva2Vu",
        current=sample.current,
        address=sample.address,
        rail=rail(lambda _right: True) if sample.is_signed_in else (),
        notices=sample.notices,
    )


NOTHING = lists.Empty(N_("There are no batches yet."), N_("Part of the name is enough."))


def frame(name: str, title: str, paging: Paging, **more: object) -> lists.ListFrame:
    """What surrounds the rows of a list for somebody who may export it."""
    told = {"empty": NOTHING, "may_export": True, "may_save": True, "newest": "01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7"}
    return lists.ListFrame(name, f"/{name}", title, paging, **{**told, **more})


VIEWS = (
    lists.SavedViewLink("v1", "三季度未平批次", "/views/v1", is_shared=True),
    lists.SavedViewLink("v2", "一楼大厅", "/views/v2", is_own=False, is_shared=True, shared_by="王建国"),
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


def entry(event: str, minutes: float, actor: ActorName, note: str = "", index: int | None = 48211) -> TimelineEntry:
    return TimelineEntry(ago(minutes=minutes), event, actor, "/ledger/entries/0193", note, index)


class Texts:
    """Sentences that a handler would have translated before they reach a view."""

    def __init__(self, language: Language) -> None:
        self.is_zh = language is Language.ZH

    def __call__(self, zh: str, en: str) -> str:
        return zh if self.is_zh else en


def full(language: Language) -> list[Sample]:
    """Every page with much on it."""
    t = Texts(language)
    return [
        *_entrance(t, language),
        Sample("desk", "/", "desk.html", "desk", _desk(t)),
        *_intake(t),
        *_records(t),
        *_ledger(t),
        *_health(t),
        *_people(t),
        *(Sample(*told) for told in law_samples.full(t)),
        *(Sample(*told) for told in hold_samples.full(t)),
        *(Sample(*told) for told in simulation_samples.full(t)),
    ]


def _entrance(t: Texts, language: Language) -> list[Sample]:
    zones = (
        Option("Asia/Shanghai", t("北京时间（亚洲/上海）", "Beijing (Asia/Shanghai)")),
        Option("Asia/Urumqi", t("亚洲/乌鲁木齐", "Asia/Urumqi")),
    )
    wrong = Form(
        {"sign_in_name": "lixiulan"},
        (
            FieldError(
                "password",
                t("登录名或密码不对。再错 3 次，账号锁定 15 分钟。", "The sign-in name or the password is wrong."),
            ),
        ),
    )
    say = translator(language).gettext
    missing = entrance.ProblemView(
        404, "not-found", say(N_("There is nothing here that you may see.")),
        say(N_("There is nothing here that you may see.")), say(FAULT_WORDS[Fault.CALLER]),
        say(N_("Check the number. If you need access, ask your archive administrator.")),
        "req-01935c1e8f2a", NOW, Link(say(N_("My desk")), "/"),
    )  # fmt: skip
    broken = entrance.ProblemView(
        503, "store-lied", t("存储不可靠，暂停收件", "The store lied: intake is stopped"),
        t("存储 s3+https://obs.local/slips 在锁定期内允许删除对象。", "The store s3+https://obs.local/slips let a locked object be removed."),
        say(FAULT_WORDS[Fault.STORE]), t("已收的档案未受影响。请通知系统管理员查看“存储与密钥”。", "What was received is safe. Tell the operator to look at Stores and keys."),
        "req-01935c1e8f2b", NOW, Link(say(N_("My desk")), "/"), is_retry_useful=True,
    )  # fmt: skip
    sessions = (
        entrance.SessionRow("a", ago(hours=6), ago(seconds=12), "Chrome · Windows · 10.20.3.41", is_this=True),
        entrance.SessionRow("b", ago(days=1), ago(hours=3), "Safari · iPhone · 10.20.9.7", is_this=False),
    )
    roles = (t("档案管理员", "Archive administrator"), t("系统管理员", "System officer"))
    settings = entrance.SettingsView("lixiulan", "李秀兰", roles, sessions, zones, may_change_organisation=True)
    return [
        Sample("sign-in", "/sign-in", "sign_in.html", "", entrance.SignInView(wrong, "/records"), is_signed_in=False),
        Sample("setup", "/setup", "setup.html", "", entrance.SetupView("admin", zones), is_signed_in=False),
        Sample("problem-404", "/nothing", "problem.html", "", missing, status=404),
        Sample("problem-503", "/broken", "problem.html", "", broken, status=503),
        Sample("settings", "/settings", "settings.html", "settings", settings),
    ]


def _desk(t: Texts) -> desk.DeskView:
    by_hour = {8: 41, 9: 126, 10: 188, 11: 97, 12: 8, 13: 62, 14: 203, 15: 74}
    return desk.DeskView(
        waiting=(
            desk.WaitingItem(Link(t("11 月 23 日下午 · 个人开户", "23 Nov, afternoon · account opening"), BATCH), t("少 2 张，等待核对", "2 sheets missing, to be checked"), ago(hours=19), "overdue", ago(days=1)),
            desk.WaitingItem(Link(t("6 个文件被退回，需重扫", "6 files were refused and need scanning again"), "/quarantine"), t("隔离区", "Quarantine"), ago(minutes=48), "soon", NOW + timedelta(days=1)),
            desk.WaitingItem(Link(t("二楼 1 号扫描站的令牌", "Token of hall 2, station 1"), "/stations"), t("将在 9 天后到期", "expires in 9 days"), ago(days=2)),
        ),
        troubles=(desk.Trouble(t("一楼大厅 3 号扫描站断网 14 分钟，已自动续传 87 个文件", "Hall 1, station 3 was offline for 14 minutes; 87 files were sent afterwards"), Link(t("扫描站", "Stations"), "/stations"), ago(hours=2)),),
        sent=(
            desk.SentItem(Link(t("11 月 24 日上午 · 国际汇款", "24 Nov, morning · remittance"), BATCH), "balanced", 182, 0, 182, ago(hours=3)),
            desk.SentItem(Link(t("11 月 24 日下午 · 许可申请", "24 Nov, afternoon · licences"), BATCH), "open", 74, 2, 120, ago(minutes=4)),
        ),
        figures=(
            desk.Figure(N_("Records received today"), 799, "/records?from_date=2026-11-24"),
            desk.Figure(N_("Being worked on"), 12, "/jobs?state=running"),
            desk.Figure(N_("Refused today"), 6, "/quarantine", "bad"),
            desk.Figure(N_("To be filed"), 10000, "/records?state=received", is_more=True),
        ),
        hours=tuple(HourCount(hour, by_hour.get(hour, 0)) for hour in range(24)),
        days=tuple(desk.DayCount(date(2026, 11, 11) + timedelta(days=n), n * 37 % 101) for n in range(14)),
        actions=(Action(N_("Send scans"), "/intake", tone="primary", icon="intake"),),
    )  # fmt: skip


CLASSES = (
    sending.ClassOption("CN-ACC-VOUCHER", "会计凭证", "30 年"),
    sending.ClassOption("CN-BANK-ACCOUNT", "人民币银行结算账户资料", "10 年"),
    sending.ClassOption("CN-AML-TX", "交易记录（反洗钱）", "10 年"),
    sending.ClassOption("DEFAULT-5Y", "无明确规定的业务单", "5 年"),
)
UNITS = (Option("u1", "营业部"), Option("u2", "行政审批科"), Option("u3", "投诉受理中心"))


def batches() -> tuple[intake.BatchRow, ...]:
    return (
        intake.BatchRow("b1", "11 月 24 日下午 · 许可申请", BATCH, "open", STATION, ago(minutes=31), intake.Balance(120, 76, 74, 2)),
        intake.BatchRow("b2", "11 月 24 日上午 · 国际汇款", BATCH, "balanced", LI, ago(hours=3), intake.Balance(182, 182, 180, 0, 2)),
        intake.BatchRow("b3", "11 月 23 日下午 · 个人开户", BATCH, "unbalanced", STATION, ago(hours=19), intake.Balance(96, 94, 90, 4)),
        intake.BatchRow("b4", "11 月 23 日上午 · 投诉登记", BATCH, "balanced", WANG, ago(hours=24), intake.Balance(None, 17, 17, 0)),
    )  # fmt: skip


def _items(t: Texts) -> tuple[intake.BatchItem, ...]:
    record = Link(NUMBER, RECORD)
    return (
        batch_views.BatchItem("i1", "kaihu-20261124-0001.tif", "accepted", 118_231, ago(minutes=30), 2, record),
        batch_views.BatchItem("i2", "kaihu-20261124-0002.tif", "accepted", 121_902, ago(minutes=30), 2, Link("J042-YW·2026-D10-YYB-0138", RECORD), warnings=((t("歪斜 2.1°，仍可辨认", "skewed by 2.1°, still readable"), ""),)),
        batch_views.BatchItem("i3", "许可证申请-材料.pdf", "refused", 2_400_118, ago(minutes=29), None, reasons=((t("PDF 带有自动运行的脚本（/OpenAction）", "The PDF carries a script that runs by itself (/OpenAction)"), t("请打印后扫描。", "Print it and scan it.")),)),
        batch_views.BatchItem("i4", "kaihu-20261124-0004.tif", "duplicate", 117_400, ago(minutes=28), 1, Link("J042-YW·2026-D10-YYB-0122", RECORD)),
        batch_views.BatchItem("i5", "kaihu-20261124-0005.tif", "refused", 64_000, ago(minutes=27), 4, reasons=((t("第 4 页读不出：图像数据在 61,204 字节处中断", "Page 4 cannot be read: the image data breaks off at byte 61,204"), t("请重新扫描。", "Scan it again.")),)),
        batch_views.BatchItem("i6", "kaihu-20261124-0006.jpg", "sealing", 98_113, ago(seconds=2), 1),
    )  # fmt: skip


def _tabs() -> tuple[batch_views.StateTab, ...]:
    counts = (("", 76), ("refused", 2), ("accepted", 72))
    return tuple(batch_views.StateTab(state, count, f"{BATCH}?state={state}", not state) for state, count in counts)


def _intake(t: Texts) -> list[Sample]:
    story = (
        entry("intake:batch:open", 31, STATION, index=48102),
        entry("catalogue:record:register", 30, STATION, "0001–0074", 48180),
        entry("intake:item:refuse", 29, STATION, "许可证申请-材料.pdf", None),
    )
    choices = Choices({
        "state": (Option("open", t("正在接收", "Receiving")), Option("unbalanced", t("不平", "Not balanced"))),
        "sender": (Option("s3", STATION.name), Option("li", LI.name)),
        "reason": (Option("pdf-script", t("PDF 带脚本", "Script in PDF")), Option("truncated", t("图像残缺", "Broken image"))),
    })  # fmt: skip
    paging = Paging(1284, 4, None, None, "/batches?after=b4")
    close = (
        Action(N_("Close the batch"), BATCH + "/close", "post", "primary"),
        Action(N_("Send more"), "/intake?batch=b1"),
    )
    batch = batch_views.BatchView(
        "b1", "11 月 24 日下午 · 许可申请", "open", (Link("人民币银行结算账户资料", "/records?class_code=x"),), "营业部", STATION, ago(minutes=31), None,
        intake.Balance(120, 76, 72, 2, 1), _tabs(), _items(t), Paging(76, 6, None, None, BATCH + "?after=i6"), story, close, BATCH + "/progress",
    )  # fmt: skip
    handled = intake.Handled("scanned_again", "第 4 页折角，已展平重扫", LI, ago(minutes=3))
    quarantine = (
        intake.QuarantineRow("q1", "许可证申请-材料.pdf", "waiting", (t("PDF 带有自动运行的脚本（/OpenAction），第 1 页打开即执行", "The PDF carries a script that runs when page 1 opens (/OpenAction)"), t("附有 1 个可执行文件：update.exe", "One embedded program: update.exe")), t("请申请人重新打印后扫描，或另存为 PDF/A 再送。", "Have it printed and scanned, or saved as PDF/A, and sent again."), 2_400_118, "application/pdf", digest("q1"), STATION, ago(minutes=29), Link("11 月 24 日下午 · 许可申请", BATCH), act="handle"),
        intake.QuarantineRow("q2", "kaihu-20261124-0005.tif", "handled", (t("第 4 页读不出：图像数据在 61,204 字节处中断", "Page 4 cannot be read: the image data breaks off at byte 61,204"),), t("请重新扫描这份业务单。", "Scan this slip again."), 64_000, "image/tiff", digest("q2"), STATION, ago(minutes=27), handled=handled, act="reopen"),
    )  # fmt: skip
    acts = (lists.BulkAction("handle", N_("Seen to …")), lists.BulkAction("reopen", N_("Back on the list …")))
    plan = lists.PlanView(
        N_("Close batches"), N_("Batches"), "/batches", "/batches/act", "close", N_("Close them"),
        N_("A closed batch cannot be opened again. What was received stays as it is."),
        (lists.PlanGroup(N_("will be closed, balanced"), 10, tuple(b.name for b in batches())), lists.PlanGroup(N_("will be closed, not balanced"), 2, ("11 月 23 日下午 · 个人开户", "11 月 22 日 · 投诉"))),
        (lists.PlanGroup(N_("it is closed already"), 3, ("11 月 21 日 · 汇款",)),), (("whole_list", "1"),),
    )  # fmt: skip
    options = tuple(Option(code, t(zh, en)) for code, zh, en in (("scanned_again", "已重新扫描送交", "Scanned and sent again"), ("other", "其他", "Something else")))  # fmt: skip
    asking = lists.PlanView(
        N_("Take refused items off the list of what waits"), N_("Quarantine"), "/quarantine", "/quarantine/act", "handle", N_("Take them off the list"),
        N_("This can be undone. The items stay in the list of what was seen to, and in the ledger."),
        (lists.PlanGroup(N_("will be taken off the list of what waits"), 6, ("许可证申请-材料.pdf",)),), (), (("picked", "q1"),),
        (lists.ActField("handling", N_("What was done"), options), lists.ActField("note", N_("Note"), hint=N_("Needed for “something else”. It stays on this list and does not go into the ledger."), is_optional=True)),
        Form({"handling": "other"}, (FieldError("note", t("请写明如何处理", "say what was done")),)),
    )  # fmt: skip
    outcome = lists.OutcomeView(
        N_("Items taken off the list"), "quarantine", N_("Quarantine"), "/quarantine", 5,
        (lists.PlanGroup(N_("somebody has seen to it already"), 1, ("kaihu-20261124-0005.tif",)),),
        Action(N_("Undo"), "/quarantine/act", "post", fields=(("act", "reopen"), ("picked", "q1"))),
    )  # fmt: skip
    types = t("TIFF、JPEG、PNG、JPEG 2000、PDF", "TIFF, JPEG, PNG, JPEG 2000, PDF")
    return [
        Sample("intake", "/intake", "intake.html", "intake", sending.IntakeView(CLASSES, UNITS, types, 8 << 30, recent=batches()[:2])),
        Sample("intake-sent", "/intake?sent", "intake.html", "intake", sending.IntakeView(CLASSES, UNITS, types, 8 << 30, sent=(sending.SentFile("好.tif", "accepted", Link("", RECORD)), sending.SentFile("坏.pdf", "refused", None, ((t("带有脚本", "carries a script"), t("请打印后扫描", "print it and scan it")),)))), status=422),
        Sample("intake-stopped", "/intake?stopped", "intake.html", "intake", sending.IntakeView(CLASSES, UNITS, types, 8 << 30, stopped_because=(N_("A version under a COMPLIANCE lock cannot be deleted."),))),
        Sample("batches", "/batches", "batches.html", "batches", intake.BatchListView(frame("batches", N_("Batches"), paging, acts=(lists.BulkAction("close", N_("Close the batches")),), views=VIEWS), intake.BatchFilter(), choices, batches(), (Action(N_("Send scans"), "/intake", tone="primary", icon="intake"),))),
        Sample("batches-view", "/batches?state=open", "batches.html", "batches", intake.BatchListView(frame("batches", N_("Batches"), Paging(10_000, 4, "/batches", "/batches?before=b1", "/batches?after=b4", count_is_exact=False), hidden=(("state", "open"),), is_narrowed=True, is_expired=True, views=VIEWS[1:]), intake.BatchFilter(state="open"), choices, batches())),
        Sample("batches-plan", "/batches/plan", "plan.html", "batches", plan),
        Sample("quarantine-plan", "/quarantine/plan", "plan.html", "quarantine", asking, status=422),
        Sample("quarantine-outcome", "/quarantine/act", "outcome.html", "quarantine", outcome),
        Sample("batch", BATCH, "batch.html", "batches", batch),
        Sample("quarantine", "/quarantine", "quarantine.html", "quarantine", intake.QuarantineListView(frame("quarantine", N_("Quarantine"), Paging(6, 2, None, None, "/quarantine?after=q2"), acts=acts), intake.QuarantineFilter(), choices, quarantine, 6)),
    ]  # fmt: skip


ROWS = (
    (NUMBER, "KH20261124000137", "个人银行结算账户开户申请书", "赵丽颖", "营业部", "人民币银行结算账户资料", 2, "filed"),
    ("J042-YW·2026-D30-YYB-2210", "HK20261124002210", "境外汇款申请书", "滨海远洋贸易有限公司", "营业部", "会计凭证", 3, "filed"),
    ("J042-YW·2026-D10-SPK-0881", "XK20261124000881", "食品经营许可证申请书", "老街口面馆", "行政审批科", "无明确规定的业务单", 6, "received"),
    ("J042-YW·2026-D05-TSZ-0042", "TS20261124000042", "消费者投诉登记表", "欧阳明月", "投诉受理中心", "无明确规定的业务单", 1, "received"),
    ("J042-YW·2026-D10-YYB-0138", "KH20261124000138", "个人银行结算账户开户申请书", "买买提·吐尔逊", "营业部", "人民币银行结算账户资料", 2, "filed"),
    ("J042-YW·2026-D10-YYB-0139", "", "账户信息变更申请书", "陈大文", "营业部", "人民币银行结算账户资料", None, "received"),
)  # fmt: skip


def record(t: Texts, *, unmasked: bool = False) -> views.RecordView:
    lock_until = datetime(2031, 11, 24, 16, 0, tzinfo=UTC)
    reasons = (
        views.Reason("CN-BANK-ACCOUNT", t("自账户撤销之日起至少保管 10 年", "at least 10 years after the account is closed"), "人民币银行结算账户管理办法 第六十一条", is_winner=True, is_verified=True, steps=(t("“账户撤销”：2026-11-24", "“account closed”: 2026-11-24"),)),
        views.Reason("DEFAULT-5Y", t("无明确规定的业务单至少保管 5 年", "at least 5 years where no rule is clear"), t("本单位办法 C6.1", "the organisation's own measures, C6.1"), is_winner=False, is_verified=False),
    )  # fmt: skip
    stores = ("worm:///var/lib/slipvault/store", "s3+https://obs.binhai.gov.cn/slips")
    keeping = views.Keeping(
        received_date=date(2026, 11, 24),
        summary=t("保管期限何时届满尚不能确定，因此不得销毁。", "Nobody can say yet when its period ends."),
        lock_note=t("收到后先短期锁定。", "Locked for a short time when it came in."),
        trigger=t("账户撤销", "the account is closed"),
        trigger_state="open",
        retain_until=None,
        locks=tuple(views.StoreLock(store, "governance", lock_until) for store in stores),
        reasons=reasons,
    )
    personal = (
        views.PersonalField("id_number", "1101**********2316", "110105198403212316" if unmasked else None, ("1101**********2311",)),
        views.PersonalField("card_number", "6222 **** **** 0912", "6222021001116240912" if unmasked else None),
        views.PersonalField("phone", "139****6208", "13901236208" if unmasked else None),
    )  # fmt: skip
    objects = (
        views.StoredObjects("original", 1, ("image/tiff",), 118_231, stores[0], "governance", lock_until, digest("c1"), is_held=True),
        views.StoredObjects("access_copy", 1, ("application/pdf",), 96_400, stores[0], "governance", lock_until, digest("c2")),
        views.StoredObjects("page", 4, ("image/jpeg",), 143_000, stores[0], "governance", lock_until),
    )  # fmt: skip
    pages = tuple(
        views.PageImage(n, f"{RECORD}/pages/{n}.jpg", f"{RECORD}/thumbs/{n}.jpg", 1240, 1754) for n in range(1, 5)
    )
    story = (
        entry("catalogue:pages:view", 0.1, LI, t("第 1 页", "page 1"), None),
        entry("catalogue:field:unmask", 4, LI, t("身份证号 · 核对身份", "id number · to compare"), 48210),
        TimelineEntry(ago(minutes=9), "catalogue:pages:view", WANG, None, count=7, first_at=ago(hours=2)),
        entry("catalogue:renditions:add", 30, SYSTEM, index=48181),
        entry("catalogue:record:register", 31, STATION, index=48180),
    )
    checks = tuple(views.CheckRow(code, True, n, code == "ledger") for code, n in (("bytes", 12), ("locks", 12), ("rows", 27), ("ledger", 3)))  # fmt: skip
    verify = Action(N_("Verify now"), RECORD + "/verify", "post", icon="check")
    return views.RecordView(
        id="01935c1e", href=RECORD, archival_number=NUMBER, title="个人银行结算账户开户申请书", state="filed",
        described=(
            views.Described(N_("Title"), "个人银行结算账户开户申请书", "whole"),
            views.Described(N_("Customer"), "赵丽颖", "strong", ("赵丽影", "赵立影")),
            views.Described(N_("Business type"), "个人开户"),
            views.Described(N_("Business number"), "KH20261124000137", "archnum"),
            views.Described(N_("Date of the business"), "2026-11-24", "day"),
            views.Described(N_("Handler"), "周敏"),
            views.Described(t("币种", "Currency"), "CNY"),
        ),
        place=((N_("Fonds"), "J042 滨海市政务服务中心"), (N_("Category"), "YW"), (N_("Year"), "2026"), (N_("Item number"), "137")),
        received_at=ago(minutes=31), page_count=4,
        related=((N_("Retention class"), Link("人民币银行结算账户资料", "/records?class_code=x"), "CN-BANK-ACCOUNT"), (N_("Sent by"), None, STATION.name)),
        keeping=keeping, strip=views.PageStrip("ready", pages, 1, RECORD + "?page="),
        verification=views.Verification("clean", ago(minutes=12), LI, checks, action=verify),
        personal=personal, objects=objects,
        corrections=(views.CorrectionRow(ago(minutes=20), LI, t("与原件不符", "not as on the slip"), (views.CorrectedValue(N_("Customer"), "赵丽影", "赵丽颖"), views.CorrectedValue(N_("Handler"), None, "周敏"))),),
        timeline=story, same_business=(Link("J042-YW·2026-D30-YYB-2210", RECORD),),
        actions=(Action(N_("Verify now"), RECORD + "/verify", "post", "primary", icon="check"), Action(N_("Fetch the original"), RECORD + "/original", icon="download")),
        holds=(views.HeldUnder("M-2026-0003/2", "/holds/1", ago(minutes=9), None), views.HeldUnder("M-2026-0002/1", None, ago(minutes=9), NOW)),
        describe_href=RECORD + "/describe", unmask_href=RECORD + "/unmask", previous_href=RECORD, next_href=RECORD, ledger_href="/ledger?subject=01935c1e",
    )  # fmt: skip


def record_described(t: Texts) -> views.RecordView:
    """The form in which the description is corrected, after a conflict."""
    form = Form(
        {"title": "开户申请书", "customer_name": "赵丽颖", "occurred_date": "2026-11-24", "reason": ""},
        (FieldError("reason", t("请写明理由。", "A reason is needed.")),),
    )
    describe = views.DescribeForm(
        href=RECORD + "/describe",
        form=form,
        revision=3,
        fields=(("title", N_("Title"), "text"), ("customer_name", N_("Customer"), "text"), ("occurred_date", N_("Date of the business"), "date")),
        attributes=((t("币种", "Currency"), "CNY"), ("", "")),
        personal=(("id_number", "1101**********2316"), ("phone", "")),
        now=(views.CorrectedValue(N_("Customer"), None, "赵立颖"),),
    )  # fmt: skip
    return replace(record(t), describe=describe, describe_href=None, actions=())


def record_wrong(t: Texts) -> views.RecordView:
    """A record in which a verification found something."""
    found = (
        Finding(
            t("对象的字节与存入时不同。", "The bytes of this object are not those that were stored."), "original/0"
        ),
    )
    checks = (views.CheckRow("bytes", False, 12), views.CheckRow("locks", True, 12))
    return replace(
        record(t),
        strip=views.PageStrip("failed"),
        verification=views.Verification("findings", ago(minutes=3), LI, checks, found),
        same_business=(),
    )  # fmt: skip


def record_bare(t: Texts) -> views.RecordView:
    """A record just received, seen by somebody with few rights."""
    keeping = views.Keeping(
        received_date=date(2026, 11, 24),
        summary=t("保管期限至 2031-11-24，在此之前不得销毁。", "Its period runs until 2031-11-24."),
        lock_note="",
        trigger=t("业务办结", "the matter is settled"),
        trigger_state="set",
        retain_until=date(2031, 11, 24),
        locks=(views.StoreLock("worm:///store", "governance", datetime(2026, 12, 1, 7, 0, tzinfo=UTC)),),
    )
    return views.RecordView(
        id="x", href=RECORD, archival_number="J042-YW·2026-D05-TSZ-0042", title="投诉 2026-11-24", state="received",
        described=(views.Described(N_("Customer"), ""),), place=(), received_at=ago(seconds=20), page_count=None, related=(),
        keeping=keeping, strip=views.PageStrip("making", progress_href=RECORD + "/progress"), verification=views.Verification("new"),
    )  # fmt: skip


def _records(t: Texts) -> list[Sample]:
    rows = tuple(
        records.RecordRow(str(n), RECORD, number, business, title, customer, unit, kind, date(2026, 11, 24) if n != 5 else None, count, state, datetime(2031, 11, 24, 16, 0, tzinfo=UTC))
        for n, (number, business, title, customer, unit, kind, count, state) in enumerate(ROWS)
    )  # fmt: skip
    choices = Choices({
        "business_type": (Option("kh", "个人开户"), Option("hk", "境外汇款"), Option("xk", "许可申请"), Option("ts", "投诉")),
        "unit": UNITS, "class_code": tuple(Option(k.code, k.name) for k in CLASSES),
        "state": (Option("received", t("已接收，未归档", "Received")), Option("filed", t("已归档", "Filed"))),
        "sort": (Option("newest", t("最近接收在前", "newest first")), Option("number", t("按档号", "by archival number"))),
        "personal_kind": (Option("id_number", t("身份证号", "Citizen id number")), Option("phone", t("电话", "Telephone"))),
    })  # fmt: skip
    paging = Paging(10_000, 6, None, "/records?before=1", "/records?after=6", count_is_exact=False)
    listing = records.RecordListView(
        frame("records", N_("Records"), paging, hidden=(("s", "sealed"),), is_narrowed=True),
        records.RecordFilter(q="开户"),
        choices,
        rows,
        may_search_personal=True,
    )
    unmasked = (
        Notice(
            t(
                "完整号码只显示这一次，已记入存证日志。",
                "The whole numbers are shown this once; the ledger has recorded it.",
            ),
            "warn",
        ),
    )
    return [
        Sample("records", "/records?q=开户", "records.html", "records", listing),
        Sample("record", RECORD, "record.html", "records", record(t)),
        Sample(
            "record-unmasked",
            RECORD + "/unmask",
            "record.html",
            "records",
            record(t, unmasked=True),
            notices=unmasked,
        ),
        Sample("record-new", "/records/new", "record.html", "records", record_bare(t)),
        Sample("record-describe", RECORD + "/describe", "record.html", "records", record_described(t), status=409),
        Sample("record-wrong", "/records/wrong", "record.html", "records", record_wrong(t)),
    ]


def _ledger(t: Texts) -> list[Sample]:
    rows = tuple(
        ledger.EntryRow(str(n), "/ledger/entries/0193", ago(minutes=n * 3), event, actor, "record", Link(NUMBER, RECORD) if n % 3 else None, 48213 - n if n else None)
        for n, (event, actor) in enumerate((("catalogue:pages:view", LI), ("catalogue:field:unmask", LI), ("catalogue:record:register", STATION), ("catalogue:renditions:add", SYSTEM), ("access:session:start", WANG), ("catalogue:original:fetch", WANG)))
    )  # fmt: skip
    checkpoint = ledger.CheckpointView(
        48_213, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", ago(seconds=1), "slipvault/binhai-a1b2",
        (ledger.Publication("worm:///var/lib/slipvault/store", ago(seconds=1)), ledger.Publication("s3+https://obs.binhai.gov.cn/ledger", ago(seconds=1))),
        ledger.TimeStamp("国家授时中心可信时间戳", ago(minutes=18)),
    )  # fmt: skip
    choices = Choices({"event": (Option("catalogue:record:register", t("登记档案", "Record registered")),)})
    findings = (
        Finding(t("第 31,907 条的内容与其哈希不符", "Entry 31,907 does not match its hash"), "catalogue:record:register · 2026-11-20 10:22", "/ledger/entries/0193"),
        Finding(t("第 31,908 条缺失", "Entry 31,908 is missing"), t("检查点 40,000 含有它", "checkpoint 40,000 includes it")),
    )  # fmt: skip

    def view(verification: ledger.LedgerVerification) -> ledger.LedgerView:
        around = frame("ledger", N_("Ledger"), Paging(10_000, 6, None, None, "/ledger?after=5", count_is_exact=False))
        return ledger.LedgerView(
            around, ledger.EntryFilter(), choices, rows, checkpoint, 1, verification, may_verify=True
        )

    running = ledger.LedgerVerification(
        "running", progress=Progress(31_000, 48_213, 214_000.0, 0.1), progress_href="/ledger/progress"
    )
    proof = entry_views.EntryView(
        "01935c1e-8f2a-7cc1-b4aa-3f9d2e61a0c7", ago(minutes=4), "catalogue:field:unmask", LI,
        entry_views.Subject(N_("Record"), NUMBER, RECORD), entry_views.Subject(N_("Batch"), "11 月 24 日上午", BATCH), t("身份证号", "Citizen id number"),
        (entry_views.Detail(N_("Revision"), "3"), entry_views.Detail(N_("Salted digests of the catalogue rows"), parts=(entry_views.Detail(N_("Records"), digest("reason"), is_digest=True),))), '{"actor":{"id":"0193a2","kind":"person"},"at":"2026-11-24T07:38:31.120Z","details":{"field":"id_number"},"event":"catalogue:field:unmask"}',
        entry_views.Proof(is_proven=True, leaf_index=48_210, leaf_hash_hex=digest("leaf"), tree_size=48_213, root_hex=digest("root"), path_hex=tuple(digest(str(n)) for n in range(6))),
        story_href="/ledger?subject=1",
    )  # fmt: skip
    return [
        Sample("ledger", "/ledger", "ledger.html", "ledger", view(ledger.LedgerVerification("clean", ago(hours=2), 48_102, 0.31))),
        Sample("ledger-findings", "/ledger?found", "ledger.html", "ledger", view(ledger.LedgerVerification("findings", ago(minutes=1), 48_213, 0.31, findings))),
        Sample("ledger-running", "/ledger?running", "ledger.html", "ledger", view(running)),
        Sample("ledger-entry", "/ledger/entries/0193", "ledger_entry.html", "ledger", proof),
    ]  # fmt: skip


def _health(t: Texts) -> list[Sample]:
    checks = (
        health.CheckRow("compliance-delete", True, N_("A version under a COMPLIANCE lock cannot be deleted.")),
        health.CheckRow("compliance-shorten", True, N_("A COMPLIANCE lock cannot be shortened.")),
        health.CheckRow("hold-delete", True, N_("A legal hold refuses deletion, also with bypass.")),
    )
    lying = (health.CheckRow("compliance-delete", False, checks[0].message), *checks[1:])
    stores = (
        health.StoreRow("worm:///var/lib/slipvault/store", "honest", ago(minutes=12), checks, 4_108_233, 812_400_000_000),
        health.StoreRow("s3+https://obs.binhai.gov.cn/slips", "lies", ago(minutes=3), lying, 0, 0),
    )  # fmt: skip
    epochs = (
        health.EpochRow(2, "active", ago(days=40), None, 38),
        health.EpochRow(1, "destroyed", ago(days=400), ago(days=40), 0),
    )
    groups = (
        health.GroupRow("CN-BANK-ACCOUNT", "人民币银行结算账户资料", "2026", 1, "active", 2, 38_211),
        health.GroupRow("CN-ACC-VOUCHER", "会计凭证", "2026", 1, "active", 2, 120_442),
        health.GroupRow("DEFAULT-5Y", "其他业务单", "2026", 2, "active", 2, 7_013),
    )
    services = (
        health.ServiceRow(t("数据库", "Database"), "up", t("答复 0.4 毫秒", "answers in 0.4 ms")),
        health.ServiceRow(
            t("后台作业", "Jobs"), "slow", t("212 个等待，最久 3 分钟", "212 waiting, the oldest for 3 minutes")
        ),
        health.ServiceRow(t("存证日志排序", "Ledger sequencer"), "up", t("落后 0.3 秒", "0.3 s behind")),
        health.ServiceRow(
            t("时间戳", "Time stamps"), "down", t("授时中心无答复，已 18 分钟", "no answer for 18 minutes")
        ),
    )
    view = health.HealthView(
        stores,
        "file:///etc/slipvault/custodian",
        epochs,
        groups,
        services,
        (Action(N_("Try the stores now"), "/health/probe", "post", "primary"),),
        health.LeftoverSection(
            2,
            1_204_000,
            1,
            (
                health.LeftoverRow(
                    "records/0192a1b2-0000-7000-8000-000000000001/0192a1b2-0000-7000-8000-000000000002/9f",
                    N_("Left by an upload that was never finished."),
                    1_203_000,
                    ago(days=40),
                    ago(days=-1800),
                ),
                health.LeftoverRow(
                    "records/readme.txt", N_("Not put there by this archive."), 1_000, ago(days=3), None
                ),
            ),
            ago(hours=5),
            "/jobs/j4",
        ),
    )
    cancel = (Action(N_("Cancel"), "/jobs/j1/cancel", "post"),)
    jobs = (
        health.JobRow("j1", "/jobs/j1", t("全库核对", "Verify everything"), "running", Progress(412_000, 1_004_217, 3412.0, 173.0), ago(minutes=2), None, 1, actions=cancel),
        health.JobRow("j2", "/jobs/j2", t("制作利用副本 · J042-YW·2026-D10-YYB-0138", "Access copy · J042-YW·2026-D10-YYB-0138"), "running", Progress(0, None), ago(seconds=1), None, 1),
        health.JobRow("j3", "/jobs/j3", t("时间戳", "Time stamp"), "failed", None, ago(minutes=18), ago(minutes=17), 5, t("授时中心无答复（5 次）；10 分钟后再试", "The authority did not answer (5 times); tried again in 10 minutes"), (Action(N_("Try again"), "/jobs/j3/retry", "post"),)),
        health.JobRow("j4", "/jobs/j4", t("存储探测", "Store probe"), "done", None, ago(minutes=12), ago(minutes=12), 1),
    )  # fmt: skip
    listing = health.JobListView(
        frame("jobs", N_("Jobs"), Paging(10_000, 4, None, None, "/jobs?after=j4", count_is_exact=False)),
        health.JobFilter(),
        Choices({"task": (Option("verify", t("全库核对", "Verify everything")),)}),
        (("waiting", 212), ("running", 2), ("failed", 1), ("done", 18_233)),
        jobs,
        "/jobs/progress",
    )
    job = health.JobView(
        "j1",
        t("全库核对", "Verify everything"),
        "running",
        Progress(412_000, 1_004_217, 3412.0, 173.0),
        ago(minutes=2),
        None,
        1,
        result=((t("不符", "Findings"), "0"),),
        actions=cancel,
        progress_href="/jobs/j1/progress",
    )
    return [
        Sample("health", "/health", "health.html", "health", view),
        Sample("jobs", "/jobs", "jobs.html", "jobs", listing),
        Sample("job", "/jobs/j1", "job.html", "jobs", job),
        Sample(
            "reconciliation",
            "/reconciliation",
            "reconciliation.html",
            "health",
            reconciliation_samples.full(Paging(5, 5, None, None)),
        ),
    ]


def _people(t: Texts) -> list[Sample]:
    archivist, system = t("档案管理员", "Archive administrator"), t("系统管理员", "System officer")
    security, auditor, clerk = (
        t("安全保密管理员", "Security officer"),
        t("安全审计员", "Audit officer"),
        t("窗口人员", "Window clerk"),
    )
    rows = (
        people.PersonRow("1", "/people/1", "李秀兰", "lixiulan", "档案室", (archivist,), "active", ago(seconds=12)),
        people.PersonRow("2", "/people/2", "王建国", "wangjianguo", "营业部", (clerk,), "active", ago(hours=1)),
        people.PersonRow("3", "/people/3", "古丽娜尔·艾山", "gulinar", "行政审批科", (clerk,), "invited", None),
        people.PersonRow("4", "/people/4", "周敏", "zhoumin", "信息科", (system,), "locked", ago(days=2)),
    )
    roles = (
        people.RoleRow("archivist", archivist, t("管理保管期限、归档与利用。", "Keeps classes, filing and access."), ("catalogue:record:read", "catalogue:field:unmask", "intake:item:send"), 3),
        people.RoleRow("system", system, t("维护系统、存储与扫描站。", "Runs the system, its stores and stations."), ("access:token:issue", "oversight:health:read"), 2, (security, auditor)),
        people.RoleRow("auditor", auditor, t("只读存证日志与核对结果。", "Reads the ledger and its verification."), ("ledger:entry:read",), 1, (system, security)),
    )  # fmt: skip
    options = tuple(
        Option(code, name) for code, name in (("archivist", archivist), ("clerk", clerk), ("system", system))
    )
    choices = Choices({
        "unit": UNITS, "role": options, "state": (Option("active", t("在用", "Active")),),
        "class_code": tuple(Option(k.code, k.name, k.period) for k in CLASSES),
    })  # fmt: skip
    story = (
        entry("access:person:add", 60 * 24 * 300, WANG, index=12),
        entry("access:role:give", 60 * 24 * 299, WANG, archivist, 14),
        entry("access:session:start", 360, LI, index=48001),
    )
    person = people.PersonView(
        "1", "/people/1", "李秀兰", "lixiulan", "档案室", "active", ago(days=300), ago(seconds=12), (archivist,),
        ((t("查找档案", "Find records"), "records:record:read"), (t("上传扫描件", "Send scans in"), "intake:item:send")), story,
        (Action(N_("New one-time password"), "/people/1/password", "post"), Action(N_("Disable"), "/people/1/disable", "post", "danger")),
        options, ("archivist",), may_change_roles=True, one_time_password="江-晨-桥-4182-Kx7p",
    )  # fmt: skip
    tokens = (
        people.TokenRow("t1", "一楼大厅 3 号扫描站", "/stations/1", "营业部", ("人民币银行结算账户资料", "会计凭证"), "svt_7Kd…", "active", ago(days=80), date(2027, 9, 5), ago(minutes=1), 412, (Action(N_("Revoke"), "/stations/t1/revoke", "post", "danger"),)),
        people.TokenRow("t2", "二楼 1 号扫描站", "/stations/2", "行政审批科", ("无明确规定的业务单",), "svt_m2Q…", "expiring", ago(days=356), date(2026, 12, 3), ago(hours=2), 0, (Action(N_("Revoke"), "/stations/t2/revoke", "post", "danger"),)),
        people.TokenRow("t3", "旧扫描站", "/stations/3", "营业部", ("会计凭证",), "svt_1aB…", "revoked", ago(days=700), date(2025, 12, 3), None, 0),
    )  # fmt: skip
    bad = Form({"name": "张伟", "sign_in_name": "zhangwei"}, (FieldError("sign_in_name", t("已有人使用登录名 zhangwei。", "Somebody already has the sign-in name zhangwei.")), FieldError("role", t("系统管理员与安全审计员不得由一人兼任。", "Nobody may be system officer and audit officer at once."))))  # fmt: skip
    new = people.NewToken("一楼大厅 4 号扫描站", "svt_5rX0pQm1Zt8vLw3nYb7cKd2fGh4jSa6e9uRiTo", date(2027, 11, 24))
    return [
        Sample("people", "/people", "people.html", "people", people.PeopleView(frame("people", N_("People"), Paging(4, 4)), people.PersonFilter(), choices, rows, roles, may_add=True, form=bad)),
        Sample("person", "/people/1", "person.html", "people", person),
        Sample("station", "/stations/1", "station.html", "stations", station.StationView("一楼大厅 3 号扫描站", "营业部", "active", ago(days=80), ago(minutes=1), 412, 3, 2210, 9, (station.HeldToken("svt_7Kd…", "active", True, (N_("Send scans in"),), ago(days=80), NOW + timedelta(days=200), None, (Action(N_("Revoke"), "/stations/t1/revoke", "post", "danger"),)), station.HeldToken("svt_1aB…", "revoked", False, (), ago(days=400), ago(days=90), ago(days=85))), story, "/batches?sender=1")),
        Sample("holidays", "/holidays", "holidays.html", "holidays", holidays.HolidaysView((holidays.YearRow(2027, (date(2027, 1, 1), date(2027, 2, 6)), (), "国办发明电〔2026〕9号", LI, ago(days=3)), holidays.YearRow(2027, (date(2027, 1, 2),), (date(2027, 2, 14),), "国办发明电", LI, ago(days=9), is_counting=False)), True, Form({"year": "明年"}, (FieldError("year", t("每一天都须在该年", "every day must be of the year")),)))),
        Sample("units", "/units", "units.html", "units", people.UnitsView((people.UnitRow("GT01", "营业部", "Hall"), people.UnitRow("XZ02", "行政审批科", "行政审批科")))),
        Sample("stations", "/stations", "stations.html", "stations", people.StationsView(frame("stations", N_("Stations"), Paging(3, 3)), people.TokenFilter(), tokens, choices, new, may_add=True)),
    ]  # fmt: skip


def empty(language: Language) -> list[Sample]:
    """Every list and object with nothing on it."""
    t = Texts(language)
    none, nothing = Paging(0, 0), Choices()

    def bare(name: str, **more: object) -> lists.ListFrame:
        return frame(name, N_("Records"), none, may_export=False, may_save=False, newest="", **more)

    checkpointless = ledger.LedgerView(
        bare("ledger"), ledger.EntryFilter(), nothing, (), None, 0, ledger.LedgerVerification("never")
    )
    batch = batch_views.BatchView(
        "b", "空批次", "open", (), "营业部", LI, NOW, None, intake.Balance(None, 0, 0, 0), (), (), none, ()
    )
    waiting = entry_views.EntryView(
        "e",
        NOW,
        "access:session:start",
        LI,
        entry_views.Subject(N_("Person"), "李秀兰"),
        None,
        "",
        (),
        "{}",
        entry_views.Proof(),
        story_href="/ledger?subject=2",
    )
    person = people.PersonView("p", "/people/p", "新人", "xinren", "档案室", "invited", NOW, None, (), (), ())
    return [
        *(Sample(*told) for told in law_samples.empty(t)),
        *(Sample(*told) for told in hold_samples.empty(t)),
        *(Sample(*told) for told in simulation_samples.empty(t)),
        Sample("desk-officer", "/?officer", "desk.html", "desk", desk.DeskView((), None, None, (), None)),
        Sample("desk-empty", "/?empty", "desk.html", "desk", desk.DeskView((), (), (), (), tuple(HourCount(h, 0) for h in range(24)))),
        Sample("intake-empty", "/intake?empty", "intake.html", "intake", sending.IntakeView((), (), "PDF", 1_000_000)),
        Sample("batches-empty", "/batches?empty", "batches.html", "batches", intake.BatchListView(bare("batches"), intake.BatchFilter(), nothing, ())),
        Sample("batch-empty", "/batches/empty", "batch.html", "batches", batch),
        Sample("quarantine-empty", "/quarantine?empty", "quarantine.html", "quarantine", intake.QuarantineListView(bare("quarantine"), intake.QuarantineFilter(), nothing, ())),
        Sample("records-empty", "/records?empty", "records.html", "records", records.RecordListView(bare("records", empty=lists.Empty(N_("There are no records yet."), N_("Send the first scans on the intake page, or set up a scanning station."), (Action(N_("Send scans"), "/intake", tone="primary"),))), records.RecordFilter(), nothing, ())),
        Sample("records-none-fit", "/records?q=x", "records.html", "records", records.RecordListView(bare("records", is_narrowed=True), records.RecordFilter(q="x"), nothing, ())),
        Sample("record-bare", "/records/bare", "record.html", "records", record_bare(t)),
        Sample("ledger-empty", "/ledger?empty", "ledger.html", "ledger", checkpointless),
        Sample("ledger-entry-new", "/ledger/entries/new", "ledger_entry.html", "ledger", waiting),
        Sample("health-empty", "/health?empty", "health.html", "health", health.HealthView((), "file:///custodian", (), (), ())),
        Sample("reconciliation-empty", "/reconciliation?empty", "reconciliation.html", "health", reconciliation_samples.empty(none)),
        Sample("jobs-empty", "/jobs?empty", "jobs.html", "jobs", health.JobListView(bare("jobs", is_narrowed=True), health.JobFilter(state="failed"), nothing, (), ())),
        Sample("job-new", "/jobs/new", "job.html", "jobs", health.JobView("j", "x", "waiting", None, None, None, 0)),
        Sample("people-empty", "/people?empty", "people.html", "people", people.PeopleView(bare("people"), people.PersonFilter(), nothing, (), ())),
        Sample("person-new", "/people/p", "person.html", "people", person),
        Sample("station-new", "/stations/new", "station.html", "stations", station.StationView("新站", "营业部", "none", NOW, None, 0, 0, 0, 0, (), ())),
        Sample("stations-empty", "/stations?empty", "stations.html", "stations", people.StationsView(bare("stations"), people.TokenFilter(), (), nothing)),
        Sample("search-nothing", "/search", "search.html", "", search.SearchView("王小二", tuple(place.item for place in PLACES[:3]))),
        Sample("settings-plain", "/settings?plain", "settings.html", "settings", entrance.SettingsView("x", "新人", (), ())),
        Sample("sign-in-first", "/sign-in?first", "sign_in.html", "", entrance.SignInView(), is_signed_in=False),
    ]  # fmt: skip
