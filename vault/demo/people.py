"""Fictitious people with numbers that pass their checks and belong to nobody."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from retention_rules.identifiers import citizen_id_check_digit, is_luhn

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
_GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华红建国志海春梅晓雪峰宇欣怡子涵梓轩浩然思远嘉诚雨萱博雅"
)
_DOUBLE = ("欧阳", "司马", "诸葛", "上官")
# Region codes that were never given out as counties keep the numbers fictitious (GB/T 2260 ends below 99).
_REGIONS = ("110199", "310199", "440399", "510199", "320599", "330199")


@dataclass(frozen=True)
class Citizen:
    """Somebody who never lived."""

    name: str
    id_number: str
    phone: str
    card_number: str
    address: str


def citizen(draw: random.Random) -> Citizen:
    """A person by the luck of `draw`."""
    surname = draw.choice(_DOUBLE) if draw.random() < 0.04 else draw.choice(_SURNAMES)
    name = surname + "".join(draw.choice(_GIVEN) for _ in range(draw.choice((1, 2, 2, 2))))
    born = date(1950, 1, 1) + timedelta(days=draw.randrange(20_000))
    first = f"{draw.choice(_REGIONS)}{born:%Y%m%d}{draw.randrange(1, 1000):03d}"
    street = draw.choice(("人民路", "中山路", "解放街", "建设大道", "滨江路", "文化巷"))
    return Citizen(
        name=name,
        id_number=first + citizen_id_check_digit(first),
        phone=f"1{draw.choice('3578')}{draw.randrange(9)}0000{draw.randrange(10_000):04d}",
        card_number=_card(draw),
        address=f"{draw.choice(('城东区', '城西区', '高新区', '滨湖区'))}{street}{draw.randrange(1, 300)}号",
    )


def _card(draw: random.Random) -> str:
    first = "621700" + "".join(str(draw.randrange(10)) for _ in range(12))
    return next(first + str(digit) for digit in range(10) if is_luhn(first + str(digit)))
