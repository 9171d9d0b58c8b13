"""The law from the command line, with nothing of ours but the law itself.

    python -m retention_rules decide [--language zh|en] < facts.json
    python -m retention_rules packs

`decide` prints the decision as JSON; what goes in and out is told in docs/formats/retention-facts.md. `packs` prints the
version and digest of each shipped pack. Exit codes: 0 done, 64 wrong usage, 65 wrong data, the reason on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import NoReturn

from retention_rules import shipped
from retention_rules.aggregates import Together
from retention_rules.answers import answer, answer_together
from retention_rules.errors import InvalidData
from retention_rules.question import read_question
from retention_rules.words import LANGUAGES

USAGE, DATA = 64, 65
BYTES_MAX = 64 * 2**20


class _Parser(argparse.ArgumentParser):
    """One whose refusals have the exit code of wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong with the arguments, and ends."""
        self.exit(USAGE, f"{self.format_usage()}{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = _Parser(prog="python -m retention_rules", description="What the law says of a record.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    decide = commands.add_parser("decide", help="facts on standard input, the decision on standard output")
    decide.add_argument("--language", choices=LANGUAGES, default="zh", help="of the texts (default: zh)")
    commands.add_parser("packs", help="version and digest of each shipped rule pack")
    asked = parser.parse_args(arguments)
    try:
        told = _packs() if asked.command == "packs" else _decided(asked.language)
    except InvalidData as error:
        sys.stderr.buffer.write(f"retention_rules: {error.said(getattr(asked, 'language', 'zh'))}\n".encode())
        return DATA
    sys.stdout.buffer.write(json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n")
    return 0


def _decided(language: str) -> object:
    given = sys.stdin.buffer.read(BYTES_MAX + 1)
    if len(given) > BYTES_MAX:
        raise InvalidData(f"more than {BYTES_MAX} bytes", f"超过 {BYTES_MAX} 字节")
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidData(f"byte {error.start}: not UTF-8", f"第 {error.start} 字节：不是 UTF-8") from error
    decision = read_question(text).decide()
    if isinstance(decision, Together):
        return answer_together(decision, language, shipped.event_names())
    return answer(decision, language, shipped.event_names())


def _packs() -> object:
    return [
        {
            "version": pack.version,
            "jurisdiction": pack.jurisdiction,
            "published": pack.published_date.isoformat(),
            "rules": len(pack.rules),
            "digest": pack.digest,
        }
        for pack in shipped.packs().values()
    ]


if __name__ == "__main__":
    sys.exit(main())
