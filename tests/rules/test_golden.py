"""Golden decisions: each row is a record an archivist can picture, the day asked, and what the law says of it."""

from __future__ import annotations

from datetime import date

import pytest

from retention_rules.decision import decide
from tests.rules.cases import Row, asked, rows


@pytest.mark.clause("C6.1")
@pytest.mark.clause("C8.1")
@pytest.mark.parametrize("row", rows(), ids=str)
def test_what_the_law_says(row: Row) -> None:
    facts, law = asked(row)

    decision = decide(facts, law, date.fromisoformat(row.asked_on))

    assert (
        decision.what.value,
        str(decision.retain_until or ""),
        str(decision.delete_by or ""),
        decision.winning.rule,
    ) == (row.decision, row.keep_until, row.delete_by, row.decided_by), row.story
