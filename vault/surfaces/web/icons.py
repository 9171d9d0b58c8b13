"""Line icons on a 20 by 20 grid, drawn for this service; each is decoration beside a word, never alone."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "desk": "M3 16V6l7-3 7 3v10M3 16h14M8 16v-4h4v4",
    "intake": "M10 3v8m-3-3 3 3 3-3M3 12v4h14v-4h-4l-1 2H8l-1-2z",
    "batch": "M4 6h12M4 10h12M4 14h8",
    "quarantine": "M10 3 3 16h14zM10 8v4m0 2v.5",
    "records": "M3 5h5l2 2h7v9H3zM6 11h8",
    "schedule": "M4 4h12v13H4zM4 8h12M8 8v9",
    "rules": "M10 3v14M5 6h10M5 6l-2 5h4zM15 6l-2 5h4zM7 17h6",
    "events": "M4 10h12M6 7v6M10 5v10M14 7v6",
    "calendar": "M4 5h12v12H4zM4 9h12M7 3v4m6-4v4",
    "ledger": "M6 3h10v14H6a2 2 0 0 1 0-4h10M9 7h4",
    "health": "M3 10h3l2-5 4 10 2-5h3",
    "people": "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.5-3.5 3-5 6-5s5.5 1.5 6 5",
    "units": "M4 17V4h8v13M12 8h4v9M7 7h2m-2 3h2m-2 3h2M3 17h14",
    "stations": "M4 8V4h12v4M3 8h14v6H3zM6 14v3h8v-3M13 11h1",
    "jobs": "M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 3v3m0 8v3M3 10h3m8 0h3",
    "settings": "M4 6h7m4 0h1M4 14h1m4 0h7M13 4v4M7 12v4",
    "check": "m4 10.5 4 4 8-9",
    "cross": "M5 5l10 10M15 5 5 15",
    "clock": "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l3 2",
    "lock": "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3",
    "hold": "M7 4v12M13 4v12",
    "alert": "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v5m0 2v.5",
    "info": "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 9v5m0-8v.5",
    "dot": "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    "running": "M16 10a6 6 0 1 1-2-4.5M16 3v3.5h-3.5",
    "copy": "M7 7h9v9H7zM4 13V4h9",
    "search": "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
    "menu": "M3 6h14M3 10h14M3 14h14",
    "up": "M10 16V4m-5 5 5-5 5 5",
    "next": "m8 5 5 5-5 5",
    "previous": "m12 5-5 5 5 5",
    "eye": "M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
    "download": "M10 3v9m-4-4 4 4 4-4M4 16h12",
    "rotate": "M15 8a6 6 0 1 0 1 4M15 4v4h-4",
    "plus": "M10 4v12M4 10h12",
    "star": "m10 3 2.2 4.6 5 .7-3.6 3.5.9 5-4.5-2.4-4.5 2.4.9-5L2.8 8.3l5-.7z",
    "undo": "M7 5 3 9l4 4M3 9h9a4 4 0 0 1 0 8H9",
    "keys": "M3 6h14v9H3zM6 9h.5m3 0h.5m3 0h.5M7 12h6",
    "minus": "M4 10h12",
    "width": "M3 5v10M17 5v10M5 10h10M7 8l-2 2 2 2m6-4 2 2-2 2",
    "spread": "M3 5h6v10H3zM11 5h6v10h-6z",
    "pen": "M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3",
    "print": "M6 8V3h8v5M6 14H3V8h14v6h-3M6 12h8v5H6z",
    "pause": "M7 4v12M13 4v12",
    "page": "M5 3h10v14H5z",
    "person": "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.5-3.5 3-5 6-5s5.5 1.5 6 5",
}


def icon(name: str) -> Markup:
    """The icon `name` as inline SVG, hidden from assistive technology because the word stands beside it.

    Raises:
        KeyError: no icon has this name.
    """
    return Markup(  # noqa: S704 - author-controlled: both parts are constants of this module
        f'<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )


NAMES = frozenset(_PATHS)
