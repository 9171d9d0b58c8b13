"""The page on which scans are sent in."""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.surfaces.web.views.intake import Balance, BatchRow
from vault.surfaces.web.views.parts import BLANK, Form, Link, Option


@dataclass(frozen=True, slots=True)
class ClassOption:
    """A retention class to choose at intake, with what it means in a line."""

    code: str
    name: str
    period: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """What became of one file that the plain form sent; `told` are pairs of a message and what can be done."""

    file_name: str
    state: str
    record: Link | None = None
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeView:
    """The intake page. When `stopped_because` has message ids, the store lied and nothing can be sent.

    A batch is opened when it has a name: the first showing proposes one in `form.values["batch_name"]`.
    The values of `units` are unit codes. `person_key` names the person to the browser's own memory, and nobody else.
    """

    classes: tuple[ClassOption, ...]
    units: tuple[Option, ...]
    accepted_types: str
    upload_bytes_max: int
    person_key: str = ""
    items_href: str = "/api/v1/intake/items"
    batches_href: str = "/api/v1/batches"
    form: Form = BLANK
    batch: Link | None = None
    sent: tuple[SentFile, ...] = ()
    stopped_because: tuple[str, ...] = ()
    recent: tuple[BatchRow, ...] = ()
    no_balance: Balance = field(default_factory=lambda: Balance(None, 0, 0, 0))

    @property
    def is_described(self) -> bool:
        """Whether something of the description was entered before."""
        names = ("business_type", "business_number", "customer_name", "handler", "occurred_date")
        return any(self.form.value(name) for name in names)
