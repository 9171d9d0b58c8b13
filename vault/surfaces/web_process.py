"""One web process: serves the application on a socket that the supervisor opened.

python -m vault.surfaces.web_process DESCRIPTOR
"""

from __future__ import annotations

import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from retention_rules import shipped
from vault.foundation.processes import age_s
from vault.intake.decoding.isolated import stand_ready
from vault.settings import Settings
from vault.surfaces.application import create
from vault.surfaces.observing import log


def serve(application: FastAPI, listener: socket.socket, trusted_proxies: str = "") -> None:
    """Serves until it is told to end; the addresses of clients are believed from `trusted_proxies` only."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        # Behind a proxy that ends TLS, cookies must still be marked secure and guesses counted by the real address.
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
    )
    uvicorn.Server(config).run(sockets=[listener])


def get_ready() -> None:
    """Loads what the first upload would otherwise wait for, while pages are served already."""
    shipped.packs()
    stand_ready()


def main() -> None:
    """Serves the application of this installation."""
    programs_s = age_s()
    application, listener = create(), socket.socket(fileno=int(sys.argv[1]))
    log.info("web process ready", programs_s=round(programs_s, 2), application_s=round(age_s() - programs_s, 2))
    threading.Thread(target=get_ready, daemon=True).start()
    serve(application, listener, Settings.from_environment().trusted_proxies)


if __name__ == "__main__":
    main()
