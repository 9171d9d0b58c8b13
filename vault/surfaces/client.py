"""The HTTP client of command line and scanning stations: what passes by itself is told from what does not.

One call is one attempt. A failure that waiting may cure (no connection, a cut answer, 408, 429, 5xx) raises
`Unavailable`; the server's final no raises `ServerRefused`, which carries its problem document (RFC 9457);
`patience` repeats attempts with growing pauses. Every change that is sent is idempotent, so an
attempt whose answer was lost may always be repeated. Files are streamed: memory does not grow with their size.
"""

from __future__ import annotations

import base64
import email.utils
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from vault import __version__
from vault.foundation.clock import Clock, SystemClock
from vault.foundation.errors import N_, Fault, VaultError
from vault.surfaces.local_file import CHUNK_BYTES, LocalFile

PIECE_BYTES = 32 << 20  # larger files go in pieces of this size, a whole number of the server's segments
_SLOWEST_BYTES_PER_S = 2_000_000  # what the server may take to seal and store, on top of the plain waiting time
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
_PASSING_CODES = frozenset({"body-cut-off", "digest-mismatch", "piece-out-of-place"})
_STILL_STORING = "upload-busy"


class Unavailable(VaultError):
    """This attempt failed in a way that waiting may cure; nothing is known to be lost."""

    code = "server-unavailable"
    status = 503
    exit_code = 69
    fault = Fault.OURS
    message = N_("The server {server} could not be used: {problem}.")
    hint = N_("Check the network and whether the server runs. What was sent is safe; the same command goes on.")

    def __init__(self, *, retry_after_s: float | None = None, is_whole_server: bool = True, **facts: object) -> None:
        super().__init__(**facts)
        self.retry_after_s = retry_after_s
        self.is_whole_server = is_whole_server
        self.has_got_on = False  # part of the way was made before it failed: patience begins anew


class FetchedDamaged(VaultError):
    """The bytes that arrived are not those the server's catalogue names."""

    code = "fetched-damaged"
    status = 502
    exit_code = 65
    fault = Fault.STORE
    message = N_("The file arrived damaged: its digest is {received}, not {announced}.")
    hint = N_("Nothing was written. Fetch it again; if it persists, have the operator run slipvault verify.")


class Interrupted(VaultError):
    """The person at the keyboard or the host asked to stop."""

    code = "interrupted"
    status = 499
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Stopped on request.")
    hint = N_("What was answered is safe. The same command goes on where this one stopped.")


class ServerRefused(VaultError):
    """The server's final answer is no; `problem` is its problem document."""

    code = "server-refused"
    status = 400
    exit_code = 65
    fault = Fault.CALLER
    message = N_("The server refused: {title}")
    hint = N_("{hint}")

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(title=str(problem.get("title", status)), hint=str(problem.get("hint", "")))
        self.http_status = status
        self.problem = problem

    @property
    def problem_code(self) -> str:
        """The stable code of the problem."""
        return str(self.problem.get("code", "server-refused"))


OnSent = Callable[[int], None]


@dataclass(frozen=True)
class Answer:
    """What the server settled about one file, accepted, duplicate or refused."""

    status: str
    item_id: str | None
    record_id: str | None
    archival_number: str | None
    findings: tuple[Mapping[str, Any], ...] = ()
    is_repeated: bool = False
    ledger: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None

    @property
    def reason(self) -> str | None:
        """The code of the first finding that refuses, or of the refusal itself."""
        if self.status != "refused":
            return None
        codes = [str(finding["code"]) for finding in self.findings if finding.get("severity") == "refuse"]
        return codes[0] if codes else "item-refused"


