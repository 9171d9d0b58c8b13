"""Rule packs: given out signed, and taken in after a look at what they change and who signed them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.errors import InvalidData
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.foundation.keys.detached import fingerprint, key_of, pem_of
from vault.retention import service
from vault.retention.book import known_packs
from vault.retention.model import VersionState
from vault.retention.queries import get_version, list_versions, version_in_effect
from vault.retention.rule_packs import (
    KnownPack,
    ReadPack,
    Signature,
    enter_pack,
    export_pack,
    get_pack,
    list_packs,
    predecessor,
    read_pack,
)
from vault.surfaces.i18n import Translator
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.rendering import PAGE_HEADERS
from vault.surfaces.web.rule_view import JURISDICTIONS, pack_changes
from vault.surfaces.web.schedules import Sent
from vault.surfaces.web.views import rule_packs as views
from vault.surfaces.web.views.parts import BLANK, Choices, FieldError, Form, Link, Notice, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
PACK_FILE, SIGNATURE_FILE, KEY_FILE = "pack.json", "pack.json.sig", "public-key.pem"
_CHECK = f"openssl pkeyutl -verify -pubin -inkey {KEY_FILE} -rawin -in {PACK_FILE} -sigfile {SIGNATURE_FILE}\n"
_BYTES_MAX = 4 << 20
_DONE = {
    "taken": N_(
        "The pack was taken in. It binds nothing until a version of the schedule that rests on it is approved."
    )
}


@dataclass(frozen=True)
class _Given:
    """What was sent: the pack's text, and its signature, where there is one."""

    text: str
    signature: Signature | None


