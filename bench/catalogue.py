"""Searching a large catalogue: our queries beside the bare SQL that a database expert would write for each.

The rows are made in PostgreSQL itself with names drawn from the common Chinese surnames and given-name
characters in a realistic skew, so that frequent and rare name parts both occur.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine, text

from bench.statistics import milliseconds, timed
from vault.catalogue.search import Filters, count, find
from vault.foundation.clock import SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.db.keyset import Span
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.db.migrate import upgrade

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华红建国志海春梅晓雪峰宇欣怡子涵梓轩浩然思远嘉诚雨萱博雅婷慧琳佳颖俊凯鹏飞龙凤鸣皓月星辰沐阳若曦诗涵"
TYPES = ("开户", "汇款", "行政许可", "投诉", "公积金提取", "挂失", "合同")

FILL_RECORDS = """
INSERT INTO records (id, fonds_code, category_code, year, class_code, unit_id, item_number, archival_number,
    business_number, business_type, title, handler, customer_name, occurred_date, received_at, page_count,
    attributes, content_sha256, salt)
SELECT id, '0001', 'YW', 2015 + n % 12, codes.names[1 + n % array_length(codes.names, 1)],
    units.ids[1 + n % array_length(units.ids, 1)], n,
    '0001-YW·' || 2015 + n % 12 || '-D10-U' || n % 20 || '-' || lpad(n::text, 7, '0'),
    'BN' || lpad(n::text, 9, '0'), types.names[1 + n % 7], '窗口业务单', '经办' || n % 500,
    substr(:surnames, 1 + floor(length(:surnames) * power(random(), 2))::int, 1)
      || substr(:given, 1 + floor(length(:given) * random())::int, 1)
      || CASE WHEN n % 4 = 0 THEN '' ELSE substr(:given, 1 + floor(length(:given) * random())::int, 1) END,
    date '2015-01-01' + n % 4300, now(), 1, '{}', sha256(n::text::bytea), substr(sha256(n::text::bytea), 1, 16)
FROM (SELECT n, (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id
      FROM generate_series(:first, :last) AS n) AS made,
     (SELECT array_agg(id ORDER BY code) AS ids FROM units) AS units,
     (SELECT CAST(:types AS text[]) AS names) AS types,
     (SELECT CAST(:codes AS text[]) AS names) AS codes
"""

_FILL_STATES = """
INSERT INTO record_states (record_id, revision, status, lock_until, what, retain_until, next_date, is_hard,
    schedule_number)
SELECT id, 1, CASE WHEN item_number % 10 = 0 THEN 'received' ELSE 'filed' END, now() + interval '30 days', 'keep',
    occurred_date + 3650, occurred_date + 3651, false, 1 FROM records WHERE item_number BETWEEN :first AND :last
"""


def run(quick: bool = False, rows: int = 1_000_000) -> dict[str, Any]:
    """Fills a fresh database with `rows` records and times each question, ours beside the bare SQL."""
    rows = 50_000 if quick else rows
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as directory:
        Path(directory).chmod(0o755)  # as root the server runs as another user and must pass through
        with EmbeddedPostgres(Path(directory) / "database") as server:
            upgrade(server.url)
            units = fill(server.url, rows)
            database = Database(server.url, SystemClock())
            try:
                return {"rows": rows, **_measure(database, units, rows, 10 if quick else 40)}
            finally:
                database.dispose()


def fill(url: str, rows: int) -> frozenset[UUID]:
    """Fills the catalogue as its owner, with triggers off: a bench's rows have no ledger. Returns the units."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO units (id, code, name_zh, name_en, created_at) SELECT gen_random_uuid(), 'U' || n,"
                " '窗口' || n, 'Window ' || n, now() FROM generate_series(0, 19) AS n"
            )
        )
        connection.execute(text("INSERT INTO fonds (code, name, created_at) VALUES ('0001', '全宗', now())"))
        connection.execute(
            text(
                "INSERT INTO retention_classes (code, created_at)"
                " SELECT 'C' || n, now() FROM generate_series(0, 6) AS n"
            )
        )
        codes = [f"C{number}" for number in range(7)]
        told = {"surnames": SURNAMES, "given": GIVEN, "types": list(TYPES), "codes": codes}
        for first in range(1, rows + 1, 100_000):
            span = {"first": first, "last": min(rows, first + 99_999)}
            connection.execute(text(FILL_RECORDS), {**span, **told})
            connection.execute(text(_FILL_STATES), span)
        units = frozenset(connection.execute(text("SELECT id FROM units")).scalars())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE records"))
        connection.execute(text("VACUUM ANALYZE record_states"))
    engine.dispose()
    return units


