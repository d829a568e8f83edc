"""Writes the table of faults in docs/reliability.md, from what the last fault tests counted.

python -m dev.fault_table
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.fault_rows import RESULTS, FaultRow

__all__ = ["FILE", "table", "with_table"]

FILE = Path(__file__).parents[1] / "docs" / "reliability.md"

_BEGIN, _END = "<!-- faults -->\n", "<!-- end of faults -->\n"
_HEAD = (
    "| fault | hosts | runs | reports expected | fetched | missing, by reason | lost | twice | "
    "false success |\n|---|---|---:|---:|---:|---|---:|---:|---:|\n"
)


def table(rows: Iterable[FaultRow]) -> str:
    """Return the table in Markdown."""
    return _HEAD + "".join(
        f"| {row.fault} | {row.hosts} | {row.runs} | {row.expected} | {row.fetched} | "
        f"{', '.join(f'{count} `{reason}`' for reason, count in sorted(row.missing.items()))} | "
        f"{row.lost} | {row.twice} | {row.false_success} |\n"
        for row in sorted(rows, key=lambda row: (row.hosts, row.fault))
    )


def with_table(page: str, rows: Iterable[FaultRow]) -> str:
    """Return the page with another table between its two marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table(rows)}{_END}{after}"


if __name__ == "__main__":
    known = [FaultRow(**row) for row in json.loads(RESULTS.read_text())]
    FILE.write_text(with_table(FILE.read_text(), known))
