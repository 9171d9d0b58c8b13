"""The only reader of the environment.

Every setting has a default that works on one machine with nothing else installed. Secrets are never values
here: they are files that a setting names, or are kept by a key service.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vault.foundation.errors import N_, Fault, VaultError


class BadSetting(VaultError):
    """An environment variable has a value that cannot be used."""

    code = "bad-setting"
    exit_code = 78
    fault = Fault.OURS
    message = N_("The setting {name} is {value!r}, which is not usable: {problem}.")
    hint = N_("Correct the environment variable and start again.")


@dataclass(frozen=True)
class Settings:
    """All that an operator can set from outside; `from_environment` documents each variable."""

    home: Path
    database_url: str | None
    store_url: str
    custodian_url: str
    timestamp_url: str | None
    web_host: str
    web_port: int
    web_processes: int
    server_url: str | None
    token_file: Path | None
    upload_bytes_max: int
    trusted_proxies: str = ""

    @property
    def database_directory(self) -> Path:
        """Where the embedded PostgreSQL keeps its files."""
        return self.home / "database"

    @property
    def spool_directory(self) -> Path:
        """Where an upload rests, in a file without a name, while it is examined."""
        return self.home / "spool"

    @property
    def is_database_embedded(self) -> bool:
        """Whether this installation starts its own PostgreSQL."""
        return self.database_url is None

    @staticmethod
    def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
        """Reads the settings.

        `SLIPVAULT_HOME` home directory; `SLIPVAULT_DATABASE_URL` any PostgreSQL, embedded when unset;
        `SLIPVAULT_STORE_URL` `worm:///dir`, `s3+http://host:port/bucket`, `s3+https://...`;
        `SLIPVAULT_CUSTODIAN_URL` `file:///dir` or `pkcs11:///module.so?token=...&pin-file=...`;
        `SLIPVAULT_TIMESTAMP_URL` an RFC 3161 authority; `SLIPVAULT_HOST`, `SLIPVAULT_PORT`,
        `SLIPVAULT_WEB_PROCESSES`; `SLIPVAULT_SERVER` and `SLIPVAULT_TOKEN_FILE` for clients elsewhere;
        `SLIPVAULT_UPLOAD_BYTES_MAX` the largest upload in bytes (S3 takes 10,000 parts of
        16 MiB); `SLIPVAULT_TRUSTED_PROXIES` addresses or networks
        whose word on the caller's address and on https is believed, separated by commas.

        Raises:
            BadSetting: a number or an address cannot be read.
        """
        env = os.environ if environ is None else environ
        home = Path(env.get("SLIPVAULT_HOME") or _default_home(env)).expanduser().absolute()
        token_file = env.get("SLIPVAULT_TOKEN_FILE")
        return Settings(
            home=home,
            database_url=_database_url(env.get("SLIPVAULT_DATABASE_URL")),
            store_url=env.get("SLIPVAULT_STORE_URL") or f"worm://{home / 'store'}",
            custodian_url=env.get("SLIPVAULT_CUSTODIAN_URL") or f"file://{_default_custodian(home)}",
            timestamp_url=env.get("SLIPVAULT_TIMESTAMP_URL") or None,
            web_host=env.get("SLIPVAULT_HOST") or "127.0.0.1",
            web_port=_number(env, "SLIPVAULT_PORT", 8080, 0, 65535),
            web_processes=_number(env, "SLIPVAULT_WEB_PROCESSES", 2, 1, 64),
            server_url=env.get("SLIPVAULT_SERVER") or None,
            token_file=Path(token_file).expanduser() if token_file else None,
            upload_bytes_max=_number(env, "SLIPVAULT_UPLOAD_BYTES_MAX", 8 << 30, 1, 150 << 30),
            trusted_proxies=env.get("SLIPVAULT_TRUSTED_PROXIES") or "",
        )


def configuration_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Where a client keeps its sign-in: `slipvault` under `XDG_CONFIG_HOME`, by default `~/.config`."""
    env = os.environ if environ is None else environ
    return Path(env.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "slipvault"


def spoken_language(environ: Mapping[str, str] | None = None) -> str:
    """The language of the person at the terminal (`LC_ALL`, `LC_MESSAGES`, `LANG`), as a code like `zh`; maybe empty."""
    env = os.environ if environ is None else environ
    value = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    return value.partition(".")[0].partition("_")[0].lower()


def _default_home(env: Mapping[str, str]) -> str:
    if os.geteuid() == 0:  # the database server runs as another user, who could not pass through /root
        return "/var/lib/slipvault"
    data = env.get("XDG_DATA_HOME") or "~/.local/share"
    return f"{data}/slipvault"


def _default_custodian(home: Path) -> Path:
    """Beside the home, never inside it: a copy of the home must not carry what opens it."""
    return home.with_name(home.name + ".custodian")


def _database_url(url: str | None) -> str | None:
    if not url:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise BadSetting(name="SLIPVAULT_DATABASE_URL", value=f"{scheme}://...", problem="not postgresql://")
    return f"postgresql+psycopg://{rest}"


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadSetting(name=name, value=text, problem="not a whole number") from None
    if not least <= value <= most:
        raise BadSetting(name=name, value=text, problem=f"not between {least} and {most}")
    return value
