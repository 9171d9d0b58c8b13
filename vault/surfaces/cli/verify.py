"""`slipvault verify`."""

from __future__ import annotations

from vault.surfaces.cli.connection import opened_host
from vault.surfaces.cli.speaking import (
    Json,
    _,
    finding_body,
    new_group,
    print_findings,
    print_json,
    progress_line,
    say,
    verb,
)

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
        verdict = verify_and_keep(ctx, operator_viewer(ctx).actor, progress_line())
    findings, notes = ([finding_body(finding) for finding in found] for found in (verdict.findings, verdict.notes))
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
        print_findings(findings)
        text = _(
            "{records} records, {components} components, {entries} ledger entries; findings: {findings}, notes: {notes}"
        )
        counts = {"records": verdict.records, "components": verdict.components, "entries": verdict.ledger_entries}
        say(text.format(findings=len(findings), notes=len(notes), **counts))
    return 0 if verdict.is_clean else 1
