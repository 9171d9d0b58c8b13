"""Every template, full and empty, in both languages, as plain text: nothing inline, nothing from elsewhere, no gaps."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError
from web_samples import NOW, Sample, empty, full, shell

from vault.surfaces.i18n import Language
from vault.surfaces.web import icons, words
from vault.surfaces.web.assets import Assets
from vault.surfaces.web.rendering import CONTENT_SECURITY_POLICY, TEMPLATE_DIRECTORY, Renderer
from vault.surfaces.web.views.desk import DeskView, Figure
from vault.surfaces.web.views.intake import Balance
from vault.surfaces.web.views.parts import HourCount, Link
from vault.surfaces.web.views.shell import PLACES, rail

RENDERER = Renderer()
CASES = [
    pytest.param(language, sample, id=f"{sample.name}-{language.value}")
    for language in Language
    for sample in [*full(language), *empty(language)]
]
VOID = {"meta", "link", "input", "img", "br", "hr", "source", "wbr", "col"}


class Page(HTMLParser):
    """What the tests ask about a page: its elements, ids, labels and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if len(attrs) != len(dict(attrs)):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag in tags]


def page_of(language: Language, sample: Sample) -> Page:
    return Page(RENDERER.html(sample.template, shell(language, sample), sample.view))


@pytest.mark.parametrize(("language", "sample"), CASES)
def test_page_is_whole_and_keeps_to_the_content_policy(language: Language, sample: Sample) -> None:
    page = page_of(language, sample)
    assert page.faults == []
    ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids)), "an id stands twice"
    for tag, attrs in page.elements:
        assert "style" not in attrs, f"<{tag}> has an inline style"
        assert not [name for name in attrs if name.startswith("on")], f"<{tag}> has an inline handler"
        assert tag != "style"
        for name in ("src", "href", "action", "data-progress"):
            assert (attrs.get(name) or "/").startswith(("/", "#")), f"{name}={attrs[name]} leaves this server"
    for script in page.all("script"):
        assert (script["src"] or "").startswith("/static/")
        assert script["type"] == "module"
    assert page.all("html")[0]["lang"] == language.tag
    assert len(page.all("main")) == len(page.all("h1")) == 1


@pytest.mark.parametrize(("language", "sample"), CASES)
def test_every_changing_form_carries_the_token_and_every_field_a_label(language: Language, sample: Sample) -> None:
    html = RENDERER.html(sample.template, shell(language, sample), sample.view)
    forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert all('name="csrf_token" value="c2FtcGxlLXRva2Vu"' in form for form in forms)
    page = Page(html)
    ids = {attrs["id"] for _, attrs in page.elements if attrs.get("id")}
    labelled = {attrs.get("for") for attrs in page.all("label")}
    assert labelled - {None} <= ids, "a label points nowhere"
    for attrs in page.all("input", "select", "textarea"):
        if attrs.get("type") in ("hidden", "checkbox", "radio"):
            continue
        assert attrs.get("id") in labelled or attrs.get("aria-label"), f"{attrs.get('name')} has no label"
    for _, attrs in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attrs.get(name) or "").split()) <= ids, f"{name} points nowhere"


@pytest.mark.parametrize("sample", [*full(Language.ZH), *empty(Language.ZH)], ids=lambda sample: sample.name)
def test_chinese_pages_leave_no_english_sentence(sample: Sample) -> None:
    page = page_of(Language.ZH, sample)
    sentences = [
        text for text in page.text if re.search(r"[a-z]{2,} [a-z]{2,}", text) and not text.strip().startswith("{")
    ]
    commands = ("slipvault station watch", "openssl pkeyutl")
    assert [text for text in sentences if not any(command in text for command in commands)] == []


@pytest.mark.parametrize("language", Language)
def test_values_are_escaped(language: Language) -> None:
    hostile = '<script>alert("x")</script>'
    view = DeskView((), (), (), (Figure(hostile, 1, "/"),), (HourCount(0, 0),))
    sample = Sample("hostile", f"/?q={hostile}", "desk.html", "desk", view)
    html = RENDERER.html("desk.html", shell(language, sample), view)
    assert hostile not in html
    assert html.count("&lt;script&gt;") >= 2


