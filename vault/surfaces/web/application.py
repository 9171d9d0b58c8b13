"""The pages: mounted beside the API on the same parts."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vault.foundation.errors import VaultError
from vault.surfaces.problems import language_of, problem


def mount(app: FastAPI) -> None:
    """Adds the pages to the application."""


def problem_page(request: Request, error: VaultError) -> Response:
    """An error as a page."""
    return problem(error, language_of(request))
