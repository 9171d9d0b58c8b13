"""The front of the benches: runs one, prints it, and keeps its figures when asked."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "reference" / "figures.md"
NAMES = ("decide", "seal", "intake", "desk", "catalogue", "ledger", "attachment", "sweep", "reconcile", "start")
_HEAD = """# Figures

Written by `scripts/bench NAME --keep`: the command, the date, the machine, how noisy it was, and what was measured. A rate
is only worth what stands beside it in the same run. Goals that are missed are missed.
"""


def main() -> None:
    """Runs the bench that is named."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="small, to see that it runs")
    parser.add_argument("--keep", action="store_true", help="write the figures into docs/reference/figures.md")
    parser.add_argument("--store", choices=("worm", "s3"))
    parser.add_argument("--clients", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--gb", type=float)
    asked = parser.parse_args()
    options = {
        name: value for name in ("store", "clients", "rows", "gb") if (value := getattr(asked, name)) is not None
    }
    noise_before = noise()
    figures = importlib.import_module(f"bench.{asked.name}").run(quick=asked.quick, **options)
    result = {
        "bench": asked.name,
        **{f"asked_{name}": value for name, value in options.items()},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "noise": {"before": noise_before, "after": noise()},
        "figures": figures,
    }
    print(json.dumps(result, ensure_ascii=False, indent=None if asked.json else 2))
    if asked.keep:
        keep(asked.name, options, result)


def machine() -> str:
    """Processor, cores, memory."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    gib = int(memory[1]) / 2**20 if memory else 0
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {gib:.0f} GiB"


def noise() -> dict[str, float]:
    """How much the same small loop varies, and the load: what a figure of this run can be trusted for."""
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        sum(range(200_000))
        seconds.append(time.perf_counter() - started)
    return {"loop_max_over_min": round(max(seconds) / min(seconds), 2), "load_1_min": round(os.getloadavg()[0], 2)}


def keep(name: str, options: dict[str, Any], result: dict[str, Any]) -> None:
    """Replaces the section of this bench and these options in the page of figures."""
    told = " ".join([name, *(f"--{option} {value}" for option, value in options.items())])
    section = (
        f"## {told}\n\n`scripts/bench {told} --keep` · {result['at']} · {result['machine']} · noise"
        f" {json.dumps(result['noise'])}\n\n```json\n{json.dumps(result['figures'], ensure_ascii=False, indent=2)}\n```\n"
    )
    page = FIGURES.read_text(encoding="utf-8") if FIGURES.exists() else _HEAD
    pattern = re.compile(rf"## {re.escape(told)}\n.*?(?=\n## |\Z)", re.DOTALL)
    page = pattern.sub(lambda _: section, page) if pattern.search(page) else f"{page.rstrip()}\n\n{section}"
    FIGURES.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
