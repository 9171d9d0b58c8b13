"""The two lock stages: liftable at intake, the class's own once filed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from retention_rules.decision import decide
from retention_rules.law import Law, law_of
from retention_rules.locks import intake_lock_until
from retention_rules.model import PERMANENT, Bound, Calendar, ClassDefinition, Facts, LockPolicy, Period, Rule
from retention_rules.periods import parse_period

pytestmark = pytest.mark.clause("V1")
TODAY = date(2026, 11, 24)
FULL = LockPolicy()
ROLLING = LockPolicy(is_rolling=True, horizon=Period(months=12))


def asked(
    period: str, closed: str | None, own: str | None, policy: LockPolicy, locked: str | None
) -> tuple[Facts, Law]:
    length = parse_period(period)
    bound = Bound.PERMANENT if length == PERMANENT else Bound.MIN
    rule = Rule("R", "规则", "rule", length, bound, "closed", Calendar.EXACT_DATE, "art. 1", is_verified=True)
    definition = ClassDefinition(
        "A", "甲类", "A", "YW", "D10", own_period=parse_period(own) if own else None, rule_codes=("R",), lock=policy
    )
    events = {"closed": date.fromisoformat(closed)} if closed else {}
    facts = Facts("A", TODAY, events, locked_until=date.fromisoformat(locked) if locked else None)
    return facts, law_of([definition], {"R": (rule,)})


def test_the_intake_lock_is_thirty_days_in_whole_seconds() -> None:
    received_at = datetime(2026, 11, 24, 11, 30, 15, 987654, tzinfo=UTC)

    assert intake_lock_until(received_at) == datetime(2026, 12, 24, 11, 30, 15, tzinfo=UTC)
    assert intake_lock_until(received_at, LockPolicy(intake_lasts_days=7)) == datetime(
        2026, 12, 1, 11, 30, 15, tzinfo=UTC
    )


# period | event | own period | policy | locked until | new lock until | rolling
TABLE = [
    ("P10Y", "2026-11-24", None, FULL, None, "2036-11-24", False),
    ("P10Y", "2026-11-24", None, ROLLING, None, "2027-11-24", True),
    ("P6M", "2026-11-24", None, ROLLING, None, "2027-05-24", False),
    ("P10Y", None, None, FULL, None, "2027-11-24", True),
    ("P10Y", None, "P5Y", FULL, None, "2031-11-24", True),  # open, but five years are certain
    ("P10Y", None, "P5Y", ROLLING, None, "2027-11-24", True),
    ("permanent", None, None, FULL, None, "2027-11-24", True),
    ("P100Y", "2026-11-24", None, FULL, None, "2126-10-31", True),  # no store locks longer than 36,500 days
    ("P10Y", "2026-11-24", None, FULL, "2040-01-01", "2040-01-01", False),  # never shortened
    ("P10Y", "2026-11-24", None, ROLLING, "2030-01-01", "2030-01-01", True),
    ("P1Y", "2020-01-01", None, FULL, None, None, False),  # due: nothing to lock
    ("P1Y", "2020-01-01", None, FULL, "2026-11-23", None, False),
    ("P1Y", "2020-01-01", None, FULL, "2028-01-01", "2028-01-01", False),  # due, but promised longer
]


@pytest.mark.invariant("R1")
@pytest.mark.parametrize(("period", "closed", "own", "policy", "locked", "until", "rolling"), TABLE)
def test_the_lock_of_a_filed_record(
    period: str,
    closed: str | None,
    own: str | None,
    policy: LockPolicy,
    locked: str | None,
    until: str | None,
    rolling: bool,
) -> None:
    lock = decide(*asked(period, closed, own, policy, locked), TODAY).lock

    if until is None:
        assert lock is None
    else:
        assert lock is not None
        assert (lock.until_date.isoformat(), lock.is_rolling) == (until, rolling)
