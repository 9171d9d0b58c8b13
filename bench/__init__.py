"""Measurements: `scripts/bench NAME`. Each module has `run(quick) -> dict`: figures and the reference beside them."""
