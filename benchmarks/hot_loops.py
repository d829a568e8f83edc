"""The loops that a large run spends its time in, each against the plain way of doing the same.

pytest-benchmark measures them in a process of its own; benchmarks/test_hot_loops.py says what they
are. Of a pair of tests `test_X` and `test_X_plainly`, the second is the peer.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import CHECKOUT, Spread, run_process
from benchmarks.programs import python
from benchmarks.results import Row

__all__ = ["measure"]

_TESTS = CHECKOUT / "benchmarks" / "test_hot_loops.py"
_PLAINLY = "_plainly"


def measure(times: int) -> list[Row]:
    """Return a row for each loop, in milliseconds; each is repeated at least so many times."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        options = ("--benchmark-only", f"--benchmark-min-rounds={times}", "--quiet")
        run_process(
            python("-m", "pytest", *options, f"--benchmark-json={path}", str(_TESTS)),
        )
        return _rows(json.loads(path.read_text()))


def _rows(results: Any) -> list[Row]:
    found = {test["name"]: test["stats"] for test in results["benchmarks"]}
    rows = []
    for name, stats in found.items():
        if name.endswith(_PLAINLY):
            continue
        other = found.get(name + _PLAINLY)
        rows.append(
            Row(
                name.removeprefix("test_").replace("_", " "),
                "ms",
                _spread(stats),
                "the plain way" if other else "",
                _spread(other) if other else None,
            )
        )
    return rows


def _spread(stats: dict[str, float]) -> Spread:
    return Spread(*(stats[key] * 1000 for key in ("median", "min", "max")))
