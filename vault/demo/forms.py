"""What each form asks for: its title, rows of labels with how they are filled, and the class it belongs to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from vault.demo.people import Citizen

Fill = Callable[[Citizen, random.Random], str]


@dataclass(frozen=True)
class Form:
    """A printed form. Rows hold one or two labelled boxes; `body` is the large box at the end."""

    title: str
    class_code: str
    number_prefix: str
    organisation: str
    rows: tuple[tuple[tuple[str, Fill], ...], ...]
    body_label: str
    bodies: tuple[str, ...]
    pages: int = 1
    is_barred: bool = False  # its number is printed as bars (Code 128) instead of a QR code


def _amount(draw: random.Random) -> str:
    return f"¥ {draw.randrange(100, 200_000):,}.{draw.randrange(100):02d}"


_NAME: tuple[str, Fill] = ("客户姓名", lambda who, _: who.name)
_ID: tuple[str, Fill] = ("证件号码", lambda who, _: who.id_number)
_PHONE: tuple[str, Fill] = ("联系电话", lambda who, _: who.phone)
_CARD: tuple[str, Fill] = ("卡号／账号", lambda who, _: who.card_number)
_ADDRESS: tuple[str, Fill] = ("通讯地址", lambda who, _: who.address)

FORMS = (
    Form(
        "个人银行结算账户开户申请书", "ACCOUNT-OPENING", "KH", "滨江农村商业银行",
        (
            (_NAME, ("性别", lambda _, draw: draw.choice(("男", "女")))),
            (("证件类型", lambda *_: "居民身份证"), _PHONE),
            (_ID,),
            (_ADDRESS,),
            (("账户类别", lambda _, draw: draw.choice(("Ⅰ类户", "Ⅱ类户"))), ("币种", lambda *_: "人民币")),
            (_CARD,),
        ),
        "申请人声明", ("本人已阅读并同意账户管理协议，所填内容真实有效。", "申请开通网上银行与短信通知服务。"), pages=2,
    ),
    Form(
        "汇款凭证", "REMITTANCE", "HK", "滨江农村商业银行",
        (
            (("汇款人", lambda who, _: who.name), _PHONE),
            (_CARD,),
            (("收款人", lambda _, draw: draw.choice(("宏达建材有限公司", "赵国强", "第一中学", "顺通物流有限公司"))),),
            (("汇入行", lambda *_: "建设银行城东支行"), ("金额", lambda _, draw: _amount(draw))),
        ),
        "用途", ("货款", "学费", "往来款", "工程款尾款"), is_barred=True,
    ),
    Form(
        "行政许可申请表", "LICENCE", "XK", "滨湖区行政审批局",
        (
            (("申请人", lambda who, _: who.name), _PHONE),
            (_ID,),
            (("申请事项", lambda _, draw: draw.choice(("食品经营许可", "公共场所卫生许可", "户外广告设置"))),),
            (("经营地址", lambda who, _: who.address),),
        ),
        "申请理由", ("拟于本年内开业，场所与人员均已备齐，申请核发许可。", "原许可到期，申请延续。"), pages=3,
    ),
    Form(
        "投诉登记单", "COMPLAINT", "TS", "滨湖区政务服务中心",
        (
            (("投诉人", lambda who, _: who.name), _PHONE),
            (("被投诉窗口", lambda _, draw: f"{draw.randrange(1, 30)}号窗口"), ("方式", lambda *_: "现场")),
        ),
        "投诉内容", ("等候时间超过两小时，叫号顺序混乱，请予核查。", "材料一次未告知清楚，往返三次，请改进。"),
    ),
    Form(
        "住房公积金提取申请表", "HOUSING-FUND", "GJ", "市住房公积金管理中心",
        (
            (_NAME, _PHONE),
            (_ID,),
            (_CARD,),
            (("提取原因", lambda _, draw: draw.choice(("购买自住住房", "偿还贷款", "租房", "离退休"))),
             ("金额", lambda _, draw: _amount(draw))),
        ),
        "所附材料", ("购房合同、发票复印件各一份。", "借款合同与还款明细。"),
    ),
    Form(
        "挂失申请书", "LOSS-REPORT", "GS", "滨江农村商业银行",
        ((_NAME, _PHONE), (_ID,), (_CARD,), (("挂失类型", lambda *_: "凭证挂失"), ("手续费", lambda *_: "¥ 10.00"))),
        "挂失原因", ("外出时遗失银行卡，申请补办。", "存折被盗，已报警。"),
    ),
    Form(
        "业务咨询登记单", "GENERAL", "ZX", "滨湖区政务服务中心",
        ((_NAME, _PHONE), (("咨询事项", lambda _, draw: draw.choice(("社保转移", "居住证办理", "营业执照变更"))),)),
        "答复", ("已告知所需材料与办理时限。", "转相关窗口办理。"),
    ),
)  # fmt: skip
