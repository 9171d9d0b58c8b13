"""Templates to pages: Jinja2 with strict undefined values, an environment for each language, the headers.

The content policy lets a page load scripts, styles and images from this server only, run nothing inline,
send forms nowhere else and be framed by nobody. `docs/internals/web.md` says what that asks of templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from vault.surfaces.i18n import Formats, Language, translator
from vault.surfaces.web import charts, words
from vault.surfaces.web.assets import CACHE_FOR_EVER, Assets
from vault.surfaces.web.icons import icon
from vault.surfaces.web.views.shell import Shell

TEMPLATE_DIRECTORY = Path(__file__).parent / "templates"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# A page shows what one person may see: no cache may keep it, not even the browser's after signing out.
PAGE_HEADERS: Mapping[str, str] = {
    **SECURITY_HEADERS,
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}


def environment(language: Language, assets: Assets) -> Environment:
    """The template environment of one language."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATE_DIRECTORY),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["ext.i18n.trimmed"] = True
    speaker = translator(language)
    env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension at run time
        speaker.gettext,
        speaker.ngettext,
        newstyle=True,
        pgettext=speaker.pgettext,
        npgettext=speaker.npgettext,
    )
    env.globals.update(
        asset=assets.url,
        icon=icon,
        state=words.state,
        language=language,
        languages=tuple(Language),
        charts=charts,
    )
    # The i18n extension marks what `_` returns as safe markup, which is right only for literals in templates:
    # message ids that come from a view go through `say`, whose answer is escaped like any other value.
    env.filters.update(say=speaker.gettext, event_word=words.event, field_word=words.personal_field, query=_query)
    return env


def _query(values: Mapping[str, object]) -> str:
    """`?a=1&b=2` from what is not empty."""
    pairs = {name: value for name, value in values.items() if value not in (None, "", False)}
    return "?" + urlencode(pairs) if pairs else ""


class HtmlFormats:
    """`Formats` for templates: instants become `time` elements that show the zone on hover."""

    def __init__(self, text: Formats, shell: Shell) -> None:
        self.text = text
        self._now = shell.now
        self.today = text.day(shell.now)
        self.day = text.day
        self.number = text.number
        self.percent = text.percent
        self.size = text.size
        self.span = text.span
        self.seconds = text.seconds
        self.local = text.local

    def instant(self, at: Any) -> Markup:
        """`2026-11-23 14:05`, with the second and the zone on hover."""
        return self._time(at, self.text.instant(at))

    def ago(self, at: Any) -> Markup:
        """`5 minutes ago`, with the instant on hover."""
        return self._time(at, self.text.ago(at, self._now))

    def left(self, until: Any) -> str:
        """`3 years 2 months left`."""
        return self.text.left(until, self._now)

    def _time(self, at: Any, text: str) -> Markup:
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            self.text.machine(at), self.text.instant_in_full(at), escape(text)
        )


class Renderer:
    """Renders pages; made once at start."""

    def __init__(self) -> None:
        self.assets = Assets()
        self._environments = {language: environment(language, self.assets) for language in Language}

    def html(self, template: str, shell: Shell, view: object) -> str:
        """The page `template` for `view` inside `shell`.

        Raises:
            jinja2.UndefinedError: the template asks for something that the view does not have.
        """
        formats = Formats(translator(shell.language), ZoneInfo(shell.zone_key))
        page = self._environments[shell.language].get_template(template)
        return page.render(shell=shell, view=view, f=HtmlFormats(formats, shell))

    def page(self, template: str, shell: Shell, view: object, *, status: int = 200) -> HTMLResponse:
        """The page as a response with the headers that every page has."""
        headers = {**PAGE_HEADERS, "Content-Language": shell.language.tag}
        return HTMLResponse(self.html(template, shell, view), status_code=status, headers=headers)

    def static(self, hashed_name: str) -> Response | None:
        """The static file as a response that may be kept for a year, or nothing."""
        asset = self.assets.get(hashed_name)
        if asset is None:
            return None
        headers = {**SECURITY_HEADERS, "Cache-Control": CACHE_FOR_EVER}
        return Response(asset.body, media_type=asset.media_type, headers=headers)
