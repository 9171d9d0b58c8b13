"""A real HTTP proxy in front of a real store, which fails and lies on demand."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Fault(Enum):
    """What goes wrong with one request."""

    ERROR_500 = auto()  # not passed on; the answer is 500 without a body
    ERROR_503 = auto()  # not passed on; the answer is 503 as S3 says it
    HANG = auto()  # not passed on, never answered
    CUT_REQUEST = auto()  # the connection is cut before the body has been read
    LOSE_ANSWER = auto()  # passed on and done; the connection is cut instead of the answer
    CUT_BODY = auto()  # half of the answer's body, then the connection is cut
    SWALLOW = auto()  # not passed on; the answer is a success
    DAMAGE_REQUEST = auto()  # passed on with another byte in the body
    OTHER_BYTES = auto()  # the answer's body has another byte


@dataclass
class Plan:
    """Faults waiting for requests: each is spent on the next request with its method."""

    waiting: list[tuple[str, Fault]] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)

    def add(self, method: str, fault: Fault, times: int = 1) -> None:
        self.waiting += [(method, fault)] * times

    def take(self, method: str, path: str) -> Fault | None:
        with self.guard:
            self.seen.append((method, path))
            for index, (wanted, fault) in enumerate(self.waiting):
                if wanted == method:
                    del self.waiting[index]
                    return fault
        return None


@contextmanager
def fault_proxy(upstream: str) -> Iterator[tuple[str, Plan]]:
    """The endpoint of a proxy before `upstream` and the plan of its faults."""
    plan = Plan()
    handler = type("Handler", (_Handler,), {"plan": plan, "upstream": urlsplit(upstream).netloc})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", plan
    finally:
        plan.done.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    plan: Plan
    upstream: str

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def handle_any(self) -> None:
        fault = self.plan.take(self.command, self.path)
        if fault is Fault.CUT_REQUEST:
            return self._cut()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault is Fault.HANG:
            self.plan.done.wait(30)
            return self._cut()
        if fault is Fault.ERROR_500:
            return self._answer(500, {}, b"")
        if fault is Fault.ERROR_503:
            xml = b"<Error><Code>SlowDown</Code><Message>slow down</Message></Error>"
            return self._answer(503, {"Content-Type": "application/xml"}, xml)
        if fault is Fault.SWALLOW:
            return self._answer(200, {"ETag": '"0"', "x-amz-version-id": "nothing"}, b"")
        if fault is Fault.DAMAGE_REQUEST:
            body = _another_byte(body)
        status, headers, answer = self._pass_on(body)
        if fault is Fault.LOSE_ANSWER:
            return self._cut()
        if fault is Fault.OTHER_BYTES:
            answer = _another_byte(answer)
        if fault is Fault.CUT_BODY:
            self._answer(status, headers, answer, send=len(answer) // 2)
            return self._cut()
        return self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"expect", "connection", "content-length"}:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, send: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        lengths = {name.lower(): value for name, value in headers.items()}
        told = lengths.get("content-length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", told)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if send is None else body[:send])
        self.wfile.flush()

    def _cut(self) -> None:
        self.close_connection = True
        time.sleep(0.01)


def _another_byte(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
