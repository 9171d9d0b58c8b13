"""A real HTTP proxy in front of a real store, which fails and lies on demand."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
    HALF_REQUEST = auto()  # half of the body is passed on, then both connections are cut
    LOSE_ANSWER = auto()  # passed on and done; the connection is cut instead of the answer
    CUT_BODY = auto()  # half of the answer's body, then the connection is cut
    SWALLOW = auto()  # not passed on; the answer is a success
    DAMAGE_REQUEST = auto()  # passed on with another byte in the body
    OTHER_BYTES = auto()  # the answer's body has another byte


PASSED_ON = {Fault.LOSE_ANSWER, Fault.CUT_BODY, Fault.DAMAGE_REQUEST, Fault.OTHER_BYTES}
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>slow down</Message></Error>"


@dataclass(frozen=True)
class Trap:
    """One fault that waits for the next request with its method and with `where` in its path or query."""

    method: str
    fault: Fault
    where: str = ""
    act: Callable[[], None] = lambda: None  # done at the moment of the fault, before the client learns of it


@dataclass
class Plan:
    """Faults waiting for requests: each is spent on the first that it fits."""

    waiting: list[Trap] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)

    def add(self, method: str, fault: Fault, times: int = 1) -> None:
        self.waiting += [Trap(method, fault)] * times

    def take(self, method: str, path: str) -> Trap | None:
        with self.guard:
            self.seen.append((method, path))
            for index, trap in enumerate(self.waiting):
                if trap.method == method and trap.where in path:
                    return self.waiting.pop(index)
        return None


@contextmanager
def fault_proxy(upstream: str) -> Iterator[tuple[str, Plan]]:
    """The endpoint of a proxy before `upstream` and the plan of its faults."""
    plan = Plan()
    handler = type("Handler", (_Handler,), {"plan": plan, "upstream": urlsplit(upstream).netloc})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", plan
    finally:
        plan.done.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet when a client was killed; defects of the proxy itself are told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    plan: Plan
    upstream: str

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def handle_any(self) -> None:
        trap = self.plan.take(self.command, self.path)
        fault = trap.fault if trap else None
        if trap is not None and fault is Fault.CUT_REQUEST:
            trap.act()
            return self._cut()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if trap is None:
            return self._answer(*self._pass_on(body))
        if fault is Fault.HALF_REQUEST:
            self._pass_on(body, send=len(body) // 2)
        elif fault in PASSED_ON:
            if fault is Fault.DAMAGE_REQUEST:
                body = _another_byte(body)
            status, headers, answer = self._pass_on(body)
        trap.act()
        match fault:
            case Fault.HANG:
                self.plan.done.wait(30)
                return self._cut()
            case Fault.ERROR_500:
                return self._answer(500, {}, b"")
            case Fault.ERROR_503:
                return self._answer(503, {"Content-Type": "application/xml"}, SLOW_DOWN)
            case Fault.SWALLOW:
                return self._answer(200, {"ETag": '"0"', "x-amz-version-id": "nothing"}, b"")
            case Fault.HALF_REQUEST | Fault.LOSE_ANSWER:
                return self._cut()
            case Fault.CUT_BODY:
                self._answer(status, headers, answer, send=len(answer) // 2)
                return self._cut()
            case Fault.OTHER_BYTES:
                answer = _another_byte(answer)
        return self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def _pass_on(self, body: bytes, send: int | None = None) -> tuple[int, dict[str, str], bytes]:
        """The store's answer; none when only the first `send` bytes go out."""
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"expect", "connection", "content-length"}:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if send is None else body[:send])
            if send is not None:
                return 0, {}, b""
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
