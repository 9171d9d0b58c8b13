"""Holds as legal staff place and department heads release them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from tests.support.archive import Archive
from vault.access import service as access
from vault.access.model import Viewer
from vault.access.queries import viewer_of_person
from vault.access.rights import Role, rights_of
from vault.holds.model import Authority, NewMatter
from vault.holds.releasing import approve_release, propose_release
from vault.holds.service import open_matter, place_hold


def hold(archive: Archive, *record_ids: UUID) -> UUID:
    """Holds records under a matter of their own; gives the hold's id."""
    legal = _person(archive, "legal", Role.LEGAL)
    court = NewMatter(Authority.COURT, "市中级人民法院", "(2026) 17 号", "民事诉讼法第七十条", "买卖合同纠纷")
    matter = open_matter(archive.ctx, legal, court)
    return place_hold(archive.ctx, legal, matter.id, [str(one) for one in record_ids], "法院要求保全").hold.id


def release(archive: Archive, hold_id: UUID) -> None:
    """Releases a hold, by three people."""
    proposed = propose_release(archive.ctx, _person(archive, "legal2", Role.LEGAL), hold_id, "案件已结").release
    assert proposed is not None
    for login in ("head1", "head2"):
        approve_release(archive.ctx, _person(archive, login, Role.APPROVER), hold_id, proposed.id)


def _person(archive: Archive, login: str, role: Role) -> Viewer:
    roles, unit = frozenset({role}), archive.operator.unit_id
    account = access.create_person(archive.ctx, archive.operator, login, f"{login} 的姓名", unit, roles)
    with archive.ctx.database.read() as connection:
        viewer = viewer_of_person(connection, account.person_id)
    assert viewer is not None
    return replace(viewer, rights=rights_of(roles), must_change_password=False)
