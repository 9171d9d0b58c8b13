"""The rules of the house as tests; each is shown to catch what it is there for."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("vault", "retention_rules")
FUNCTION_LINES_MAX, MODULE_LINES_MAX, HANDLER_LINES_MAX = 70, 400, 30
CLOCK_CALLS = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time|uuid4|os\.environ|os\.getenv)\b")
CLOCK_HOMES = {"clock.py", "ids.py", "settings.py", "supervisor.py", "observing.py"}


def modules() -> Iterator[Path]:
    for package in CODE:
        yield from sorted((ROOT / package).rglob("*.py"))


def long_functions(source: str, limit: int) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > limit
    ]


def undocumented(source: str) -> list[str]:
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]


def misplaced_clocks(source: str) -> list[str]:
    code = "\n".join(line.split("#")[0] for line in source.splitlines())
    return CLOCK_CALLS.findall(code)


def test_functions_and_modules_are_short() -> None:
    assert long_functions("def f():\n" + "    x = 1\n" * 80, FUNCTION_LINES_MAX) == ["f"]
    for path in modules():
        source = path.read_text(encoding="utf-8")
        if "migrations" in path.parts:
            continue
        assert long_functions(source, FUNCTION_LINES_MAX) == [], path
        assert source.count("\n") <= MODULE_LINES_MAX, path


def test_what_is_public_says_what_it_means() -> None:
    assert undocumented("def f():\n    return 1\n") == ["f"]
    for path in modules():
        if "migrations" not in path.parts and "surfaces" not in path.parts:
            assert undocumented(path.read_text(encoding="utf-8")) == [], path


def test_time_and_identity_come_from_one_place() -> None:
    assert misplaced_clocks("x = datetime.now()") == ["datetime.now"]
    for path in modules():
        if path.name not in CLOCK_HOMES:
            assert misplaced_clocks(path.read_text(encoding="utf-8")) == [], path


def test_readme_names_only_what_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"scripts/[\w/-]+", readme):
        assert (ROOT / name).exists(), name
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_pages_link_to_what_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_no_machine_path_stands_in_the_tree() -> None:
    for path in [*modules(), *(ROOT / "docs").rglob("*.md"), *(ROOT / "scripts").rglob("*")]:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert f"{ROOT}/" not in text, path


VIOLATIONS = [
    ("retention_rules/periods.py", "import os", "The law imports nothing"),
    ("vault/catalogue/model.py", "import vault.intake.model", "one way"),
    ("vault/foundation/storage/rules.py", "import vault.foundation.keys.errors", "Stores and keys"),
    ("vault/intake/model.py", "import fastapi", "no web, template or terminal"),
    ("vault/intake/stores.py", "import boto3", "S3 libraries"),
    ("vault/foundation/ledger/verify.py", "import sqlalchemy", "offline verifier"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS, ids=[v[2] for v in VIOLATIONS])
def test_every_arrow_is_caught_when_it_is_broken(tmp_path: Path, file: str, line: str, contract: str) -> None:
    for package in CODE:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / file
    source = target.read_text(encoding="utf-8")
    target.write_text(
        source.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{line}\n", 1)
    )
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if row.endswith("BROKEN") or "BROKEN (" in row]
    assert any(contract in row for row in broken), done.stdout
