"""A small archive server that speaks the intake contract over real HTTP, with the faults of bad networks.

It keeps items, batches and records in memory, so it survives the client that is killed and may itself be stopped
and started again on the same port. It shares no code with the program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "station-token-of-the-simulated-server"
# what may happen to one request; each name is one way in which networks and servers fail
FAULTS = ("cut-body", "503", "500", "429", "lose-answer", "half-answer", "portal", "slow")


class Archive:
    """The state behind the server."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.items: dict[str, dict] = {}  # client key -> {"sha256", "answer", "http", "metadata", "batch_id"}
        self.records: dict[str, dict] = {}  # record id -> {"sha256", "body", "metadata"}
        self.by_content: dict[str, str] = {}
        self.batches: dict[str, dict] = {}
        self.posts: list[tuple[str, str]] = []  # (client key, sha256 of what arrived whole)
        self.unfinished: dict[str, bytearray] = {}  # client key -> what has come of a file in pieces
        self.searches: list[dict] = []

    def balance(self, batch_id: str) -> dict:
        batch = self.batches[batch_id]
        statuses = [i["status"] for i in self.items.values() if i["batch_id"] == batch_id]
        counts = {name: statuses.count(name) for name in ("accepted", "duplicate", "refused")}
        announced = batch["sheets_announced"]
        return {
            "sheets_announced": announced,
            "received": len(statuses),
            **counts,
            "unsettled": 0,
            "balanced": announced is None or announced == len(statuses),
        }

    def batch_body(self, batch_id: str) -> dict:
        batch = self.batches[batch_id]
        return {
            "id": batch_id,
            "name": batch["name"],
            "state": batch["state"],
            "opened_at": "2026-11-24T00:00:00+00:00",
            "closed_at": None if batch["state"] == "open" else "2026-11-24T01:00:00+00:00",
            "balance": self.balance(batch_id),
        }

    def receive(self, key: str, metadata: dict, body: bytes) -> tuple[int, dict]:
        sha256 = hashlib.sha256(body).hexdigest()
        with self.lock:
            self.posts.append((key, sha256))
            known = self.items.get(key)
            if known is not None:
                if known["sha256"] != sha256:
                    return problem(409, "client-key-reused")
                return self._again(key)
            if metadata.get("class_code") != "TEST":
                return problem(422, "unknown-class")
            batch_id = metadata.get("batch_id")
            if batch_id is not None and self.batches[batch_id]["state"] != "open":
                return problem(409, "batch-closed")
            http, item = self._settle(sha256, metadata, body)
            self.items[key] = {
                "sha256": sha256,
                "answer": item,
                "status": {201: "accepted", 200: "duplicate", 422: "refused"}[http],
                "metadata": metadata,
                "batch_id": batch_id,
            }
            return http, item

    def take_piece(self, key: str, metadata: dict, content_range: str, body: bytes) -> tuple[int, dict]:
        place, _, size = content_range.removeprefix("bytes ").partition("/")
        with self.lock:
            if key in self.items:
                return self._again(key)
            held = self.unfinished.setdefault(key, bytearray())
            if place != "*":
                if int(place.partition("-")[0]) != len(held):
                    return problem(409, "piece-out-of-place")
                held += body
            if len(held) < int(size):
                return 202, {"status": "receiving", "received_bytes": len(held), "size_bytes": int(size)}
            return self.receive(key, metadata, bytes(self.unfinished.pop(key)))

    def _again(self, key: str) -> tuple[int, dict]:
        known = self.items[key]
        return 422 if known["status"] == "refused" else 200, {**known["answer"], "repeated": True}

    def _settle(self, sha256: str, metadata: dict, body: bytes) -> tuple[int, dict]:
        item_id = str(uuid.uuid4())
        if not body or body.startswith(b"REFUSE"):
            finding = {
                "code": "damaged",
                "severity": "refuse",
                "page": 2,
                "message": "服务器的话",
                "hint": "重扫",
                "facts": {"problem": "cut"},
            }
            return 422, {**problem(422, "item-refused")[1], "item_id": item_id, "findings": [finding]}
        answer = {"item_id": item_id, "findings": [], "ledger": {"entry_id": str(uuid.uuid4()), "leaf_hash": "00"}}
        if sha256 in self.by_content:
            record_id = self.by_content[sha256]
            return 200, {**answer, "status": "duplicate", "record_id": record_id, "archival_number": "D-1"}
        record_id = str(uuid.uuid4())
        self.by_content[sha256] = record_id
        self.records[record_id] = {"sha256": sha256, "body": body, "metadata": metadata}
        number = f"A-{len(self.records)}"
        self.records[record_id]["number"] = number
        return 201, {**answer, "status": "accepted", "record_id": record_id, "archival_number": number}


