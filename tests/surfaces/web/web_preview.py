"""A throwaway server of the sample pages, with the real headers, static files and drawn page images."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from noto_cjk_sans_otc import __file__ as font_module
from PIL import Image, ImageDraw, ImageFont
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from web_samples import RECORD, Sample, empty, full, shell

from vault.surfaces.i18n import Language, choose_language
from vault.surfaces.web.rendering import Renderer

FONT = font_module.replace("__init__.py", "NotoSansCJK-Regular.ttc")


def page_image(number: int, width: int) -> bytes:
    """A drawn opening form, with the watermark that the service would put on it."""
    image = Image.new("RGB", (1240, 1754), "#fdfdfb")
    draw = ImageDraw.Draw(image)
    big, text, small = (ImageFont.truetype(FONT, size, index=2) for size in (52, 32, 26))
    draw.text((620, 110), "个人银行结算账户开户申请书", "#222", big, anchor="mm")
    draw.text((1120, 180), "编号 KH20261124000137", "#444", small, anchor="rm")
    for row, (name, value) in enumerate(
        (
            ("姓名", "赵丽颖"),
            ("证件号码", "1101**********2316"),
            ("账户种类", "Ⅰ类户"),
            ("联系电话", "139****6208"),
            ("职业", "教师"),
            ("住址", "滨海市建设路 18 号 3 单元"),
            ("经办人", "周敏"),
        )
    ):
        y = 240 + row * 120
        draw.rectangle((120, y, 1120, y + 120), outline="#555", width=3)
        draw.line((360, y, 360, y + 120), "#555", 3)
        draw.text((240, y + 60), name, "#333", text, anchor="mm")
        draw.text((400, y + 60), value, "#1c2f7a", text, anchor="lm")
    draw.ellipse((800, 1180, 1080, 1460), outline="#c22", width=8)
    draw.text((940, 1320), "业务专用章", "#c22", text, anchor="mm")
    draw.text((620, 1680), f"第 {number} 页", "#666", small, anchor="mm")
    mark = Image.new("RGBA", image.size, (0, 0, 0, 0))
    for x in range(0, 1240, 480):
        for y in range(0, 1754, 260):
            ImageDraw.Draw(mark).text(
                (x + (y // 260 % 2) * 160, y), "李秀兰 2026-11-24 15:42", (60, 80, 110, 46), small
            )
    image.paste(mark.rotate(18), (0, 0), mark.rotate(18))
    image = image.resize((width, width * 1754 // 1240))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


class Inbox:
    """Answers uploads as the service does, by what the body says: good, duplicate, refuse, busy-once, slow."""

    def __init__(self) -> None:
        self.keys: dict[str, list[str]] = {}

    async def batches(self, request: Request) -> Response:
        told = await request.json()
        if request.headers.get("x-csrf-token") != "c2FtcGxlLXRva2Vu" or not told["name"]:
            return JSONResponse({"code": "bad-request", "detail": "bad"}, 400)
        return JSONResponse({"id": "b-1", "name": told["name"]}, 201)

    async def items(self, request: Request) -> Response:
        body = (await request.body()).decode()
        value = request.headers["slipvault-metadata"]
        told = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        key = request.headers["idempotency-key"]
        if (
            request.headers.get("x-csrf-token") != "c2FtcGxlLXRva2Vu"
            or told.get("batch_id") != "b-1"
            or not told["file_name"]
        ):
            return JSONResponse({"code": "bad-request", "detail": "bad"}, 400)
        seen = self.keys.setdefault(body, [])
        seen.append(key)
        if body.startswith("slow") and len(seen) == 1:
            await asyncio.sleep(30)
        if body == "busy-once" and seen.count(key) == 1:
            return JSONResponse({"code": "busy", "detail": "busy"}, 503)
        if body == "refuse":
            finding = {"severity": "refuse", "message": "第 4 页读不出", "hint": "请重新扫描"}
            return JSONResponse({"code": "item-refused", "detail": "x", "findings": [finding]}, 422)
        status = "duplicate" if body == "duplicate" else "accepted"
        return JSONResponse({"status": status, "record_id": "r-1", "findings": []}, 201)

    def asked(self, _request: Request) -> Response:
        return JSONResponse(self.keys)


def application() -> Starlette:
    """Answers each sample's address (query included) with its page."""
    renderer = Renderer()
    pages: dict[Language, dict[str, Sample]] = {
        language: {sample.address: sample for sample in [*empty(language), *full(language)]} for language in Language
    }

    def page(request: Request) -> Response:
        language = choose_language(request.cookies.get("language"), request.headers.get("accept-language"))
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        known = pages[language]
        plain = {key.encode().decode(): sample for key, sample in known.items()}
        sample = plain.get(address) or plain.get(request.url.path) or plain.get(request.url.path + "?q=开户")
        if sample is None:
            return PlainTextResponse("no such sample", 404)
        return renderer.page(sample.template, shell(language, sample), sample.view, status=sample.status)

    def static(request: Request) -> Response:
        return renderer.static(request.path_params["name"]) or PlainTextResponse("", 404)

    def image(request: Request) -> Response:
        number = request.path_params["number"]
        return Response(page_image(number, 144 if "thumbs" in request.url.path else 1240), media_type="image/jpeg")

    def progress(_request: Request) -> Response:
        return JSONResponse(
            {"state": "running", "done": 40000, "total": 48213, "text": "40,000 / 48,213", "version": "1"}
        )

    async def suggest(request: Request) -> Response:
        words = (await request.form())["q"]
        told = {"what": "档案", "label": "欧阳明月", "note": "消费者投诉登记表", "href": RECORD}
        return JSONResponse({"suggestions": [told, {**told, "label": "欧阳小明"}] if "欧阳" in words else []})

    inbox = Inbox()
    return Starlette(
        routes=[
            Route("/api/v1/batches", inbox.batches, methods=["POST"]),
            Route("/api/v1/intake/items", inbox.items, methods=["POST"]),
            Route("/search/suggest", suggest, methods=["POST"]),
            Route("/keys", inbox.asked),
            Route("/static/{name}", static),
            Route("/records/{id}/pages/{number:int}.jpg", image),
            Route("/records/{id}/thumbs/{number:int}.jpg", image),
            Route("/{path:path}/progress", progress),
            Route("/{path:path}", page),
        ]
    )


@contextmanager
def serving() -> Iterator[str]:
    """Serves on a free port of this host; gives the root address."""
    place = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        place.close()
