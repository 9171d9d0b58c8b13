"""Static files under names that carry their content's hash, so that browsers may keep them for a year."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC_DIRECTORY = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CACHE_FOR_EVER = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r"""(?<=from ["'])\./([\w-]+\.js)(?=["'])""")


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file as it is served."""

    name: str
    body: bytes
    media_type: str


class Assets:
    """All static files, read once; a module's imports are rewritten to hashed names."""

    def __init__(self, directory: Path = STATIC_DIRECTORY, prefix: str = "/static/") -> None:
        self.prefix = prefix
        self._directory = directory
        self._hashed_names: dict[str, str] = {}
        self._by_hashed_name: dict[str, Asset] = {}
        for path in sorted(directory.iterdir()):
            if path.suffix in MEDIA_TYPES:
                self._add(path.name)

    def url(self, name: str) -> str:
        """The address of the static file `name`.

        Raises:
            KeyError: there is no such file; a template names one that is not there.
        """
        return self.prefix + self._hashed_names[name]

    def get(self, hashed_name: str) -> Asset | None:
        """The file served under `hashed_name`, or nothing."""
        return self._by_hashed_name.get(hashed_name)

    @property
    def names(self) -> Mapping[str, str]:
        """Plain name to hashed name."""
        return dict(self._hashed_names)

    def _add(self, name: str) -> str:
        """Reads and names one file after those it imports; a cycle of imports fails at start."""
        if name in self._hashed_names:
            return self._hashed_names[name]
        path = self._directory / name
        body = path.read_bytes()
        if path.suffix == ".js":
            text = body.decode()
            body = _IMPORT.sub(lambda match: "./" + self._add(match.group(1)), text).encode()
        hashed = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
        self._hashed_names[name] = hashed
        self._by_hashed_name[hashed] = Asset(hashed, body, MEDIA_TYPES[path.suffix])
        return hashed
