"""`slipvault verify`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from vault.surfaces.cli.connection import opened_host
from vault.surfaces.cli.speaking import Json, _, new_group, print_json, say, verb

if TYPE_CHECKING:
    from vault.oversight.model import Finding

group = new_group(
    "verify", _("Hold store, catalogue, keys and ledger against each other (on the host)."), has_verbs=False
)
GROUPS = {"verify": group}


@verb(
    group,
    "verify",
    _("Hold every object, lock, catalogue row and ledger entry against each other; name what differs."),
)
def verify(as_json: Json = False) -> int:
    from vault.access.service import operator_viewer
    from vault.oversight.jobs import verify_and_keep

    with opened_host() as ctx:
        verdict = verify_and_keep(ctx, operator_viewer(ctx).actor, _progress())
    findings, notes = ([_body(finding) for finding in found] for found in (verdict.findings, verdict.notes))
    if as_json:
        print_json(
            {
                "clean": verdict.is_clean,
                "records": verdict.records,
                "components": verdict.components,
                "ledger_entries": verdict.ledger_entries,
                "findings": findings,
                "notes": notes,
            }
        )
    else:
        for found in findings:
            sys.stdout.write(f"{found['code']}\t{found['subject_type']} {found['subject_id']}\t{found['message']}\n")
        text = _(
            "{records} records, {components} components, {entries} ledger entries; findings: {findings}, notes: {notes}"
        )
        counts = {"records": verdict.records, "components": verdict.components, "entries": verdict.ledger_entries}
        say(text.format(findings=len(findings), notes=len(notes), **counts))
    return 0 if verdict.is_clean else 1


def _body(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code.value,
        "subject_type": finding.subject_type,
        "subject_id": finding.subject_id,
        "message": _(finding.message).format(**finding.facts),
        "facts": finding.facts,
    }


def _progress() -> Any:
    """A line that is written over, for a terminal only."""
    if not sys.stderr.isatty():
        return None

    def tell(stage: str, done: int, total: int | None) -> None:
        sys.stderr.write(f"\r\033[K{stage} {done}" + (f"/{total}" if total else ""))
        if total is not None and done >= total:
            sys.stderr.write("\n")
        sys.stderr.flush()

    return tell