def _measure(database: Database, units: frozenset[UUID], rows: int, rounds: int) -> dict[str, Any]:
    draw = random.Random(20260101)
    page_1000 = _page_start(database, units, min(1000, rows // 50 - 2))
    questions: dict[str, tuple[Callable[[], Filters], str]] = {
        "by_number": (
            lambda: Filters(number=f"BN{draw.randrange(1, rows):09d}"),
            "business_number LIKE :number || '%' OR archival_number LIKE :number || '%'",
        ),
        "by_name_one_character": (
            lambda: Filters(name=draw.choice(SURNAMES)),
            "customer_name LIKE '%' || :name || '%'",
        ),
        "by_name_two_characters": (
            lambda: Filters(name=draw.choice(GIVEN) + draw.choice(GIVEN)),
            "slipvault_grams(customer_name) @> ARRAY[CAST(:name AS text)]",
        ),
        "by_name_three_characters": (
            lambda: Filters(name=draw.choice(SURNAMES) + draw.choice(GIVEN) + draw.choice(GIVEN)),
            "customer_name LIKE '%' || :name || '%'",
        ),
        "filtered_list": (
            lambda: Filters(
                business_type=draw.choice(TYPES),
                class_code=f"C{draw.randrange(7)}",
                status="filed",
                occurred_from=date(2018, 1, 1),
            ),
            "business_type = :business_type AND class_code = :class_code AND status = :status"
            " AND occurred_date >= :occurred_from",
        ),
        "page_1000_by_keyset": (Filters, "records.id < :after"),
    }
    figures: dict[str, Any] = {}
    for name, (make, bare_where) in questions.items():
        after = page_1000 if name.startswith("page") else None
        figures[name] = _compare(database, units, make, bare_where, after, rounds)
    figures["first_page_with_count"] = milliseconds(
        timed(lambda: _ask(database, units, Filters(business_type=draw.choice(TYPES)), None, counted=True), rounds)
    )
    return figures


def _compare(
    database: Database,
    units: frozenset[UUID],
    make: Callable[[], Filters],
    bare_where: str,
    after: UUID | None,
    rounds: int,
) -> dict[str, Any]:
    wanted = [make() for _ in range(rounds)]
    ours: list[float] = []
    bare: list[float] = []
    for filters in wanted:  # one after the other, so that a drift of the machine meets both
        ours += timed(lambda f=filters: _ask(database, units, f, after), 1)
        bare += timed(lambda f=filters: _ask_bare(database, units, f, bare_where, after), 1)
    ratio = sorted(a / b for a, b in zip(ours, bare, strict=True))[len(ours) // 2]
    return {"ours": milliseconds(ours), "bare_sql": milliseconds(bare), "ratio_median": round(ratio, 2)}


def _ask(
    database: Database, units: frozenset[UUID], filters: Filters, after: UUID | None, *, counted: bool = False
) -> None:
    with database.read() as connection:
        find(connection, filters, Span(after=after), units=units)
        if counted:
            count(connection, filters, units=units)


def _ask_bare(database: Database, units: frozenset[UUID], filters: Filters, where: str, after: UUID | None) -> None:
    values = {name: value for name, value in vars(filters).items() if f":{name}" in where}
    if after is not None:
        values["after"] = after
    with database.read() as connection:
        connection.execute(
            text(
                "SELECT records.*, record_states.* FROM records JOIN record_states ON record_id = id"
                f" WHERE unit_id = ANY(:units) AND ({where}) ORDER BY records.id DESC LIMIT 51"
            ),
            {**values, "units": sorted(units)},
        ).all()


def _page_start(database: Database, units: frozenset[UUID], pages: int) -> UUID:
    def last_of(connection: Connection) -> UUID:
        return connection.execute(
            text("SELECT id FROM records ORDER BY id DESC OFFSET :skip LIMIT 1"), {"skip": pages * 50}
        ).scalar_one()

    with database.read() as connection:
        return last_of(connection)
