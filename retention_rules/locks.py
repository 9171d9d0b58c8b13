"""Which lock a record gets when: short and liftable at intake, the class's own once it is filed."""

from __future__ import annotations

from datetime import datetime, timedelta

INTAKE_LOCK_LASTS = timedelta(days=30)


def intake_lock_until(received_at: datetime) -> datetime:
    """Until when the GOVERNANCE lock of a received record runs (instants in UTC).

    A wrong class can still be corrected before filing, so the lock that nobody can shorten comes only then.
    """
    return received_at.replace(microsecond=0) + INTAKE_LOCK_LASTS
