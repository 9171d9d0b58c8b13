"""What the service says to whoever started it: on the terminal, or through the descriptor of a start in the background.

In the background everything also goes into a log, except what is secret: that reaches the terminal only.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from vault.foundation.clock import SystemClock
from vault.foundation.errors import VaultError
from vault.surfaces.i18n import Language, choose_language, translator

READY = b"\0"
_LOG_BYTES_MAX = 20 << 20


class Terminal:
    """Says lines in the language of the environment; where that is Chinese, the English follows for programs."""

    def __init__(self, language: str, descriptor: int | None = None) -> None:
        self._language = choose_language(None, language)
        self._descriptor = descriptor

    @property
    def is_in_background(self) -> bool:
        """Whether somebody started us in the background and is still listening."""
        return self._descriptor is not None

    def go_to_background(self, log_file: Path) -> None:
        """From now on what this process and its children print goes into the log; one that grew large is put aside."""
        if self._descriptor is None:
            return
        with suppress(FileNotFoundError):
            if log_file.stat().st_size > _LOG_BYTES_MAX:
                log_file.replace(log_file.with_suffix(".log.1"))
        handle = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)

    def say(self, message: str, *, is_secret: bool = False, **facts: object) -> None:
        """Says the msgid, filled with facts that are the same in every language."""
        text = message.format(**facts)
        if self._language is not Language.EN:
            told = translator(self._language).gettext(message).format(**facts)
            text = told if told == text else f"{told} / {text}"
        self._write(text, is_secret=is_secret)

    def note(self, event: str, **facts: object) -> None:
        """A line of the log, in the form of all processes: JSON, without personal data."""
        now = SystemClock().now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps({**facts, "event": event, "level": "info", "timestamp": now})
        with suppress(OSError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def tell_error(self, error: VaultError) -> None:
        """Says what happened and what to do, with the code to look it up."""
        told = translator(self._language).explain(error)
        self._write(f"{told.what_happened} [{error.code}]\n{told.whose_fault}\n{told.what_to_do}", is_secret=False)

    def tell_ready(self) -> None:
        """Lets go of whoever started us in the background."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, READY)
                os.close(self._descriptor)
            self._descriptor = None

    def _write(self, text: str, *, is_secret: bool) -> None:
        line = f"slipvault: {text}\n"
        if self._descriptor is None or not is_secret:
            with suppress(OSError):  # a terminal that was closed
                sys.stdout.write(line)
                sys.stdout.flush()
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, line.encode())
