"""What every list page has around its rows: views, count, paging, selection, acts, what to do when there is nothing."""

from __future__ import annotations

from dataclasses import dataclass

from vault.surfaces.web.views.parts import BLANK, Action, Form, Option, Paging


@dataclass(frozen=True, slots=True)
class SavedViewLink:
    """A view that somebody saved; `shared_by` is the owner's name when it is somebody else's."""

    id: str
    name: str
    href: str
    is_current: bool = False
    is_own: bool = True
    is_shared: bool = False
    shared_by: str = ""


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something that can be done to many lines; `label` is a message id."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Empty:
    """What a list without lines says; `text` and `hint` are message ids."""

    text: str
    hint: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class ListFrame:
    """A list around its rows. `hidden` are the filters as its forms carry them on, what may name a person sealed."""

    name: str
    path: str
    title: str
    paging: Paging
    empty: Empty
    hidden: tuple[tuple[str, str], ...] = ()
    is_narrowed: bool = False
    is_expired: bool = False
    views: tuple[SavedViewLink, ...] = ()
    may_save: bool = False
    may_export: bool = False
    acts: tuple[BulkAction, ...] = ()
    newest: str = ""
    save_form: Form = BLANK

    @property
    def may_pick(self) -> bool:
        """Whether lines can be selected: when there is something to do with them."""
        return self.may_export or bool(self.acts)

    @property
    def current_view(self) -> SavedViewLink | None:
        """The saved view that is open."""
        return next((view for view in self.views if view.is_current), None)


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Lines of which the same comes; `note` is a message id, `names` the first of them."""

    note: str
    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActField:
    """Something that an act asks before it is done; `label` is a message id. With options it is a choice."""

    name: str
    label: str
    options: tuple[Option, ...] = ()
    hint: str = ""
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class PlanView:
    """What an act on several lines would do, before it is done. Labels and titles are message ids."""

    title: str
    list_title: str
    back_href: str
    act_href: str
    act: str
    confirm: str
    consequence: str
    will: tuple[PlanGroup, ...]
    will_not: tuple[PlanGroup, ...]
    hidden: tuple[tuple[str, str], ...]
    fields: tuple[ActField, ...] = ()
    form: Form = BLANK

    @property
    def will_count(self) -> int:
        """How many lines the act will reach."""
        return sum(group.count for group in self.will)

    @property
    def will_not_count(self) -> int:
        """How many it will not."""
        return sum(group.count for group in self.will_not)


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What an act on several lines did; `undo` carries the act that takes it back."""

    title: str
    list_name: str
    list_title: str
    back_href: str
    done_count: int
    failed: tuple[PlanGroup, ...]
    undo: Action | None = None

    @property
    def failed_count(self) -> int:
        """How many lines it did not reach."""
        return sum(group.count for group in self.failed)
