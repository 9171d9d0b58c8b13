"""Somebody with the database alters what people decided: matters, holds, and who proposed and approved what."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine

from tests.nouns.oversight.holding import hold, release
from tests.nouns.oversight.test_attacks import lawless, undone
from tests.support.archive import Archive, jpeg
from vault.access.tables import approvals, proposals
from vault.holds.jobs import tell_waiting
from vault.holds.model import Authority, NewMatter
from vault.holds.releasing import propose_release
from vault.holds.service import open_matter, place_hold
from vault.holds.tables import holds, matters
from vault.oversight.verification import verify

pytestmark = [pytest.mark.clause("V7"), pytest.mark.invariant("A1"), pytest.mark.invariant("H1")]
TABLES = (matters, holds, proposals, approvals)
ANOTHER = "gen_random_uuid()"
ATTACKS = {
    "UPDATE matters SET title = '别的案件'": {"matters": "altered"},
    "UPDATE matters SET closed_at = now(), closed_by = opened_by": {"matters": "altered"},
    "DELETE FROM matters": {"matters": "removed", "holds": "altered"},
    "UPDATE holds SET reason = '别的理由' WHERE released_at IS NULL": {"holds": "altered"},
    "UPDATE holds SET released_at = now() WHERE released_at IS NULL": {"holds": "altered"},
    "UPDATE holds SET released_at = NULL WHERE released_at IS NOT NULL": {"holds": "altered"},
    "UPDATE holds SET release_reason = '别的理由' WHERE released_at IS NOT NULL": {"holds": "altered"},
    "UPDATE holds SET review_date = '2030-01-01'": {"holds": "altered"},
    "DELETE FROM holds": {"holds": "removed"},
    f"UPDATE holds SET id = {ANOTHER}": {"holds": "removed unwitnessed"},
    "DELETE FROM approvals": {"approvals": "removed"},
    f"UPDATE approvals SET person_id = {ANOTHER}": {"approvals": "removed unwitnessed"},
    "UPDATE approvals SET is_approved = false": {"approvals": "altered"},
    "UPDATE proposals SET proposed_by = (SELECT min(person_id::text)::uuid FROM approvals)": {"proposals": "altered"},
    "UPDATE proposals SET state = 'withdrawn'": {"proposals": "altered"},
    "UPDATE proposals SET approvals_needed = 1": {"proposals": "altered"},
    "UPDATE proposals SET digest = sha256('')": {"proposals": "altered"},
    "UPDATE proposals SET act = 'a:b:c'": {"proposals": "altered"},
    f"UPDATE proposals SET subject_id = {ANOTHER}": {"proposals": "altered"},
    "DELETE FROM proposals": {"proposals": "removed"},
}


def _found(archive: Archive) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for one in verify(archive.ctx).findings:
        found.setdefault(one.facts.get("table", ""), set()).add(one.code.value.removeprefix("decision-"))
    return {table: " ".join(sorted(codes)) for table, codes in found.items()}


def test_what_people_decided_is_held_against_the_ledger(archive: Archive, attacker: Engine) -> None:
    first = archive.send(jpeg(1)).record_id
    assert first is not None
    ended = hold(archive, first)
    release(archive, ended)
    expected_suit = NewMatter(Authority.HOUSE, "本行", "", "民事诉讼法", "预计的诉讼")
    matter = open_matter(archive.ctx, archive.operator, expected_suit)
    names = [str(archive.send(jpeg(2)).record_id)]
    lasting = place_hold(archive.ctx, archive.operator, matter.id, names, "预计诉讼").hold.id
    propose_release(archive.ctx, archive.operator, lasting, "不再需要")
    list(tell_waiting(archive.ctx))
    archive.sequence()
    assert _found(archive) == {}
    wrong = {}
    for statement, expected in ATTACKS.items():
        with undone(attacker, *TABLES):
            with lawless(attacker) as connection:
                connection.execute(text(statement))
            if (found := _found(archive)) != expected:
                wrong[statement] = found
    assert _found(archive) == {}
    assert wrong == {}
