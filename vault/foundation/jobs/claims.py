"""Claims on rows of work: a worker notes that it is at work on a row, and the note runs out when the worker died."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, not_, or_


def is_free(
    claimed_at: ColumnElement[datetime] | ColumnElement[datetime | None], lasts: timedelta, now: datetime
) -> ColumnElement[bool]:
    """Whether nobody is at work on a row: never claimed, or the claim ran out, as by `clock.is_over`."""
    return or_(claimed_at.is_(None), not_(claimed_at.between(now - lasts, now + lasts)))
