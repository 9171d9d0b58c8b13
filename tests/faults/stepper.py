"""One upload in a process of its own that dies, or is refused something, at a step that the test names.

    python -m tests.faults.stepper URL HOME STORE_URL CUSTODIAN_DIR STEP HOW FILE KEY

The steps are those of `vault.intake.service.receive`. The world is changed, not our code: a store that wraps the real
one, and a connection hook that counts commits, die or raise where they are told to. HOW is `kill` (SIGKILL to oneself)
or `error`. Exit 0 and the receipt's status on standard output when the upload went through.
"""

from __future__ import annotations

import hashlib
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import event

from vault.access.service import operator_viewer
from vault.catalogue.model import Description
from vault.foundation.clock import SystemClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.storage import bare_store
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import Content, Lock, ObjectInfo
from vault.intake.model import Upload
from vault.intake.service import receive

STEPS = (
    "before-commit-1",
    "after-commit-1",
    "before-put",
    "inside-put",
    "after-put",
    "before-commit-2",
    "after-commit-2",
)


class Dying:
    """Dies or raises at the chosen step."""

    def __init__(self, step: str, how: str) -> None:
        self._step = step
        self._how = how

    def at(self, step: str) -> None:
        if step != self._step:
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self._step = ""
        raise StoreUnavailable(store="faulty", problem=step)


class FaultyStore:
    """The real store with the steps around its put."""

    def __init__(self, inner: Any, dying: Dying) -> None:
        self.inner = inner
        self.name = inner.name
        self._dying = dying

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        self._dying.at("before-put")
        if self._dying._step == "inside-put":
            content = _CutContent(content, self._dying)
        info: ObjectInfo = self.inner.put_new(key, content, lock, is_fresh=is_fresh)
        self._dying.at("after-put")
        return info

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _CutContent(Content):
    def __init__(self, inner: Content, dying: Dying) -> None:
        super().__init__(None, None, inner.size_bytes, inner.sha256)
        self._inner = inner
        self._dying = dying

    def open(self) -> BinaryIO:
        whole = self._inner.open().read()
        dying = self._dying

        class Cut(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() >= len(whole) // 2:
                    dying.at("inside-put")
                return super().read(min(len(whole) // 2, size if size and size > 0 else len(whole)))

        return Cut(whole)


def main() -> None:
    url, home, store_url, custodian_directory, step, how, file, key = sys.argv[1:9]
    clock, dying = SystemClock(), Dying(step, how)
    database = Database(url, clock, pool_size=2)
    commits = 0

    @event.listens_for(database.engine, "commit")
    def before_commit(_connection: Any) -> None:
        nonlocal commits
        commits += 1
        dying.at(f"before-commit-{commits}")

    custodian = open_custodian(f"file://{custodian_directory}")
    ctx = Context(
        clock=clock,
        database=database,
        store=FaultyStore(bare_store(store_url, clock), dying),
        custodian=custodian,
        keyring=Keyring(custodian),
        spool_directory=Path(home) / "spool",
    )
    viewer = operator_viewer(ctx)
    original_close = database.transaction

    def transaction(actor: Any) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def stepped() -> Any:
            before = commits
            with original_close(actor) as tx:
                yield tx
            if commits > before:
                dying.at(f"after-commit-{commits}")

        return stepped()

    object.__setattr__(database, "transaction", transaction)
    data = Path(file).read_bytes()
    upload = Upload(
        content=io.BytesIO(data),
        size_bytes=len(data),
        sha256=hashlib.sha256(data).digest(),
        client_key=key,
        class_code="GENERAL",
        file_name="scan.jpg",
        description=Description(customer_name="张三"),
        batch_id=None,
        unit_id=None,
    )
    receipt = receive(ctx, viewer, upload)
    print(receipt.status.value, receipt.record_id)


if __name__ == "__main__":
    main()
