"""Runs benchmarks, and prints their table.

    python -m benchmarks [NAME…] [--times 5] [--write]

Without names, all of them run, which takes about an hour. The rows are also written to
build/bench/results.json, and with --write to docs/benchmarks.md. Nothing else should run on the
machine.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import shutil
from importlib.metadata import version

from benchmarks.large_run import GROWTH
from benchmarks.measuring import BUILD, CHECKOUT, progress
from benchmarks.results import Row, as_json, insert_table, table

__all__: list[str] = []

# One module for each question, in the order of the table. Each has `measure(times)`.
QUESTIONS = (
    "startup",
    "dry_run",
    "creating",
    "waiting",
    "merge",
    "beyond_memory",
    "large_run",
    "small_run",
    "pages",
    "flow",
    "hot_loops",
)
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
RESULTS = BUILD / "results.json"


def _circumstances(names: list[str], times: int) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("prefect", "numpy"))
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.system()} on "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{libraries}, by `python -m benchmarks {' '.join([*names, f'--times {times}'])}`: "
        "medians, with the lowest and the highest in parentheses.\n\n"
    )


def main() -> None:
    """Parse the options, measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(QUESTIONS))
    parser.add_argument("--times", type=int, default=5, help="how often each way runs")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if unknown := set(options.names) - set(QUESTIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(QUESTIONS)}")
    if options.write:
        insert_table(DOCUMENT.read_text(), "")  # fails before an hour has passed, and not after it
    rows: list[Row] = []
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in options.names or QUESTIONS:
        progress(f"{name}:")
        rows += importlib.import_module(f"benchmarks.{name}").measure(options.times)
        # After each question, so that an interruption loses only one.
        RESULTS.write_text(json.dumps(as_json(rows), indent=2) + "\n")
        if options.write:
            text = _circumstances(options.names, options.times) + table(rows)
            DOCUMENT.write_text(insert_table(DOCUMENT.read_text(), text))
            if GROWTH.exists():
                shutil.copy(GROWTH, DOCUMENT.parent)
    print(table(rows))


if __name__ == "__main__":
    main()
