"""Following a simulation from the terminal, and telling what it found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from vault.foundation.errors import N_
from vault.surfaces.cli.speaking import _, print_facts, print_table, progress_line, say

if TYPE_CHECKING:
    from vault.surfaces.client import Client

_EVERY_S = 0.5
_STAGE = N_("Records compared")


def followed(client: Client, asked: dict[str, Any]) -> dict[str, Any]:
    """The simulation once it has ended; interrupted, it is cancelled."""
    address = f"/schedule/simulations/{asked['id']}"
    tell = progress_line()
    try:
        while asked["state"] in {"waiting", "running"}:
            if tell is not None:
                tell(_(_STAGE), asked["done"], asked["total"])
            time.sleep(_EVERY_S)
            asked = client.get(address)
    except KeyboardInterrupt:
        client.post(f"{address}/cancel", {})
        raise
    if tell is not None:
        tell(_(_STAGE), asked["records"] or asked["done"], asked["records"] or asked["total"])
    return asked


def print_simulation(found: dict[str, Any]) -> None:
    """What a simulation found: a line for each class of which something would change, and the sums."""
    from vault.retention.effects import Effect
    from vault.surfaces.lists.simulated import EFFECT_WORDS

    if found["state"] != "done":
        print_facts([(_("State"), _(_ENDS.get(found["state"], found["state"]))), (_("Problem"), found["problem"])])
        return
    rows = [
        (
            group["class_code"],
            group["records"],
            group["affected"],
            "; ".join(
                f"{_(EFFECT_WORDS[Effect(name)])}: {count}" for name, count in sorted(group["effects"].items())
            ),
            group["locked_until"] if "lock" in group["effects"] else "",
        )
        for group in found["classes"]
        if group["affected"]
    ]
    print_table((_("Class"), _("Records"), _("Treated otherwise"), _("How"), _("Kept by a lock until")), rows)
    print_facts(
        [
            (_("As it would be on"), found["on"]),
            (_("Instead of version"), found["against"]),
            (_("Records"), found["records"]),
            (_("Treated otherwise"), found["affected"]),
        ]
    )
    if not found["is_fresh"]:
        say(_("The draft or the law was changed since, so this counts for nothing: simulate it again."))


_ENDS = {
    "waiting": N_("waits for a worker"),
    "running": N_("under way"),
    "failed": N_("failed"),
    "cancelled": N_("cancelled"),
}
