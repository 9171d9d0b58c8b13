"""Legal staff, department heads, and records to hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.nouns.retention.conftest import look, make_person, send  # noqa: F401 - fixtures
from tests.support.archive import Archive
from vault.access.model import Viewer
from vault.access.rights import Role
from vault.holds.jobs import tell_waiting
from vault.holds.model import Authority, Hold, NewMatter, Placed
from vault.holds.queries import get_hold
from vault.holds.releasing import approve_release, propose_release
from vault.holds.service import open_matter, place_hold

COURT = NewMatter(Authority.COURT, "市中级人民法院", "(2026) 法执字第 17 号", "民事诉讼法第七十条", "张三诉李四")


@dataclass(frozen=True)
class Lawyers:
    """Who acts in these tests: two of the legal staff, three department heads, and the archive they act in."""

    archive: Archive
    legal: Viewer
    other: Viewer
    heads: tuple[Viewer, Viewer, Viewer]

    def matter(self) -> UUID:
        """A matter for a court."""
        return open_matter(self.archive.ctx, self.legal, COURT).id

    def place(self, matter_id: UUID, *record_ids: UUID) -> Placed:
        """Holds records under a matter."""
        return place_hold(self.archive.ctx, self.legal, matter_id, list(map(str, record_ids)), "法院要求保全")

    def release(self, hold_id: UUID) -> Hold:
        """Releases a hold: proposed by one, approved by two."""
        propose_release(self.archive.ctx, self.legal, hold_id, "案件已结")
        read = self.proposal(hold_id)
        approve_release(self.archive.ctx, self.heads[0], hold_id, read)
        return approve_release(self.archive.ctx, self.heads[1], hold_id, read)

    def proposal(self, hold_id: UUID) -> UUID:
        """The newest proposal to release a hold; one that nobody made where there is none."""
        with self.archive.ctx.database.read() as connection:
            proposed = get_hold(connection, hold_id).release
        return proposed.id if proposed else UUID(int=0)

    def tell_stores(self) -> list[UUID]:
        """Does what waits for the stores, as a worker does."""
        return list(tell_waiting(self.archive.ctx))


@pytest.fixture
def lawyers(archive: Archive, make_person: Callable[..., Viewer]) -> Lawyers:  # noqa: F811
    """Everybody who is needed."""
    return Lawyers(
        archive,
        make_person("legal", Role.LEGAL),
        make_person("legal2", Role.LEGAL),
        (
            make_person("head1", Role.APPROVER),
            make_person("head2", Role.APPROVER),
            make_person("head3", Role.APPROVER, Role.LEGAL),
        ),
    )
