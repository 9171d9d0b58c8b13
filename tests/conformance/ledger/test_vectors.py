"""Every vector of the ledger through our offline verifier and through the second implementation: the outcome it names."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vault.foundation.ledger.checkpoint import BadCheckpoint, open_note
from vault.foundation.ledger.verify import verify_export, verify_proof

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "ledger"
SECOND = ROOT / "docs" / "formats" / "verify_ledger.py"
pytestmark = [pytest.mark.invariant("L2"), pytest.mark.clause("V7")]


def names(kind: str) -> list[str]:
    return sorted(path.stem for path in (VECTORS / kind).glob("*.json"))


def vector(kind: str, name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((VECTORS / kind / f"{name}.json").read_text(encoding="ascii"))
    return {**body, "key": base64.b64decode(body["public_key"])}


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


second = loaded(SECOND)


@pytest.mark.parametrize("name", names("exports"))
def test_an_export_has_its_outcome(tmp_path: Path, name: str) -> None:
    told = vector("exports", name)
    for file, packed in told["files"].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(zlib.decompress(base64.b64decode(packed)))
    older = told.get("older")
    verdict = verify_export(tmp_path, public_key=told["key"], older_note=older, strict=True)
    assert {finding.code for finding in verdict.findings} == set(told["codes"]), verdict.findings
    try:
        second.check_export(tmp_path, told["key"], older)
        accepts = True
    except (second.Wrong, OSError):
        accepts = False
    assert accepts is told["second"]


@pytest.mark.parametrize("name", names("proofs"))
def test_a_proof_has_its_outcome(name: str) -> None:
    told = vector("proofs", name)
    entry = base64.b64decode(told["entry"])
    assert verify_proof(told["proof"], entry, told["key"]).code == told["outcome"]
    try:
        second.check_proof(told["proof"], entry, told["key"])
        accepts = True
    except (second.Wrong, ValueError):
        accepts = False
    assert accepts is (told["outcome"] == "included")


@pytest.mark.parametrize("name", names("checkpoints"))
def test_a_checkpoint_has_its_outcome(name: str) -> None:
    told = vector("checkpoints", name)
    for check, refusals in ((open_note, BadCheckpoint), (second.check_note, (second.Wrong, ValueError))):
        try:
            check(told["note"], told["key"])
            outcome = "signed"
        except refusals:
            outcome = "refused"
        assert outcome == told["outcome"], check


def test_the_vectors_are_what_their_maker_makes(tmp_path: Path) -> None:
    shutil.copy(VECTORS / "make.py", tmp_path)
    subprocess.run([sys.executable, str(tmp_path / "make.py")], check=True, timeout=120)
    for kind in ("exports", "proofs", "checkpoints"):
        made = {path.name: path.read_bytes() for path in (tmp_path / kind).glob("*.json")}
        kept = {path.name: path.read_bytes() for path in (VECTORS / kind).glob("*.json")}
        assert made == kept


def test_the_second_implementation_speaks_by_its_exit_code(tmp_path: Path) -> None:
    told = vector("proofs", "good-3-of-7")
    (tmp_path / "proof").write_text(told["proof"], encoding="utf-8")
    (tmp_path / "entry").write_bytes(base64.b64decode(told["entry"]))

    def ask(key: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SECOND), "proof", str(tmp_path / "proof"), str(tmp_path / "entry"), key]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    right, wrong = ask(told["public_key"]), ask(base64.b64encode(bytes(32)).decode())
    assert (right.returncode, wrong.returncode) == (0, 1)
    assert "proof is right: 7 entries" in right.stdout
    assert "not signed by this key" in wrong.stdout


def test_the_second_implementation_is_short_and_stands_alone() -> None:
    source = SECOND.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 170
    assert "vault" not in [
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    ]
