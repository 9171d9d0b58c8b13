"""Triggers: the events from which periods count, and those that follow from others.

An event is known by its name and day. Some need no report of their own: the year in which a record was made ends
without anybody saying so. Others are the later of two events, and open until both have happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from retention_rules.model import FiscalYear
from retention_rules.periods import fiscal_year_end, year_end

# The day a record was made or its business done, by whichever of these names it is known.
_MADE = ("document_created", "record_created", "slip_closed")

# A compound trigger has happened when all its parts have, on the day of the last.
COMPOUND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "relationship_or_transaction_end": ("relationship_ended", "transaction_completed"),
        "project_completed_and_wages_settled": ("project_completed", "wages_settled"),
        "created_or_last_in_effect": ("record_created", "last_in_effect"),
    }
)


def trigger_date(trigger: str, events: Mapping[str, date], fiscal_year: FiscalYear) -> date | None:
    """The day on which `trigger` happened; none while it is open. What was reported goes before what follows."""
    if trigger in events:
        return events[trigger]
    if trigger in COMPOUND:
        parts = [events.get(part) for part in COMPOUND[trigger]]
        days = [day for day in parts if day is not None]
        return max(days) if len(days) == len(parts) else None
    made = [events[name] for name in _MADE if name in events]
    if made and trigger == "fiscal_year_end":
        return fiscal_year_end(max(made), fiscal_year)
    if made and trigger == "record_year":
        return year_end(max(made))
    return None
