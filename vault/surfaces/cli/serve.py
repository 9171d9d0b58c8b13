"""`slipvault serve` and `slipvault worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from vault.settings import Settings
from vault.surfaces.cli.speaking import _, chosen_language, new_group, say, verb

serve_group = new_group("serve", _("Run the whole service on this host."), has_verbs=False)
worker_group = new_group("worker", _("Run one more worker."), has_verbs=False)
GROUPS = {"serve": serve_group, "worker": worker_group}

Stop = Annotated[bool, typer.Option("--stop", help=_("Stop the service of this home instead."))]


@verb(
    serve_group, "serve", _("Run database, web processes and worker until stopped; the environment configures them.")
)
def serve(stop: Stop = False) -> int:
    settings = Settings.from_environment()
    if stop:
        from vault.surfaces.home import Home

        say(_("stopped") if Home(settings.home).stop() else _("nothing was running here"))
        return 0
    from vault.surfaces.supervisor import Supervisor
    from vault.surfaces.terminal import Terminal

    return Supervisor(settings, Terminal(chosen_language().value)).run()


@verb(worker_group, "worker", _("Run a worker on the database of SLIPVAULT_DATABASE_URL."))
def worker() -> None:
    from vault.surfaces import worker as worker_process

    worker_process.main()