def test_templates_translate_values_only_by_the_filter_that_escapes() -> None:
    dangerous = [
        f"{path.name}: {match}"
        for path in TEMPLATE_DIRECTORY.rglob("*.html")
        for match in re.findall(r"""(?:_|gettext)\((?!["']|\s*num)[^)]*\)""", path.read_text())
        if not match.startswith("ngettext")
    ]
    assert dangerous == []
    assert not [path for path in TEMPLATE_DIRECTORY.rglob("*.html") if "|safe" in path.read_text()]


def test_a_view_that_lacks_what_its_template_needs_is_an_error_and_never_a_blank() -> None:
    sample = Sample("broken", "/", "desk.html", "desk", Link("x", "/"))
    with pytest.raises(UndefinedError):
        RENDERER.html("desk.html", shell(Language.EN, sample), sample.view)


def test_a_page_is_never_cached_and_carries_the_policy() -> None:
    sample = full(Language.EN)[0]
    response = RENDERER.page(sample.template, shell(Language.EN, sample), sample.view, status=422)
    assert response.status_code == 422
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-language"] == "en"
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "https:" not in CONTENT_SECURITY_POLICY
    assert response.headers["x-content-type-options"] == "nosniff"


def test_static_files_have_their_digest_in_the_name_and_are_kept_for_ever() -> None:
    address = RENDERER.assets.url("app.css")
    assert re.fullmatch(r"/static/app\.[0-9a-f]{12}\.css", address)
    response = RENDERER.static(address.removeprefix("/static/"))
    assert response is not None
    assert "immutable" in response.headers["cache-control"]
    assert RENDERER.static("app.css") is None
    assert RENDERER.static("../rendering.py") is None


def test_imports_between_modules_follow_the_hashed_names(tmp_path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    first = Assets(tmp_path)
    asset = first.get(first.names["a.js"])
    assert asset is not None
    assert f'from "./{first.names["b.js"]}"'.encode() in asset.body
    (tmp_path / "b.js").write_text("export const b = 2;\n")
    assert Assets(tmp_path).names["a.js"] != first.names["a.js"], "a change below must change the name above"


def test_every_template_is_drawn_by_a_sample() -> None:
    drawn = {sample.template for sample in [*full(Language.EN), *empty(Language.EN)]}
    pages = {path.name for path in TEMPLATE_DIRECTORY.glob("*.html")} - {"frame.html", "base.html", "door.html"}
    assert drawn == pages


def test_every_word_has_a_known_icon_and_unknown_states_name_themselves() -> None:
    assert {word.icon for states in words.STATES.values() for word in states.values()} <= icons.NAMES
    assert {place.item.icon for place in PLACES} <= icons.NAMES
    assert words.state("record", "never-heard-of").label == "never-heard-of"
    assert words.event("some:new:event") == "some:new:event"


def test_the_rail_shows_only_what_rights_open() -> None:
    assert [item.key for item in rail(lambda _right: False)] == ["desk", "settings"]
    assert len(rail(lambda _right: True)) == len(PLACES)


@pytest.mark.parametrize(
    ("announced", "received", "accepted", "duplicates", "refused", "is_even", "missing"),
    [
        (10, 10, 8, 1, 1, True, 0),
        (10, 9, 9, 0, 0, False, 1),
        (10, 11, 11, 0, 0, False, -1),
        (10, 10, 9, 0, 0, False, 0),
        (None, 3, 3, 0, 0, True, 0),
        (0, 0, 0, 0, 0, True, 0),
    ],
)
def test_balance(announced, received, accepted, duplicates, refused, is_even, missing) -> None:
    balance = Balance(announced, received, accepted, refused, duplicates)
    assert (balance.is_even, balance.missing) == (is_even, missing)


def test_the_hour_of_the_desk_is_that_of_the_organisation() -> None:
    sample = next(sample for sample in full(Language.EN) if sample.name == "desk")
    text = "".join(page_of(Language.EN, sample).text)
    assert "2026-11-24" in text
    assert NOW.tzinfo is not None
