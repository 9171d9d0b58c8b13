"""What people enter, brought into its normal form or refused with the reason (C2.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from retention_rules.identifiers import normalised_identifier, problem_with
from vault.catalogue.errors import BadFieldValue
from vault.catalogue.model import Description
from vault.catalogue.search import normalise
from vault.foundation.errors import N_

TEXT_LENGTH_MAX = 200
ATTRIBUTES_MAX = 40
FIRST_DAY = date(1900, 1, 1)  # what a mistyped year makes of a day lies before it


def checked_description(description: Description) -> Description:
    """The description in normal form: NFKC, single blanks, plain digits.

    Raises:
        BadFieldValue: a text is too long or holds control characters, or a personal number cannot be one.
    """
    if len(description.attributes) > ATTRIBUTES_MAX:
        raise BadFieldValue(field="attributes", problem=N_("there are more than 40"))
    attributes = {
        _text("attributes", name) or "": _text("attributes", value) or ""
        for name, value in description.attributes.items()
    }
    personal = []
    for kind, value in description.personal:
        plain = normalised_identifier(kind.value, value)
        problem = problem_with(kind.value, plain)
        if problem is not None:
            raise BadFieldValue(field=kind.value, problem=problem)
        personal.append((kind, plain))
    return Description(
        business_number=_text("business_number", description.business_number),
        business_type=_text("business_type", description.business_type),
        title=_text("title", description.title),
        handler=_text("handler", description.handler),
        customer_name=_text("customer_name", description.customer_name),
        occurred_date=description.occurred_date,
        attributes=attributes,
        personal=tuple(personal),
    )


def require_done(day: date | None, today: date) -> None:
    """Refuses a date of the business on which it cannot have been done. `today` is the organisation's day.

    The day goes into the archival number and begins the periods, and a slip comes in when its business is done.

    Raises:
        BadFieldValue: the day lies ahead, or before 1900.
    """
    if day is not None and day < FIRST_DAY:
        raise BadFieldValue(field="occurred_date", problem=N_("the day is before 1900"))
    if day is not None and day > today:
        raise BadFieldValue(field="occurred_date", problem=N_("the day has not come yet"))


def title_of(title: str | None, business_type: str | None, class_name: str, day: date) -> str:
    """The title 题名; where nobody gave one, what the record is about and from which day."""
    return title or f"{business_type or class_name} {day.isoformat()}"


def with_slip_number(description: Description, slip_number: str | None) -> Description:
    """The description with the number read from the slip's barcode, where nobody entered one."""
    if slip_number is None or description.business_number:
        return description
    return replace(description, business_number=slip_number)


def _text(field: str, value: str | None) -> str | None:
    if value is None:
        return None
    plain = normalise(value)
    if len(plain) > TEXT_LENGTH_MAX:
        raise BadFieldValue(field=field, problem=N_("it is longer than 200 characters"))
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in plain):
        raise BadFieldValue(field=field, problem=N_("it holds control characters"))
    return plain or None
