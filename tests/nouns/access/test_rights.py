"""The one list of rights, and what each role may and must not do."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from uuid import UUID

import pytest

from vault.access.model import Viewer
from vault.access.rights import (
    FIRST_ADMINISTRATOR_ROLES,
    OFFICERS,
    RIGHT_WORDS,
    RIGHTS_BEFORE_PASSWORD,
    ROLE_NAMES,
    ROLE_PURPOSES,
    ROLE_RIGHTS,
    SEES_ALL_UNITS,
    STATION_SCOPES,
    STATION_SCOPES_USUAL,
    Right,
    Role,
    exclude_each_other,
    rights_of,
)
from vault.foundation.errors import NotAllowed

pytestmark = pytest.mark.clause("C4.4")
SEES_RECORDS = frozenset(right for right in Right if right.value.startswith(("records:", "intake:")))


def test_every_right_follows_the_grammar_and_is_described() -> None:
    assert set(RIGHT_WORDS) == set(Right)
    for right in Right:
        assert re.fullmatch(r"[a-z]+:[a-z]+:[a-z]+", right.value)
        assert right.name == right.value.replace(":", "_").upper()
        assert RIGHT_WORDS[right][0].isupper()


def test_every_role_is_named_and_every_right_belongs_to_a_role() -> None:
    assert set(ROLE_NAMES) == set(ROLE_PURPOSES) == set(ROLE_RIGHTS) == set(Role)
    assert frozenset().union(*ROLE_RIGHTS.values()) == frozenset(Right)


@pytest.mark.parametrize("officer", sorted(OFFICERS))
def test_officers_see_no_records(officer: Role) -> None:
    assert not ROLE_RIGHTS[officer] & SEES_RECORDS


def test_nobody_but_the_security_officer_grants_and_nobody_who_grants_runs_machines_or_exports_the_ledger() -> None:
    assert {role for role in Role if Right.ACCESS_ROLE_GRANT in ROLE_RIGHTS[role]} == {Role.SECURITY_OFFICER}
    for right in (Right.STORES_STORE_PROBE, Right.JOBS_JOB_CANCEL, Right.LEDGER_LEDGER_EXPORT):
        assert right not in ROLE_RIGHTS[Role.SECURITY_OFFICER]


def test_the_audit_officer_changes_nothing() -> None:
    changing = {"manage", "grant", "issue", "create", "send", "cancel", "probe", "classify"}
    assert not {right for right in ROLE_RIGHTS[Role.AUDIT_OFFICER] if right.value.split(":")[2] in changing}


def test_which_roles_exclude_each_other() -> None:
    apart = {frozenset(pair) for pair in combinations(Role, 2) if exclude_each_other(frozenset(pair))}
    expected = {frozenset(pair) for pair in combinations(OFFICERS, 2)}
    expected |= {frozenset({Role.SYSTEM_OFFICER, role}) for role in Role if role is not Role.SYSTEM_OFFICER}
    assert apart == expected
    assert not any(exclude_each_other(frozenset({role})) for role in Role)
    assert not exclude_each_other(frozenset(FIRST_ADMINISTRATOR_ROLES))


def test_a_station_can_only_be_given_what_stations_do() -> None:
    # A business system may report events of what it keeps; for the rest a station does what a clerk does.
    may = rights_of(frozenset({Role.CLERK})) | {Right.RETENTION_EVENT_REPORT}
    assert STATION_SCOPES_USUAL < STATION_SCOPES <= may
    assert Right.RECORDS_RECORD_READ not in STATION_SCOPES_USUAL


def test_before_the_password_is_changed_there_is_nothing_to_see() -> None:
    assert {right.value for right in RIGHTS_BEFORE_PASSWORD} == {"self:session:use", "public:page:view"}


def test_roles_for_all_units() -> None:
    assert {Role.ARCHIVIST, Role.ARCHIVE_ADMINISTRATOR, Role.LEGAL, Role.INSPECTOR} == SEES_ALL_UNITS


def test_a_viewer_without_the_right_is_refused_and_told_which() -> None:
    unit, other = UUID(int=1), UUID(int=2)
    viewer = Viewer(UUID(int=9), "person", "甲", frozenset({Right.RECORDS_RECORD_READ}), unit, frozenset({unit}))

    viewer.require(Right.RECORDS_RECORD_READ)
    with pytest.raises(NotAllowed, match="records:field:unmask"):
        viewer.require(Right.RECORDS_FIELD_UNMASK)
    assert (viewer.may_see_unit(unit), viewer.may_see_unit(other)) == (True, False)


def test_the_reference_tells_every_right_and_role_as_they_are() -> None:
    told = (Path(__file__).parents[3] / "docs/reference/rights.md").read_text("utf-8")

    for right in Right:
        roles = ", ".join(role.value for role in Role if right in ROLE_RIGHTS[role])
        assert re.search(
            rf"^\| `{right.value}` \| {re.escape(RIGHT_WORDS[right])} \| .+ \| {roles} \|$", told, re.MULTILINE
        )
    for role in Role:
        assert re.search(rf"^\| {role.value} \| .+ \| {re.escape(ROLE_PURPOSES[role])} \| ", told, re.MULTILINE)
