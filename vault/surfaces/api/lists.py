"""What every list of the API has in common: asking for a page, its answer, the outcome of an act on several things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from vault.foundation.bulk import Outcome
from vault.foundation.db.keyset import COUNT_MAX, PAGE_SIZE_MAX, Span
from vault.surfaces.i18n import translator
from vault.surfaces.lists.listing import Line, Question
from vault.surfaces.problems import language_of


class PageAsked(BaseModel):
    """Which page: `after` continues below that id, `before` goes back above it."""

    model_config = ConfigDict(extra="forbid")

    after: UUID | None = None
    before: UUID | None = None
    size: int = Field(default=50, ge=1, le=PAGE_SIZE_MAX)

    @property
    def span(self) -> Span:
        """The page as the lists are asked for it."""
        return Span(self.after, self.before, self.size)


def page_body(
    name: str, question: Question[Line], wanted: PageAsked, body: Callable[[Line], dict[str, Any]]
) -> dict[str, Any]:
    """One page of a list, the keys of its neighbours, and how many lines the list has."""
    page = question.page(wanted.span)
    count = question.count_beside(page)
    return {
        name: [body(line) for line in page.lines],
        "before": str(page.before) if page.before else None,
        "after": str(page.after) if page.after else None,
        "count": min(count, COUNT_MAX),
        "count_is_exact": count <= COUNT_MAX,
    }


def outcome_body(outcome: Outcome, request: Request) -> dict[str, Any]:
    """What an act on several things did: the ids it reached, and the others with the reason."""
    say = translator(language_of(request)).gettext
    return {
        "done": [str(one) for one in outcome.done],
        "failed": [{"id": str(line.id), "name": line.name, "reason": say(line.note)} for line in outcome.failed],
    }
