"""Progress bars: on a terminal only, on standard error, by bytes, because one file may take an hour."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vault.surfaces.cli.speaking import console

if TYPE_CHECKING:
    from rich.progress import Progress


def bytes_progress(*, counts_files: bool = True) -> Progress:
    """A bar of bytes with rate and time left; with the fields `done` and `all` of its task when files are counted."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counted = [TextColumn("{task.fields[done]}/{task.fields[all]}")] if counts_files else []
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *counted,
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console(is_error=True),
        disable=not sys.stderr.isatty(),
        redirect_stdout=False,
    )
