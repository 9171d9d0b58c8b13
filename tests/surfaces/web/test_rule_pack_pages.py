"""Rule packs in the browser: given out signed, checked by OpenSSL alone, taken in with their seal, refused when it is wrong."""

from __future__ import annotations

import base64
import html
import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention_rules import shipped
from retention_rules.packs import parse_pack
from tests.support.archive import Archive
from tests.support.pages import Visitor, api_client
from vault.access.rights import Role
from vault.foundation.keys.detached import fingerprint, pem_of
from vault.foundation.ledger.queries import EntryFilters, count_entries
from vault.retention.queries import get_version
from vault.retention.rule_packs import get_pack

Visit = Callable[..., Visitor]
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SIGNER.public_key().public_bytes_raw()


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def newer() -> str:
    """The shipped pack of the PRC with one rule changed, as the one that supersedes it."""
    text = shipped.packs()["cn-2026.11"].canonical().decode()
    text = text.replace('"pack":"cn-2026.11"', '"pack":"cn-2027.01"').replace(
        '"published":"2026-11-01"', '"published":"2027-01-01"'
    )
    text = text.replace('"supersedes":null', '"supersedes":"cn-2026.11"')
    before, after = text.split('"code":"DEFAULT-5Y"')
    return f'{before}"code":"DEFAULT-5Y"{after.replace("P5Y", "P6Y", 1)}'


def send(visitor: Visitor, **files: bytes) -> httpx.Response:
    told = {name: (f"{name}.bin", data) for name, data in files.items()}
    return visitor.client.post("/rule-packs/preview", data={"csrf_token": visitor.csrf_token}, files=told)


def take_in(visitor: Visitor, seen: httpx.Response) -> str:
    """Presses the button below a preview."""
    fields = {
        name: html.unescape(re.search(rf'name="{name}" value="([^"]*)"', seen.text)[1])  # type: ignore[index]
        for name in ("signature", "public_key")
    }
    rows = re.search(r'<textarea name="text"[^>]*>\n(.*?)</textarea>', seen.text, re.DOTALL)
    assert rows is not None
    return visitor.goes_to("/rule-packs", {**fields, "text": html.unescape(rows[1])})


def test_what_goes_out_is_checked_by_openssl_alone_and_the_ledger_knows(
    archive: Archive, visit: Visit, tmp_path: Path
) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    assert "随程序提供" in text_of(keeper.get("/rule-packs"))
    answer = keeper.get("/rule-packs/cn-2026.11/file")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as held:
        held.extractall(tmp_path)
    command = (tmp_path / "CHECK.txt").read_text().split()
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    body = (tmp_path / "pack.json").read_bytes()
    assert parse_pack(body.decode()).digest == shipped.packs()["cn-2026.11"].digest
    (tmp_path / "pack.json").write_bytes(body.replace(b"P30Y", b"P3Y", 1))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    with archive.ctx.database.read() as connection:
        assert count_entries(connection, EntryFilters(event="retention:pack:export")) == 1
    assert keeper.get("/rule-packs/no-such/file").status_code == 404


def test_a_signed_pack_is_read_before_it_is_taken_in_and_used_in_a_draft(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    text = newer()
    key = pem_of(PUBLIC).encode()
    seen = send(keeper, file=text.encode(), signature=SIGNER.sign(text.encode()), public_key=key)
    shown = text_of(seen)
    for part in ("已签名", fingerprint(PUBLIC), "规则 DEFAULT-5Y：最短期限由 5 年 改为 6 年", "与 cn-2026.11 相比"):
        assert part in shown, part
    assert "cn-2027.01" not in keeper.get("/rule-packs").text, "a look takes nothing in"
    assert take_in(keeper, seen) == "/rule-packs/cn-2027.01?done=taken"
    keeper.goes_to("/schedules", {"note": "新规则包"})
    assert keeper.goes_to("/rule-packs/cn-2027.01/use", {"number": "2"}) == "/schedules/2?done=changed"
    with archive.ctx.database.read() as connection:
        packs = get_version(connection, 2, archive.clock.now()).content.packs
        assert get_pack(connection, "cn-2027.01").signature is not None
    assert "cn-2027.01" in packs
    assert "cn-2026.11" not in packs
    given = keeper.get("/rule-packs/cn-2027.01/file")
    with zipfile.ZipFile(io.BytesIO(given.content)) as held:
        assert held.read("public-key.pem") == key, "it goes out with the signature it came with"
    again = send(keeper, file=given.content)
    assert "已有内容相同的规则包" in text_of(again)


def test_a_wrong_signature_is_refused_and_a_missing_one_stays_marked(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    text, key = newer(), pem_of(PUBLIC).encode()
    wrong = (
        {"file": text.encode(), "signature": SIGNER.sign(b"another"), "public_key": key},
        {"file": text.replace("P6Y", "P1Y").encode(), "signature": SIGNER.sign(text.encode()), "public_key": key},
        {"file": text.encode(), "signature": SIGNER.sign(text.encode())},
        {"file": text.encode(), "public_key": key},
        {"file": text.encode(), "signature": b"x", "public_key": key},
        {"file": text.encode(), "signature": SIGNER.sign(text.encode()), "public_key": b"-----BEGIN NONSENSE"},
        {"file": b"rules: none"},
        {"file": b"\xff\xfe\x00"},
        {"file": b"PK\x05\x06" + bytes(18)},
        {"file": shipped.packs()["cn-2026.11"].canonical().replace(b"P30Y", b"P31Y", 1)},
    )
    for files in wrong:
        answer = send(keeper, **files)
        assert answer.status_code == 422, files.keys()
        assert "error-summary" in answer.text
    seen = send(keeper, file=text.encode())
    assert "没有签名" in text_of(seen)
    take_in(keeper, seen)
    assert "未签名" in text_of(keeper.get("/rule-packs/cn-2027.01"))
    forged = {"text": text.replace("cn-2027.01", "cn-2027.02"), "signature": "00" * 64, "public_key": PUBLIC.hex()}
    assert keeper.post("/rule-packs", forged).status_code == 422, "the button is believed no more than the file"
    assert keeper.post("/rule-packs", {**forged, "signature": "xyz"}).status_code == 422


def test_the_interface_takes_and_gives_signed_packs_alike(archive: Archive, root: str, visit: Visit) -> None:
    text = newer()
    told = {
        "text": text,
        "signature": base64.b64encode(SIGNER.sign(text.encode())).decode(),
        "public_key": pem_of(PUBLIC),
    }
    with api_client(root) as api:
        bad = api.post("/rules/packs", json={**told, "text": text.replace("P6Y", "P7Y")})
        assert (bad.status_code, bad.json()["code"]) == (422, "pack-refused")
        assert api.post("/rules/packs", json=told).status_code == 200
        given = api.get("/rules/packs/cn-2027.01").json()
    assert given == {**told, "fingerprint": fingerprint(PUBLIC)}
    inspector = visit("inspector", Role.INSPECTOR)
    assert inspector.get("/rule-packs/cn-2027.01").status_code == 200
    assert send(inspector, file=text.encode()).status_code == 403
