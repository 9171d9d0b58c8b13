"""The command line narrows, exports and sees to refused items as the API does, on the real server."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.surfaces.station.running import environment, run

pytestmark = pytest.mark.usefixtures("filled")


@pytest.fixture
def env(root: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "client").mkdir()
    return environment(root, "operator-of-this-test", tmp_path / "client")


def told(env: dict[str, str], *words: object) -> dict:
    done = run(env, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_lists_are_narrowed_by_the_same_filters(env: dict[str, str]) -> None:
    assert told(env, "batches", "list", "--name", "二十四", "--balanced", "--state", "open")["count"] == 1
    assert told(env, "batches", "list", "--not-balanced")["count"] == 0
    assert told(env, "batches", "list", "--until", "2020-01-01")["count"] == 0
    (refused,) = told(env, "quarantine", "list", "--name", "坏", "--reason", "damaged", "--state", "waiting")["items"]
    assert told(env, "quarantine", "list", "--batch", refused["batch_id"], "--unit", "GT01")["count"] == 1
    assert told(env, "quarantine", "list", "--state", "handled")["count"] == 0
    assert told(env, "records", "list", "--name", "小明", "--batch", refused["batch_id"])["count"] == 2
    entries = told(env, "ledger", "list", "--event", "intake:item:refuse", "--actor-kind", "operator")["entries"]
    assert [entry["subject_id"] for entry in entries] == [refused["item_id"]]
    assert told(env, "ledger", "list", "--subject", refused["item_id"], "--size", "1")["count"] == 1
    assert run(env, "ledger", "list", "--actor-kind", "nobody", "--json").returncode == 64
    assert run(env, "batches", "list", "--unit", "NONE", "--json").returncode == 66


def test_refused_items_are_seen_to_and_put_back(env: dict[str, str]) -> None:
    item = told(env, "quarantine", "list")["items"][0]["item_id"]
    assert told(env, "quarantine", "handle", item, "--as", "returned", "--note", "已退")["done"] == [item]
    again = run(env, "quarantine", "handle", item, "--as", "returned", "--json")
    assert again.returncode == 1
    assert [line["id"] for line in json.loads(again.stdout)["failed"]] == [item]
    assert told(env, "quarantine", "list", "--state", "handled")["items"][0]["handling_note"] == "已退"
    assert told(env, "quarantine", "reopen", item)["done"] == [item]
    assert run(env, "quarantine", "handle", item, "--as", "other", "--json").returncode == 65


def test_a_whole_list_goes_into_a_file_or_not_at_all(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "档案.csv"
    assert told(env, "records", "list", "--name", "小明", "--csv", file) == {"file": str(file), "lines": 2}
    rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 3
    assert "欧阳小明" not in file.read_text(encoding="utf-8")
    assert told(env, "ledger", "list", "--event", "access:list:export", "--csv", tmp_path / "l.csv")["lines"] == 1
    missing = run(env, "batches", "list", "--csv", tmp_path / "no such directory" / "x.csv", "--json")
    assert missing.returncode == 77
    refused = run(env, "batches", "list", "--unit", "NONE", "--csv", tmp_path / "never.csv", "--json")
    assert refused.returncode == 66
    assert [path.name for path in tmp_path.iterdir() if "never" in path.name] == []
