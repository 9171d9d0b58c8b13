"""`slipvault store probe` and `slipvault store reconcile`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vault.foundation.db.keyset import Span
from vault.settings import Settings
from vault.surfaces.cli.connection import opened_host
from vault.surfaces.cli.speaking import (
    Json,
    _,
    finding_body,
    new_group,
    plain,
    print_findings,
    print_json,
    progress_line,
    say,
    verb,
)

group = new_group("store", _("Probe what a store refuses; settle what is left over in it."))
GROUPS = {"store": group}
_DRIFTS_TOLD = 1_000

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


PerSecond = Annotated[
    int | None,
    typer.Option(
        "--per-second",
        metavar="N",
        min=1,
        help=_("Ask the store at most so often; without it 500 times a second."),
    ),
]


@verb(
    group,
    "reconcile",
    _(
        "Find and settle what crashes left over, and hold every lock and legal hold in the store against the catalogue. "
        "1 when a lock or hold was not as it must be, also when it was mended."
    ),
)
def reconcile(older_than: OlderThan = None, per_second: PerSecond = None, as_json: Json = False) -> int:
    from vault.access.service import operator_viewer
    from vault.oversight import drifts
    from vault.oversight.comparison import PER_SECOND
    from vault.oversight.drifts import DriftFilters
    from vault.oversight.jobs import reconcile_and_keep
    from vault.surfaces.lists.drifts import drift_body

    with opened_host() as ctx:
        actor, pace = operator_viewer(ctx).actor, per_second or PER_SECOND
        outcome = reconcile_and_keep(ctx, actor, older_than, progress_line(), pace)
        seen = DriftFilters(store=ctx.store.name, since=outcome.begun_at)
        with ctx.database.read() as connection:
            found = [drift_body(drift, _) for drift in drifts.find(connection, seen, Span(size=_DRIFTS_TOLD)).lines]
    settled = [finding_body(finding) for finding in outcome.settled]
    if as_json:
        print_json({**outcome.counts, "clean": outcome.is_clean, "settled": settled, "findings": found})
        return 0 if outcome.is_clean else 1
    print_findings(settled)
    for drift in found:
        cells = (drift["kind"], drift["state"], f"record {drift['record_id']}", drift["object_key"], drift["message"])
        sys.stdout.write("\t".join(plain(cell) for cell in cells) + "\n")
    text = _(
        "{versions} versions in the store; uploads given up: {abandoned}; leftovers noted: {noted}, resolved: {resolved}, "
        "known: {leftovers}, of which {removable} may be removed now; locks and holds mended: {repaired}, "
        "still not as they must be: {drifts}, of which alarms: {alarms}"
    )
    say(text.format(**outcome.counts))
    return 0 if outcome.is_clean else 1
