"""YAML as this law reads it: plain values only. What strangers send must cost no more than its own length.

Aliases are refused, as a few hundred bytes of them are a gigabyte when they are written out; so is what lies deeper than
any file of ours.
"""

from __future__ import annotations

from typing import Any

import yaml

from retention_rules.errors import InvalidData

CHARACTERS_MAX, DEPTH_MAX = 2**20, 20


class AliasUsed(yaml.MarkedYAMLError):
    """An alias stands in the text."""


class PlainLoader(yaml.SafeLoader):
    """The safe loader without aliases and without depth.

    Raises:
        AliasUsed, yaml.MarkedYAMLError: when it composes a text that has them.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._depth = 0

    def _here(self) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call] # of the library
        return event.start_mark

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node and all that lies in it."""
        if self.check_event(yaml.AliasEvent):
            raise AliasUsed(problem="aliases are not read", problem_mark=self._here())
        if self._depth >= DEPTH_MAX:
            problem = f"nothing lies deeper than {DEPTH_MAX} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=self._here())
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read_plain(text: str) -> Any:
    """The values of a text.

    Raises:
        InvalidData: it is too long, too deep, has aliases, or is no YAML.
    """
    if len(text) > CHARACTERS_MAX:
        raise InvalidData(f"the text has more than {CHARACTERS_MAX} characters", f"文本超过 {CHARACTERS_MAX} 个字符")
    try:
        return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - it is a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise InvalidData(f"the text is not YAML: {told}", f"文本不是有效的 YAML：{told}") from error
