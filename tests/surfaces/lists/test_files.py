"""Lists as files: for a spreadsheet, from one snapshot, names masked, a right of its own, noted with the count, in little memory."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access.rights import Right, Role
from vault.catalogue.search import Filters
from vault.foundation.db.keyset import EVERYTHING, Page, Span, walk
from vault.foundation.ids import new_id
from vault.foundation.ledger.queries import EntryFilters, find_entries, proven_entry
from vault.surfaces.i18n import Language
from vault.surfaces.lists import csv_file
from vault.surfaces.lists.csv_file import csv_chunks, export, harmless
from vault.surfaces.lists.listing import Listing, Speech
from vault.surfaces.lists.records import RECORDS
from vault.surfaces.problems import Busy
from vault.surfaces.web.lists import LISTS


def table(body: bytes) -> list[list[str]]:
    assert body.startswith(b"\xef\xbb\xbf"), "without it Excel takes Chinese for something else"
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+86 138", "'+86 138"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("＝cmd|' /C calc'!A0", "'＝cmd|' /C calc'!A0"),
        ("2026-11-24", "2026-11-24"),
        ("20261124000137", "20261124000137\t"),
        ("12345678901", "12345678901"),
        ("123e4567", "123e4567\t"),
        ("开户", "开户"),
        ("", ""),
    ],
)
def test_no_cell_is_taken_for_a_formula_or_rounded(told: str, written: str) -> None:
    assert harmless(told) == written


@pytest.mark.clause("C2.5")
def test_the_file_has_every_line_names_masked_and_the_ledger_knows_how_many(
    filled: Archive, visit: Callable[..., Visitor]
) -> None:
    archivist = visit("dingyi", Role.ARCHIVIST)
    filled.send(jpeg(20), business_number="=HYPERLINK(1)", business_type='a,"b" 二行', file_name="x.jpg")
    answer = archivist.post("/records/export", {"whole_list": "1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="records-20')
    assert answer.headers["cache-control"] == "no-store"
    head, *lines = table(answer.content)
    assert head[:5] == ["档号", "业务编号", "业务类型", "题名", "客户（脱敏）"]
    assert len(lines) == 4 == int(answer.headers["slipvault-count"])
    told = {line[1]: line for line in lines}
    assert told["'=HYPERLINK(1)"][2] == 'a,"b" 二行'
    assert told["KH-2026-000"][3:5] == ["欧**开户申请书", "欧**"]
    text = answer.content.decode()
    assert not [name for name in ("欧阳小明", "张小明", "张伟", "1380000000") if name in text]
    with filled.ctx.database.read() as connection:
        (entry,) = find_entries(connection, EntryFilters(event="access:list:export")).lines
        body = proven_entry(connection, entry.id, filled.ctx.custodian.public_key())
    assert entry.actor_id == archivist.person_id
    assert body is not None
    assert '"count":4' in body.body.decode()


def test_only_what_was_ticked_or_narrowed_to(filled: Archive, visit: Callable[..., Visitor]) -> None:
    archivist = visit("dinger", Role.ARCHIVIST)
    with filled.ctx.database.read() as connection:
        ids = [
            line.id
            for line in RECORDS.ask(filled.ctx, connection, filled.operator, Filters(), EVERYTHING).page(Span()).lines
        ]
    ticked = {"pick": [str(ids[0])], "picked": f"{ids[1]},nonsense,{new_id()}", "state": "filed"}
    assert len(table(archivist.post("/records/export", ticked).content)) == 3
    found = archivist.goes_to("/records/find", {"q": "小明"})
    assert (
        len(table(archivist.post("/records/export", {"whole_list": "1", "s": found.partition("s=")[2]}).content)) == 3
    )
    assert len(table(archivist.post("/records/export", {"whole_list": "1", "newest": str(ids[2])}).content)) == 2


@pytest.mark.clause("C4.4")
def test_every_list_can_be_taken_out_by_whoever_may_see_it_and_export_and_by_nobody_else(
    filled: Archive, visit: Callable[..., Visitor]
) -> None:
    administrator = visit("admin2", Role.ARCHIVE_ADMINISTRATOR, Role.SECURITY_OFFICER)
    for name, web_list in LISTS.items():
        answer = administrator.post(f"/{name}/export", {"whole_list": "1"})
        assert answer.status_code == 200, name
        assert table(answer.content)[0][-1] == "标识", name
        assert web_list.listing.headings, name
    auditor, clerk = visit("auditor", Role.AUDIT_OFFICER), visit("clerk", Role.CLERK)
    assert auditor.post("/ledger/export", {"whole_list": "1"}).status_code == 200
    assert auditor.post("/records/export", {"whole_list": "1"}).status_code == 403
    assert clerk.post("/records/export", {"whole_list": "1"}).status_code == 403
    assert "导出" not in clerk.get("/records").text
    with filled.ctx.database.read() as connection:
        exports = find_entries(connection, EntryFilters(event="access:list:export")).lines
    assert len(exports) == len(LISTS) + 1


@pytest.mark.clause("C4.4")
def test_other_units_lines_are_not_in_the_file(filled: Archive, visit: Callable[..., Visitor]) -> None:
    from vault.access import service

    other = service.create_unit(filled.ctx, filled.operator, "GT02", "二号窗口", "Window 2")
    inspector = visit("inspector", Role.INSPECTOR, unit_id=other)
    assert len(table(inspector.post("/records/export", {"whole_list": "1"}).content)) == 4
    viewer = filled.operator.__class__(new_id(), "person", "甲", frozenset(Right), other, frozenset({other}))
    answer = export(filled.ctx, viewer, RECORDS, Filters(), EVERYTHING, Language.EN)
    assert answer.headers["slipvault-count"] == "0"
    answer._held.close()


@pytest.mark.usefixtures("filled")
def test_the_api_takes_the_same_file(api: httpx.Client) -> None:
    for path, body, lines in (
        ("records/export", {"name": "小明"}, 2),
        ("batches/export", {"name": "二十"}, 1),
        ("quarantine/export", {"file_name": "坏"}, 1),
        ("ledger/entries/export", {"event": "intake:item:refuse"}, 1),
        ("jobs/export", {}, 0),
    ):
        answer = api.post(path, json=body)
        assert answer.status_code == 200, answer.text
        assert len(table(answer.content)) == lines + 1, path
    assert table(api.post("/quarantine/export", json={}).content)[1][2] == "Waits to be seen to"


def test_what_comes_in_while_the_file_is_read_is_not_in_it(filled: Archive) -> None:
    answer = export(filled.ctx, filled.operator, RECORDS, Filters(), EVERYTHING, Language.ZH)
    filled.send(jpeg(30), customer_name="后来者")
    body = b"".join(_chunks_of(answer))
    answer._held.close()
    assert len(table(body)) == 4 == int(answer.headers["slipvault-count"]) + 1


def test_exports_under_way_are_few_and_each_lets_go_however_it_ends(api: httpx.Client, filled: Archive) -> None:
    def begin():
        return export(filled.ctx, filled.operator, RECORDS, Filters(), EVERYTHING, Language.ZH)

    begun = [begin() for _ in range(4)]
    with pytest.raises(Busy):
        begin()
    begun.pop()._held.close()
    begun.append(begin())
    for one in begun:
        one._held.close()
    pool = filled.ctx.database.engine.pool
    assert pool.checkedout() == 0
    with api.stream("POST", "/records/export", json={}) as answer:
        assert answer.status_code == 200
    assert api.post("/records/export", json={"unit_code": "NONE"}).status_code == 404
    deadline = time.monotonic() + 10
    while pool.checkedout() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pool.checkedout() == 0
    for _ in range(4):
        begin()._held.close()


def test_a_large_export_takes_no_more_memory_than_a_small_one(filled: Archive) -> None:
    small, large = _peak_bytes(filled, 2_000), _peak_bytes(filled, 60_000)
    assert large < small * 1.5
    assert large < 8 << 20


def _peak_bytes(archive: Archive, count: int) -> int:
    """The most memory that making a file of so many lines held."""

    def page_of(span: Span) -> Page[int]:
        first = count if span.after is None else span.after.int - 1
        lines = tuple(range(first, max(0, first - span.size), -1))
        last = lines[-1] if lines else 0
        return Page(lines, None, new_id().__class__(int=last) if last > 1 else None)

    def rows(_speech: Speech, lines: list[int]) -> Iterator[list[object]]:
        for line in lines:
            yield [f"J042-YW·2026-D10-YYB-{line:07d}", datetime(2026, 11, 24, tzinfo=UTC), "欧阳小明" * 5, line]

    listing = Listing("numbers", Right.RECORDS_RECORD_READ, RECORDS.ask, ("A", "B", "C", "D"), rows)  # type: ignore[arg-type]
    with archive.ctx.database.read() as connection:
        speech = Speech(connection, Language.ZH, archive.clock.now())
        tracemalloc.start()
        size_bytes = sum(len(chunk) for chunk in csv_chunks(listing, walk(page_of), speech))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size_bytes > count * 60
    return peak


def _chunks_of(answer: csv_file._Holding) -> Iterator[bytes]:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def read() -> list[bytes]:
        return [bytes(chunk) async for chunk in answer.body_iterator]  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as pool:
        yield from pool.submit(asyncio.run, read()).result()