@routes.get("/rule-packs", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def packs_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Every pack that is known here, with its seal."""
    return _list(request, ctx, viewer, BLANK)


@routes.post("/rule-packs/preview", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def preview(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Sent) -> Response:
    """What a pack says, who signed it, what it would change; nothing is taken in yet."""
    try:
        given = _given(form)
        with ctx.database.read() as connection:
            read = read_pack(connection, given.text, given.signature)
            view = _preview(speaker(request), ctx, connection, read, given)
    except VaultError as error:
        return _list(request, ctx, viewer, _form_of(request, error))
    return page(request, "rule_pack_preview.html", view, current="rules")


@routes.post("/rule-packs", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def take_in(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    text: Text = "",
    signature: Text = "",
    public_key: Text = "",
) -> Response:
    """Takes in what was shown; the signature is checked once more."""
    try:
        held = Signature(bytes.fromhex(signature), bytes.fromhex(public_key)) if signature else None
        pack = enter_pack(ctx, viewer, text, held)
    except VaultError as error:
        return _list(request, ctx, viewer, _form_of(request, error))
    except ValueError:
        told = speaker(request).gettext(N_("The signature cannot be read; choose the files again."))
        return _list(request, ctx, viewer, Form({}, (FieldError("file", told),)))
    return go(f"/rule-packs/{quote(pack.version)}?done=taken")


@routes.get("/rule-packs/{version}", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def pack_page(request: Request, ctx: Ctx, viewer: CurrentViewer, version: str, done: str = "") -> Response:
    """One pack: its seal, what it changes, and how it is checked."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    return _one(request, ctx, viewer, version, BLANK, notices)


@routes.get("/rule-packs/{version}/file", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def download(ctx: Ctx, viewer: CurrentViewer, version: str) -> Response:
    """The pack, and where there is one its signature, the key, and the command that checks it, in one file."""
    body, signature = export_pack(ctx, viewer, version)
    held = {PACK_FILE: body}
    if signature is not None:
        held[SIGNATURE_FILE] = signature.signature
        held[KEY_FILE] = pem_of(signature.public_key).encode()
        held["CHECK.txt"] = _CHECK.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    headers = {**PAGE_HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(version, safe='')}.zip"}
    return Response(out.getvalue(), media_type="application/zip", headers=headers)


@routes.post("/rule-packs/{version}/use", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def use(request: Request, ctx: Ctx, viewer: CurrentViewer, version: str, number: Text = "") -> Response:
    """Lets a draft rest on the pack, in the place of the one that it supersedes."""
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 9):
            raise InvalidInput(field="number", problem=N_("choose one"))
        with ctx.database.read() as connection:
            known = get_pack(connection, version)
            held = get_version(connection, int(number), ctx.clock.now())
            before = predecessor(known.pack, known_packs(connection).values())
        content = held.content.with_pack(known.pack, before.version if before else None)
        service.change(ctx, viewer, held.number, content, seen=held.digest)
    except VaultError as error:
        if error.code == "not-found":
            raise
        return _one(request, ctx, viewer, version, form_with(request, {"number": number}, error, "number"))
    return go(f"/schedules/{number}?done=changed")


def _given(form: FormData) -> _Given:
    """The files of a form: a pack as it goes out (.zip), or the pack with, or without, signature and key."""
    body = _bytes(form, "file")
    if body is None:
        raise InvalidInput(field="file", problem=N_("choose a file"))
    signature, key = _bytes(form, "signature"), _bytes(form, "public_key")
    if zipfile.is_zipfile(io.BytesIO(body)):
        body, signature, key = _unzipped(body)
    try:
        text, pem = body.decode("utf-8-sig"), (key or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(field="file", problem=N_("it is no text in UTF-8")) from error
    if signature is None and key is None:
        return _Given(text, None)
    raw = key_of(pem)
    if raw is None:
        raise InvalidInput(field="public_key", problem=N_("it is no Ed25519 public key in PEM"))
    return _Given(text, Signature(signature or b"", raw))


def _unzipped(body: bytes) -> tuple[bytes, bytes | None, bytes | None]:
    unusable = InvalidInput(field="file", problem=N_("there is no pack in it, or it is too large"))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if PACK_FILE not in sizes or max(sizes.values()) > _BYTES_MAX:
                raise unusable
            found = {name: archive.read(name) for name in (PACK_FILE, SIGNATURE_FILE, KEY_FILE) if name in sizes}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:  # broken, encrypted, cut off
        raise unusable from error
    return found[PACK_FILE], found.get(SIGNATURE_FILE), found.get(KEY_FILE)


def _bytes(form: FormData, name: str) -> bytes | None:
    file = form.get(name)
    return file.file.read(_BYTES_MAX) if isinstance(file, UploadFile) and file.filename else None


def _form_of(request: Request, error: VaultError) -> Form:
    """What was wrong, beside the file; the law says it in the reader's language itself."""
    cause = error.__cause__
    if isinstance(cause, InvalidData):
        error = type(error)(problem=cause.said(speaker(request).language.value))
    return form_with(request, {}, error, "file")


def _list(request: Request, ctx: Context, viewer: Viewer, form: Form) -> Response:
    with ctx.database.read() as connection:
        named = version_in_effect(connection, ctx.clock.now()).content.packs
        view = views.PackListView(
            rows=tuple(_row(speaker(request), ctx, known, named) for known in list_packs(connection)),
            may_take_in=viewer.may(Right.RETENTION_SCHEDULE_DRAFT),
            form=form,
        )
    return page(request, "rule_packs.html", view, current="rules", status=422 if form.errors else 200)


def _one(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    version: str,
    form: Form,
    notices: tuple[Notice, ...] = (),
) -> Response:
    say = speaker(request)
    with ctx.database.read() as connection:
        known = get_pack(connection, version)
        now = ctx.clock.now()
        named = version_in_effect(connection, now).content.packs
        before = predecessor(known.pack, known_packs(connection).values())
        drafts = list_versions(connection, now, state=VersionState.DRAFT)
    label = N_("Version {number}")
    options = tuple(Option(str(one.number), say.gettext(label).format(number=one.number)) for one in drafts)
    view = views.PackView(
        row=_row(say, ctx, known, named),
        against=_link(before.version) if before else None,
        changes=pack_changes(say, before, known.pack),
        file_href=f"/rule-packs/{quote(version)}/file",
        use_href=f"/rule-packs/{quote(version)}/use",
        drafts=Choices({"number": options if viewer.may(Right.RETENTION_SCHEDULE_DRAFT) else ()}),
        own_fingerprint=fingerprint(ctx.custodian.public_key()),
        form=form,
    )
    status = 422 if form.errors else 200
    return page(request, "rule_pack.html", view, current="rules", status=status, notices=notices)


def _preview(
    say: Translator, ctx: Context, connection: Connection, read: ReadPack, given: _Given
) -> views.PackPreview:
    named = version_in_effect(connection, ctx.clock.now()).content.packs
    signature = given.signature
    return views.PackPreview(
        row=_row(say, ctx, KnownPack(read.pack, is_shipped=False, signature=signature), named),
        against=_link(read.against.version) if read.against else None,
        changes=pack_changes(say, read.against, read.pack),
        is_known=read.is_known,
        text=given.text,
        signature=signature.signature.hex() if signature else "",
        public_key=signature.public_key.hex() if signature else "",
    )


def _row(say: Translator, ctx: Context, known: KnownPack, named: Mapping[str, str]) -> views.PackRow:
    pack, signature = known.pack, known.signature
    own = signature is not None and signature.public_key == ctx.custodian.public_key()
    seal = "shipped" if known.is_shipped else "own" if own else "signed" if signature else "unsigned"
    return views.PackRow(
        version=pack.version,
        href=f"/rule-packs/{quote(pack.version)}",
        jurisdiction=say.gettext(JURISDICTIONS.get(pack.jurisdiction, pack.jurisdiction)),
        published_date=pack.published_date,
        rules_count=len(pack.rules),
        supersedes=pack.supersedes or "",
        digest=pack.digest,
        seal=seal,
        signed_by=fingerprint(signature.public_key) if signature else "",
        is_in_schedule=pack.version in named,
    )


def _link(version: str) -> Link:
    return Link(version, f"/rule-packs/{quote(version)}")
