"""A small archive to work with: real PostgreSQL, a store in memory, a file custodian, the clock standing still."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import img2pdf
import pytest
from PIL import Image, ImageDraw

from vault.access import service as access
from vault.access.model import Viewer
from vault.catalogue.classes import ensure_fonds
from vault.catalogue.model import Description
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.ids import new_id
from vault.foundation.jobs import runs
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.sequencer import sequence
from vault.foundation.storage import bare_store
from vault.foundation.storage.probe import probe
from vault.intake.model import Receipt, Upload
from vault.intake.service import receive
from vault.intake.tables import store_probes
from vault.retention import service as schedule
from vault.retention.simulation_jobs import ask_simulation, run_simulation
from vault.retention.simulations import Simulation, get_simulation


@dataclass
class Archive:
    """The parts and the operator, with the acts that tests repeat."""

    ctx: Context
    operator: Viewer
    clock: FixedClock
    first_password: str
    _count: int = field(default=0)

    def send(self, data: bytes, *, key: str | None = None, viewer: Viewer | None = None, **more: Any) -> Receipt:
        """Sends one file; `more` are fields of the description or of the upload."""
        self._count += 1
        told = {name: more.pop(name) for name in list(more) if name in Description.__dataclass_fields__}
        upload = Upload(
            content=io.BytesIO(data),
            size_bytes=len(data),
            sha256=hashlib.sha256(data).digest(),
            client_key=key or f"test-key-{self._count:06d}",
            class_code=more.pop("class_code", "GENERAL"),
            file_name=more.pop("file_name", "scan.jpg"),
            description=Description(**told),
            batch_id=more.pop("batch_id", None),
            unit_id=more.pop("unit_id", None),
        )
        return receive(self.ctx, viewer or self.operator, upload)

    def simulate(self, number: int, *, viewer: Viewer | None = None, on: date | None = None) -> Simulation:
        """Has a version of the schedule simulated, as a worker does it."""
        asked = ask_simulation(self.ctx, viewer or self.operator, number, on)
        progress = runs.Progress(self.ctx.database, self.clock, asked.run_id)
        assert progress.start()
        run_simulation(self.ctx, progress, str(asked.id))
        with self.ctx.database.read() as connection:
            return get_simulation(connection, asked.id)

    def sequence(self) -> None:
        """Numbers and signs what was committed."""
        sequence(self.ctx.database, self.ctx.custodian.public_key(), self.ctx.custodian.sign)


def make_archive(database: Database, clock: FixedClock, directory: Path, store_url: str | None = None) -> Archive:
    """An initialised archive on a fresh database."""
    custodian = open_custodian(f"file://{directory / 'custodian'}")
    ctx = Context(
        clock=clock,
        database=database,
        store=bare_store(store_url or f"memory://{uuid4().hex}", clock),
        custodian=custodian,
        keyring=Keyring(custodian),
        spool_directory=directory / "spool",
    )
    with database.transaction(SYSTEM) as tx:
        account = access.initialise(tx)
        assert account is not None
        schedule.begin(tx)
        ensure_fonds(tx, "0001", "0001")
        tx.commit()
    return Archive(ctx, access.operator_viewer(ctx), clock, account.one_time_password)


@pytest.fixture
def archive(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """An archive whose store was probed and found honest."""
    made = make_archive(database, clock, tmp_path)
    # The probe waits for locks to run out: on a clock that stands still, time is moved instead.
    report = probe(made.ctx.store, clock, pause=lambda seconds: clock.advance(timedelta(seconds=seconds)))
    assert report.lies == ()
    trust(made)
    return made


def trust(archive: Archive) -> None:
    """Notes that the store was probed and found honest, without the seconds that a probe of a directory takes."""
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": archive.clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()


def page(text: str = "业务单", *, dpi: int = 200, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A page with rules and writing, different for each seed."""
    image = Image.new(mode, (827, 1169), "white" if mode != "1" else 1)
    draw = ImageDraw.Draw(image)
    ink = "black" if mode != "1" else 0
    for row in range(20):
        draw.line((60, 100 + row * 50, 760, 100 + row * 50), fill=ink, width=2)
        draw.text((70, 110 + row * 50), f"{text.encode('ascii', 'ignore').decode()} {seed} line {row}", fill=ink)
    image.info["dpi"] = (dpi, dpi)
    return image


def jpeg(seed: int = 0) -> bytes:
    """A one-page JPEG scan, its own bytes for each seed."""
    out = io.BytesIO()
    page(seed=seed).save(out, "JPEG", quality=70, dpi=(100, 100))
    return out.getvalue()


def tiff(pages: int = 3, seed: int = 0) -> bytes:
    """A bitonal multi-page TIFF (G4)."""
    out = io.BytesIO()
    first, *rest = [page(seed=seed * 100 + number, mode="1") for number in range(pages)]
    first.save(out, "TIFF", compression="group4", dpi=(100, 100), save_all=True, append_images=rest)
    return out.getvalue()


def pdf(seed: int = 0) -> bytes:
    """A scanned one-page PDF."""
    made = img2pdf.convert(jpeg(seed))
    assert isinstance(made, bytes)
    return made
