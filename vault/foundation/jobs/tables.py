"""Runs of long work, as people see them. The queue's own tables are Procrastinate's."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from vault.foundation.db.metadata import metadata

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger),
    Column("result", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("problem", Text),
    Column("started_by", Uuid),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("beat_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state_known"),
)
Index("job_runs_task_id_idx", job_runs.c.task, job_runs.c.id)
Index("job_runs_open_idx", job_runs.c.id, postgresql_where=job_runs.c.state.in_(["waiting", "running"]))
