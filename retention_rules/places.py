"""Values from outside with the place where they stand, so that whoever wrote them finds what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from retention_rules.errors import InvalidData

LIST_MAX = 10_000


@dataclass(frozen=True)
class Place:
    """A value and where it stands: `events[2].day`."""

    value: Any
    path: str = ""

    def wrong(self, english: str, chinese: str) -> InvalidData:
        """The error that says so, in both languages."""
        return InvalidData(f"{self.path or 'at the top'}: {english}", f"{self.path or '最外层'}：{chinese}")

    def object(self, known: Collection[str]) -> Place:
        """Itself, if it is an object with no other fields than the known ones.

        Raises:
            InvalidData: it is not.
        """
        if not isinstance(self.value, dict):
            raise self.wrong("an object is expected", "应为对象")
        unknown = sorted(str(name) for name in set(self.value) - set(known))
        if unknown:
            named = ", ".join(unknown)[:200]
            raise self.wrong(f"unknown fields: {named}", f"没有这些字段：{named}")
        return self

    def has(self, name: str) -> bool:
        """Whether a field of an object is there and not null."""
        return self.value.get(name) is not None

    def at(self, name: str) -> Place:
        """A field that must be there.

        Raises:
            InvalidData: it is not.
        """
        if not self.has(name):
            raise self.wrong(f"the field {name} is missing", f"缺少 {name}")
        return Place(self.value[name], f"{self.path}.{name}" if self.path else name)

    def each(self, name: str, most: int = LIST_MAX) -> Iterator[Place]:
        """The entries of a list in a field; none when it is not there.

        Raises:
            InvalidData: it is not a list, or too long.
        """
        if not self.has(name):
            return
        entries = self.at(name)
        if not isinstance(entries.value, list):
            raise entries.wrong("a list is expected", "应为列表")
        if len(entries.value) > most:
            count = len(entries.value)
            raise entries.wrong(
                f"at most {most} entries are allowed, not {count}", f"最多 {most} 项，现有 {count} 项"
            )
        for place, value in enumerate(entries.value):
            yield Place(value, f"{entries.path}[{place}]")

    def text(self) -> str:
        """A text that is not blank.

        Raises:
            InvalidData: it is none.
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong("a text is expected", "应为文字")
        return self.value

    def day(self) -> date:
        """A day.

        Raises:
            InvalidData: it is none.
        """
        try:
            return date.fromisoformat(self.text())
        except ValueError as error:
            found = repr(str(self.value)[:40])
            raise self.wrong(
                f"a day such as 2026-11-30 is expected, not {found}", f"应为日期，如 2026-11-30，现为 {found}"
            ) from error

    def instant(self) -> datetime:
        """An instant, with its time zone.

        Raises:
            InvalidData: it is none.
        """
        example = "2026-11-30T12:00:00+08:00"
        try:
            at = datetime.fromisoformat(self.text())
        except ValueError as error:
            found = repr(str(self.value)[:40])
            raise self.wrong(
                f"an instant such as {example} is expected, not {found}", f"应为时刻，如 {example}，现为 {found}"
            ) from error
        if at.tzinfo is None:
            raise self.wrong(f"an instant needs its time zone, as in {example}", f"时刻须带时区，如 {example}")
        return at