def problem(status: int, code: str, **more: object) -> tuple[int, dict]:
    said = {"title": f"title of {code}", "hint": f"hint of {code}", "fault": "caller", "facts": {}}
    return status, {"type": f"urn:slipvault:problem:{code}", "code": code, "status": status, **said, **more}


class SimulatedServer:
    """The archive on a port of this machine. `fault_for` chooses what happens to each request."""

    def __init__(self, archive: Archive | None = None, port: int = 0) -> None:
        self.archive = archive or Archive()
        self.fault_for: Callable[[str], str | None] = lambda _path: None
        self.kill_at: tuple[str, int] | None = None  # (step, pid): the client dies at this step of one upload
        self.delay_s = 0.0
        self.token = TOKEN
        self._start(port)

    def _start(self, port: int) -> None:
        handler = type("Handler", (_Handler,), {"world": self})
        self._http = _Listener(("127.0.0.1", port), handler)
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._http.drop_connections()
        self._thread.join()

    def start_again(self) -> None:
        self._start(self.port)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the simulated world."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: SimulatedServer

    def log_message(self, *_what: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/api/v1")
        fault = self.world.fault_for(path)
        is_upload = path == "/intake/items"
        self._step("headers", is_upload)
        length = int(self.headers.get("Content-Length", 0))
        if fault == "cut-body" or (is_upload and self._is_step("mid-body")):
            half = self.rfile.read(length // 2)
            self._keep(half)
            self._step("mid-body", is_upload)
            self._cut()
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self._cut()
            return
        if fault == "slow":
            time.sleep(0.2)
        if fault in {"500", "503", "429"}:
            codes = {"500": "internal-error", "503": "busy", "429": "too-many-guesses"}
            self._answer(*problem(int(fault), codes[fault]), {"Retry-After": "0"} if fault != "500" else {})
            return
        if fault == "portal":
            self._raw(200, b"<html>please pay for the network</html>", {"Content-Type": "text/html"})
            return
        time.sleep(self.world.delay_s)
        status, answer = self._route(path, body)
        self._step("settled", is_upload)
        if fault == "lose-answer":
            self._cut()
            return
        if fault == "half-answer":
            data = json.dumps(answer).encode()
            self._raw(status, data[: len(data) // 2], {}, length=len(data))
            self._cut()
            return
        if isinstance(answer, bytes):
            self._send_bytes(path, answer, fault)
        else:
            self._answer(status, answer)
        self._step("answered", is_upload)

    def _keep(self, half: bytes) -> None:
        """What came of a piece before a cut has come: of the real server's segments, too."""
        place = self.headers.get("Content-Range", "*").removeprefix("bytes ")
        held = self.world.archive.unfinished.get(self.headers.get("Idempotency-Key", ""))
        if held is not None and place.partition("-")[0] == str(len(held)):
            held += half

    def _route(self, path: str, body: bytes) -> tuple[int, dict | bytes]:
        archive = self.world.archive
        if self.headers.get("Authorization") != f"Bearer {self.world.token}":
            return problem(401, "sign-in-needed")
        if path == "/intake/items":
            content_range = self.headers.get("Content-Range")
            announced = self.headers.get("X-Content-SHA256") if content_range is None else None
            if announced is not None and announced != hashlib.sha256(body).hexdigest():
                return problem(422, "digest-mismatch")
            told = self.headers["Slipvault-Metadata"]
            metadata = json.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
            if metadata.get("attributes") == "wrong":
                return problem(400, "bad-request")
            key = self.headers["Idempotency-Key"]
            if content_range is not None:
                return archive.take_piece(key, metadata, content_range, body)
            return archive.receive(key, metadata, body)
        if path == "/batches" and self.command == "POST":
            return self._open_batch(json.loads(body))
        found = re.fullmatch(r"/batches/([0-9a-f-]{36})(/close)?", path)
        if found:
            return self._batch(found[1], is_close=bool(found[2]))
        if path == "/records/search":
            asked = json.loads(body)
            archive.searches.append(asked)
            lines = [self._line(i) for i, r in archive.records.items() if asked.get("number") in {None, r["number"]}]
            return 200, {"records": lines, "before": None, "after": None, "count": len(lines), "count_is_exact": True}
        found = re.fullmatch(r"/records/([0-9a-f-]{36})(/original)?", path)
        if found and found[1] in archive.records:
            return 200, archive.records[found[1]]["body"] if found[2] else {**self._line(found[1]), "components": []}
        if path == "/classes":
            return 200, {
                "classes": [
                    {
                        "code": "TEST",
                        "name_zh": "测试",
                        "name_en": "Test",
                        "period_code": "D10",
                        "sensitivity": "plain",
                    }
                ]
            }
        if path == "/quarantine/search":
            items = [i for i in archive.items.values() if i["status"] == "refused"]
            lines = [
                {
                    "item_id": i["answer"]["item_id"],
                    "file_name": i["metadata"]["file_name"],
                    "received_at": "2026-11-24",
                    "findings": i["answer"]["findings"],
                }
                for i in items
            ]
            return 200, {"items": lines, "before": None, "after": None, "count": len(lines), "count_is_exact": True}
        return problem(404, "not-found")

    def _line(self, record_id: str) -> dict:
        record = self.world.archive.records[record_id]
        told = record["metadata"]
        rest = ("business_number", "business_type", "customer_name", "occurred_date", "title")
        line = {"id": record_id, "archival_number": record["number"], "page_count": 1, "status": "kept"}
        return {**line, **{name: told.get(name) for name in rest}}

    def _open_batch(self, asked: dict) -> tuple[int, dict]:
        archive = self.world.archive
        with archive.lock:
            for batch_id, batch in archive.batches.items():
                if batch["name"] == asked["name"] and batch["state"] == "open":
                    return 201, archive.batch_body(batch_id)
            batch_id = str(uuid.uuid4())
            archive.batches[batch_id] = {
                "name": asked["name"],
                "sheets_announced": asked.get("sheets_announced"),
                "state": "open",
            }
            return 201, archive.batch_body(batch_id)

    def _batch(self, batch_id: str, *, is_close: bool) -> tuple[int, dict]:
        archive = self.world.archive
        with archive.lock:
            if batch_id not in archive.batches:
                return problem(404, "not-found")
            if is_close:
                if archive.batches[batch_id]["state"] != "open":
                    return problem(409, "batch-closed")
                is_balanced = archive.balance(batch_id)["balanced"]
                archive.batches[batch_id]["state"] = "balanced" if is_balanced else "unbalanced"
            return 200, archive.batch_body(batch_id)

    def _send_bytes(self, path: str, data: bytes, fault: str | None) -> None:
        start = 0
        asked = self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        headers = {"X-Content-SHA256": hashlib.sha256(data).hexdigest()}
        part = data[start:]
        if fault == "cut-download":
            self._raw(206 if start else 200, part[: len(part) // 2], headers, length=len(part))
            self._cut()
        elif fault == "damage-download":
            self._raw(200, b"\0" + part[1:], headers)
        else:
            self._raw(206 if start else 200, part, headers)

    def _answer(self, status: int, body: dict, headers: dict | None = None) -> None:
        kind = "application/problem+json" if status >= 400 else "application/json"
        self._raw(status, json.dumps(body).encode(), {"Content-Type": kind, **(headers or {})})

    def _raw(self, status: int, data: bytes, headers: dict, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)

    def _is_step(self, step: str) -> bool:
        return self.world.kill_at is not None and self.world.kill_at[0] == step

    def _step(self, step: str, is_upload: bool) -> None:
        if is_upload and self._is_step(step):
            assert self.world.kill_at is not None
            pid = self.world.kill_at[1]
            self.world.kill_at = None
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
