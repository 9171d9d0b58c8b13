"""`slipvault store probe` and `slipvault store reconcile`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vault.settings import Settings
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

group = new_group("store", _("Probe what a store refuses; settle what is left over in it."))
GROUPS = {"store": group}

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help=_("worm:///dir, s3+http://host:port/bucket, s3+https://...; without it the store of this host."),
    ),
]


@verb(group, "probe", _("Try what the store must refuse. On the host's own store the outcome decides about intake."))
def probe(url: Url = "", as_json: Json = False) -> int:
    from vault.access.service import operator_viewer
    from vault.foundation.clock import SystemClock
    from vault.foundation.storage import bare_store
    from vault.foundation.storage.probe import probe as probe_store
    from vault.intake.stores import probe_and_note

    if url and url != Settings.from_environment().store_url:
        clock = SystemClock()
        report = probe_store(bare_store(url, clock), clock)
    else:
        with opened_host() as ctx:
            report = probe_and_note(ctx, operator_viewer(ctx).actor)
    checks = [{"name": c.name, "ok": c.ok, "message": _(c.message)} for c in report.checks]
    if as_json:
        told = {"store": report.store, "at": report.at.isoformat(), "trusted": not report.lies}
        print_json({**told, "lies": list(report.lies), "checks": checks, "litter": list(report.litter)})
    else:
        keeps, lies = _("keeps"), _("LIES")
        for check in checks:
            sys.stdout.write(f"{keeps if check['ok'] else lies}\t{check['name']}\t{check['message']}\n")
        say(_("The store may be trusted.") if not report.lies else _("The store must not be trusted."))
    return 1 if report.lies else 0


OlderThan = Annotated[
    int | None,
    typer.Option(
        "--older-than",
        metavar="HOURS",
        help=_("What is younger is left alone, because it may be under way; without it 24 hours."),
    ),
]


@verb(
    group,
    "reconcile",
    _("Find and settle what crashes left over: uploads never finished, objects that no catalogue row names."),
)
def reconcile(older_than: OlderThan = None, as_json: Json = False) -> int:
    from vault.access.service import operator_viewer
    from vault.oversight.jobs import reconcile_and_keep

    with opened_host() as ctx:
        outcome = reconcile_and_keep(ctx, operator_viewer(ctx).actor, older_than, progress_line())
    settled = [finding_body(finding) for finding in outcome.settled]
    if as_json:
        print_json({**outcome.counts, "settled": settled})
        return 0
    print_findings(settled)
    text = _(
        "{versions} versions in the store; uploads given up: {abandoned}; leftovers noted: {noted}, resolved: {resolved}, "
        "known: {leftovers}, of which {removable} may be removed now"
    )
    say(text.format(**outcome.counts))
    return 0
