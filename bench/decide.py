"""How fast the law decides: beside a loop that only adds the same periods to the same days, and flat in the packs' size.

CPU time of one process, not the clock: the loop and the decisions share the core with whatever else runs, and the ratio
between them stays the same. Decisions are made without texts, as a sweep makes them; with lock and next date, and with all
reasons said, they are measured too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from retention_rules import shipped, words
from retention_rules.decision import Decision, decide
from retention_rules.law import Law, law_of
from retention_rules.model import ClassDefinition, Facts, Rule
from retention_rules.periods import add

ON = date(2026, 12, 1)
RULES = ("CN-ACC-VOUCHER", "CN-AML-TXN", "CN-TAX-RECORDS")
LARGE = 10_000


def run(*, quick: bool) -> dict[str, Any]:
    records = _records(2_000 if quick else 20_000)
    rounds = 3 if quick else 9
    rules = dict(shipped.rules())
    usual = _law(rules)
    large = _law({**rules, **{f"X-{n}": (replace(rules["CN-AML-TXN"][0], code=f"X-{n}"),) for n in range(LARGE)}})
    periods = [rules[code][0].period for code in RULES]

    def bare() -> None:
        for facts in records:
            for period in periods:
                add(facts.received_date, period)

    def shape(law: Law, ask: Callable[[Decision], object] | None = None) -> Callable[[], None]:
        def work() -> None:
            for facts in records:
                decision = decide(facts, law, ON)
                if ask is not None:
                    ask(decision)

        return work

    rates = _rates(
        {
            "three_date_additions": bare,
            "decide": shape(usual),
            "decide_in_a_large_pack": shape(large),
            "decide_with_lock_and_next_date": shape(usual, lambda d: (d.lock_until, d.next_date)),
            "decide_with_reasons": shape(usual, lambda d: d.reasons),
            "decide_with_reasons_said": shape(usual, _said),
        },
        len(records),
        rounds,
    )
    return {
        "records": len(records),
        "rules_of_the_class": len(RULES),
        "rules_in_the_packs": len(rules),
        "rules_in_the_large_pack": len(rules) + LARGE,
        "per_cpu_second": {name: round(rate) for name, rate in rates.items()},
        "decide_over_three_date_additions": round(rates["three_date_additions"] / rates["decide"], 2),
        "large_pack_over_shipped_packs": round(rates["decide"] / rates["decide_in_a_large_pack"], 2),
        "goal_per_second": 100_000,
        "is_goal_met": rates["decide"] >= 100_000,
    }


def _rates(works: dict[str, Callable[[], None]], count: int, rounds: int) -> dict[str, float]:
    """The best of several rounds, taken in turn so that a busy moment hits all alike."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            work()
            best[name] = max(best[name], count / (time.process_time() - started))
    return best


def _law(rules: dict[str, tuple[Rule, ...]]) -> Law:
    return law_of([ClassDefinition("A", "凭证", "Voucher", "KJ", "D30", rule_codes=RULES)], rules)


def _records(count: int) -> Sequence[Facts]:
    """Vouchers of thirty-six years: some due, most not."""
    chance = random.Random(1)
    first, last = date(1990, 1, 1).toordinal(), date(2026, 1, 1).toordinal()
    days = [date.fromordinal(chance.randrange(first, last)) for _ in range(count)]
    names = ("slip_closed", "record_created", "document_created", "transaction_completed")
    return [Facts("A", day, dict.fromkeys(names, day)) for day in days]


def _said(decision: Decision) -> list[str]:
    return [words.say(reason, "zh", shipped.event_names()) for reason in decision.reasons]
