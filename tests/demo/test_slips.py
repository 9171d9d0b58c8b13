"""The demo's slips: the same for the same seed, of every form and file type, about nobody who lives."""

from __future__ import annotations

import io
from datetime import date

import pytest

from retention_rules.identifiers import is_luhn, problem_with
from vault.demo.forms import FORMS
from vault.demo.slips import DemoSlip, demo_slips
from vault.intake.checks import CheckPolicy
from vault.intake.decoding.isolated import examine

pytestmark = pytest.mark.slow
_TODAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def slips() -> list[DemoSlip]:
    return list(demo_slips(7, 40, _TODAY))


def test_the_same_seed_draws_the_same_slips(slips: list[DemoSlip]) -> None:
    assert {slip.file_name.rsplit(".", 1)[1] for slip in slips[:12]} == {"jpg", "pdf", "tif"}
    assert list(demo_slips(7, 12, _TODAY)) == slips[:12]
    assert [slip.data for slip in demo_slips(8, 3, _TODAY)] != [slip.data for slip in slips[:3]]


def test_every_form_and_every_type_of_file_occurs(slips: list[DemoSlip]) -> None:
    assert {slip.class_code for slip in slips} == {form.class_code for form in FORMS}
    assert {slip.file_name.rsplit(".", 1)[1] for slip in slips} == {"jpg", "pdf", "tif"}
    assert {slip.pages for slip in slips} >= {1, 2, 3}
    assert len({slip.data for slip in slips}) == len({slip.number for slip in slips}) == len(slips)


def test_what_is_entered_agrees_with_itself(slips: list[DemoSlip]) -> None:
    for slip in slips:
        told = slip.metadata
        assert _TODAY.replace(year=2024) <= date.fromisoformat(told["occurred_date"]) < _TODAY
        assert told["occurred_date"].replace("-", "") in slip.number
        assert problem_with("id_number", told["id_number"]) is None
        assert problem_with("phone", told["phone"]) is None
        assert "card_number" not in told or is_luhn(told["card_number"])
        assert told["handler"] != told["customer_name"] != ""


def test_file_names_hold_no_personal_data(slips: list[DemoSlip]) -> None:
    for slip in slips:
        secrets = [slip.metadata[name] for name in ("customer_name", "id_number", "phone")] + [slip.number]
        assert not [secret for secret in secrets if secret in slip.file_name]


def test_the_scanner_reads_each_number_and_finds_nothing_wrong(slips: list[DemoSlip]) -> None:
    for slip in slips:
        found = examine(io.BytesIO(slip.data), len(slip.data), CheckPolicy(), slip.file_name)
        assert (found.findings, found.slip_number, found.page_count) == ((), slip.number, slip.pages), slip.file_name
