"""A real proxy in front of PostgreSQL that reads the protocol and cuts a connection at the statement a test names.

It speaks over a Unix socket, as the embedded server does. A trap waits for a statement by a part of its text, or for the
COMMIT of a transaction that ran such a statement. Its client is met before the statement goes on to the server, or
after the server has done it and before the client hears so: the two sides of every commit.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Trap:
    """Where one connection is cut, once; `act` is done just before, for example to kill the client's process."""

    text: str
    at_commit: bool = False
    after: bool = False
    act: Callable[[], None] = lambda: None
    cuts: bool = True  # else `act` is all that happens, before the statement goes on


@dataclass
class Plan:
    """Traps that wait: each is spent on the first statement that it fits."""

    waiting: list[Trap] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, statement: str, ran_before: list[str]) -> Trap | None:
        with self.guard:
            for index, trap in enumerate(self.waiting):
                looked_at = ran_before if trap.at_commit else [statement]
                if any(trap.text in text for text in looked_at) and (statement == "COMMIT") is trap.at_commit:
                    return self.waiting.pop(index)
        return None


@contextmanager
def postgres_proxy(upstream: Path, directory: Path) -> Iterator[Plan]:
    """Listens in `directory` (the `host` of an address) for the server whose socket lies in `upstream`."""
    plan = Plan()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / SOCKET_NAME))
    listener.listen(64)
    open_now: set[_Connection] = set()

    def accept() -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(upstream / SOCKET_NAME))
            open_now.add(_Connection(client, server, plan))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield plan
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in open_now:
            connection.cut()


class _Connection:
    """One client and its server, each read by a thread of its own."""

    def __init__(self, client: socket.socket, server: socket.socket, plan: Plan) -> None:
        self._client, self._server, self._plan = client, server, plan
        self._prepared: dict[bytes, str] = {}
        self._ran: list[str] = []
        self._kept_back: Trap | None = None
        for body in (self._forth, self._back):
            threading.Thread(target=body, daemon=True).start()

    def cut(self) -> None:
        """Both ends see the connection break."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _forth(self) -> None:
        with self._client, self._client.makefile("rb") as reader:
            with suppress(OSError):
                start = reader.read(4)  # the first message has no kind
                self._server.sendall(start + reader.read(int.from_bytes(start) - 4))
                while message := _message(reader):
                    trap = self._met(*message)
                    if trap is not None and not trap.after:
                        trap.act()
                        if trap.cuts:
                            break
                    elif trap is not None:
                        self._kept_back = trap
                    self._server.sendall(_encoded(*message))
            self.cut()

    def _back(self) -> None:
        with self._server, self._server.makefile("rb") as reader:
            with suppress(OSError):
                while message := _message(reader):
                    trap = self._kept_back
                    if trap is None:
                        self._client.sendall(_encoded(*message))
                    elif message[0] == b"Z":  # ready for the next query: this one is done
                        trap.act()
                        break
            self.cut()

    def _met(self, kind: bytes, body: bytes) -> Trap | None:
        """The trap at this message, if it runs a statement that one waits for."""
        if kind == b"Q":
            statement = body.rstrip(b"\0").decode()
        elif kind == b"P":
            name, text = body.split(b"\0")[:2]
            self._prepared[name] = text.decode()
            return None
        elif kind == b"B":
            statement = self._prepared[body.split(b"\0")[1]]
        else:
            return None
        trap = self._plan.take(statement, self._ran)
        self._ran = [] if statement.startswith("BEGIN") else [*self._ran, statement]
        return trap


def _message(reader: IO[bytes]) -> tuple[bytes, bytes] | None:
    head = reader.read(5)
    if len(head) < 5:
        return None
    return head[:1], reader.read(int.from_bytes(head[1:]) - 4)


def _encoded(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body