class Client:
    """A connection to one server for one token; safe to use from several threads."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        language: str = "zh",
        connections: int = 8,
        waiting_s: float = 120.0,
        clock: Clock | None = None,
        newest_token: Callable[[], str] | None = None,
    ) -> None:
        """`newest_token` looks where `token` came from: what a restart or an operator renewed meanwhile is taken up."""
        self.server = server.rstrip("/")
        self._newest_token = newest_token or (lambda: token)
        self._waiting_s = waiting_s
        self._clock = clock or SystemClock()
        is_local = httpx.URL(self.server).host in {"127.0.0.1", "::1", "localhost"}
        self._http = httpx.Client(
            base_url=f"{self.server}/api/v1",
            headers={
                **({"Authorization": f"Bearer {token}"} if token else {}),  # nobody, for whoever signs in
                "Accept-Language": language,
                "User-Agent": f"slipvault/{__version__}",
            },
            limits=httpx.Limits(max_connections=connections + 2, keepalive_expiry=20),
            timeout=httpx.Timeout(waiting_s, connect=10.0, pool=waiting_s),
            trust_env=not is_local,
        )

    def close(self) -> None:
        """Lets go of all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """Reads. Raises Unavailable, ServerRefused."""
        return self._json("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Asks for something idempotent. Raises Unavailable, ServerRefused."""
        return self._json("POST", path, json=dict(body or {}))

    def send(
        self,
        file: LocalFile,
        key: str,
        metadata: Mapping[str, Any],
        *,
        on_sent: OnSent = lambda _bytes: None,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Sends one file; refused is an answer, too. A large one goes on where an earlier attempt ended.

        `on_sent` is told how many of its bytes have gone out. A large file stops between two pieces when `stop` is set.

        Raises:
            Unavailable: waiting may help. Sending again with the same key is always right.
            ServerRefused: the request is wrong, whatever the file is.
            FileChanged: the file is no longer what was hashed.
            Interrupted: `stop` was set.
        """
        told = json.dumps({k: v for k, v in metadata.items() if v is not None}, ensure_ascii=False).encode()
        headers = {
            "Idempotency-Key": key,
            "X-Content-SHA256": file.sha256,
            "Slipvault-Metadata": base64.urlsafe_b64encode(told).decode().rstrip("="),
            "Content-Type": "application/octet-stream",
        }
        try:
            if file.size_bytes > PIECE_BYTES:
                return _answer(self._send_in_pieces(file, headers, on_sent, stop or threading.Event()))
            return _answer(self._send_piece(file, headers, 0, file.size_bytes, on_sent))
        except ServerRefused as refusal:
            if refusal.problem_code == "item-refused":
                return _answer(refusal.problem)
            raise

    def _send_in_pieces(
        self, file: LocalFile, headers: dict[str, str], on_sent: OnSent, stop: threading.Event
    ) -> dict[str, Any]:
        size, has_got_on = file.size_bytes, False
        try:
            # A question without bytes: it is answered by how much has arrived, or by the receipt.
            body = self._send_piece(file, {**headers, "Content-Range": f"bytes */{size}"}, 0, 0, on_sent)
            while body.get("status") == "receiving":
                if stop.is_set():
                    raise Interrupted
                start = int(body["received_bytes"])
                end = min(size, start + PIECE_BYTES)
                on_sent(start)
                ranged = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"}
                body = self._send_piece(file, ranged, start, end, on_sent)
                has_got_on = True
        except Unavailable as why:
            why.has_got_on = has_got_on or why.facts.get("answer") == _STILL_STORING
            raise
        return body

    def _send_piece(
        self, file: LocalFile, headers: dict[str, str], start: int, stop: int, on_sent: OnSent
    ) -> dict[str, Any]:
        def counted() -> Iterator[bytes]:
            sent = start
            for chunk in file.chunks() if stop - start == file.size_bytes else file.piece(start, stop):
                yield chunk
                sent += len(chunk)
                on_sent(sent)

        # After the last byte the server seals and stores the whole.
        waiting_s = self._waiting_s + file.size_bytes / _SLOWEST_BYTES_PER_S
        sized = {**headers, "Content-Length": str(stop - start)}
        return self._json("POST", "/intake/items", content=counted(), headers=sized, timeout=waiting_s)

    def close_batch(self, batch_id: str) -> dict[str, Any]:
        """Closes a batch, or tells how it was closed by an attempt whose answer was lost."""
        try:
            return self.post(f"/batches/{batch_id}/close")
        except ServerRefused as refusal:
            if refusal.problem_code == "batch-closed":
                return self.get(f"/batches/{batch_id}")
            raise

    def fetch(self, record_id: str, target: BinaryIO, on_bytes: Callable[[int, int], None] | None = None) -> str:
        """Adds what `target` lacks of the original and returns the SHA-256 that the server announces (hexadecimal).

        An attempt that was cut goes on where it ended when it is repeated with the same target.

        Raises:
            Unavailable, ServerRefused.
        """
        offset = max(0, target.seek(0, os.SEEK_END) - 1)  # one byte again: a range that lacks nothing is no range
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with (
            self._passing(),
            self._http.stream("GET", f"/records/{record_id}/original", headers=headers) as response,
        ):
            if response.status_code >= 400:
                response.read()
                raise self._failure(response)
            if offset and response.status_code != 206:
                target.truncate(0)
                offset = 0
            target.seek(offset)
            total = offset + int(response.headers.get("content-length", 0))
            for chunk in response.iter_bytes(CHUNK_BYTES):
                target.write(chunk)
                if on_bytes is not None:
                    on_bytes(target.tell(), total)
            return str(response.headers.get("x-content-sha256", ""))

    def export(self, path: str, body: Mapping[str, Any], target: BinaryIO) -> int:
        """Writes a list as CSV into `target` and returns how many lines the server announced.

        Raises:
            Unavailable, ServerRefused.
        """
        with self._passing(), self._http.stream("POST", path, json=dict(body)) as response:
            if response.status_code >= 400:
                response.read()
                raise self._failure(response)
            target.writelines(response.iter_bytes(CHUNK_BYTES))
            return int(response.headers.get("slipvault-count", 0))

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        with self._passing():
            response = self._http.request(method, path, **options)
        if response.status_code >= 400:
            raise self._failure(response)
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code >= 300 or not isinstance(body, dict):
            raise Unavailable(server=self.server, problem=N_("what answers there is not slipvault"))
        return body

    @contextmanager
    def _passing(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise Unavailable(server=self.server, problem=_words_of(error)) from error

    def _failure(self, response: httpx.Response) -> VaultError:
        try:
            told = response.json()
        except ValueError:
            told = None
        problem: dict[str, Any] = told if isinstance(told, dict) else {}
        status, code = response.status_code, str(problem.get("code", ""))
        used = response.request.headers.get("authorization")
        if status == 401 and used is not None and self._has_newer_token(used):
            return Unavailable(server=self.server, problem=N_("it was given a new token"), is_whole_server=False)
        if status in _PASSING_STATUS or code in _PASSING_CODES:
            return Unavailable(
                server=self.server,
                problem=str(problem.get("title") or f"HTTP {status}").rstrip(".。"),
                answer=code or None,
                retry_after_s=self._retry_after_s(response.headers.get("retry-after")),
                is_whole_server=status in {429, 502, 503, 504} and code != _STILL_STORING,
            )
        return ServerRefused(status, {"code": f"http-{status}", "title": f"HTTP {status}", **problem})

    def _has_newer_token(self, used: str) -> bool:
        with suppress(VaultError):
            self._http.headers["Authorization"] = f"Bearer {self._newest_token()}"
        return used != self._http.headers["Authorization"]

    def _retry_after_s(self, value: str | None) -> float | None:
        """Seconds or a date (RFC 9110 section 10.2.3); nonsense counts as nothing."""
        if value is None:
            return None
        if value.strip().isdigit():
            return float(value)
        try:
            at = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, at.timestamp() - self._clock.now().timestamp())


def _answer(body: Mapping[str, Any]) -> Answer:
    status = "refused" if body.get("code") else str(body.get("status"))
    if status not in {"accepted", "duplicate", "refused"}:
        raise Unavailable(
            problem=N_("the server has not settled the file yet")
        )  # only what is settled may be put away
    return Answer(
        status=status,
        item_id=body.get("item_id"),
        record_id=body.get("record_id"),
        archival_number=body.get("archival_number"),
        findings=tuple(body.get("findings") or ()),
        is_repeated=bool(body.get("repeated")),
        ledger=body.get("ledger") or {},
        message=body.get("title"),
    )


def _words_of(error: httpx.TransportError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return N_("its certificate is not trusted")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return N_("it did not answer in time")
    is_refused = isinstance(error, httpx.ConnectError)
    return N_("there is no connection to it") if is_refused else N_("the connection was cut")
