"""One web process: serves the application on a socket that the supervisor opened.

python -m vault.surfaces.web_process DESCRIPTOR
"""

from __future__ import annotations

import socket
import sys
import threading

import uvicorn

from retention_rules import shipped
from vault.intake.decoding.isolated import stand_ready
from vault.settings import Settings
from vault.surfaces.application import create


def main() -> None:
    """Serves until it is told to end."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=get_ready, daemon=True).start()
    trusted = Settings.from_environment().trusted_proxies
    config = uvicorn.Config(
        create(),
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
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
    )
    uvicorn.Server(config).run(sockets=[listener])


def get_ready() -> None:
    """Loads what the first upload would otherwise wait for, while pages are served already."""
    shipped.packs()
    stand_ready()


if __name__ == "__main__":
    main()
