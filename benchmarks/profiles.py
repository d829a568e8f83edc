"""Measures what reading load profiles costs before a run starts: sources, parsing, rendering.

python -m benchmarks.profiles
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mrunners.errors import InvalidInputError
from mrunners.profiles.loading import read_runners
from mrunners.profiles.sources import SourceContext

_REQUEST = """\
  - shares: 1
    staleList: {{version: v1, resource: pods, namespace: ns-{number}, selector: app=x{number}}}
"""


def _write(path: Path, requests: int) -> str:
    lines = "".join(_REQUEST.format(number=number) for number in range(requests))
    head = f"version: 1\ndescription: {path.name}\nspecs:\n- rate: 10\n  total: 100\n  requests:\n"
    path.write_text(head + lines)
    return f"file://{path}?numbers=1"


def _measure(case: str, uris: Sequence[str]) -> None:
    started = time.process_time()
    outcome = "read"
    try:
        read_runners(uris, SourceContext(), None)
    except InvalidInputError as error:
        outcome = "refused" if "as rendered" in str(error) else str(error)
    print(f"| {case} | {time.process_time() - started:.2f} | {outcome} |")


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        small = [_write(path / f"{number}.yaml", 3) for number in range(1_000)]
        large = _write(path / "large.yaml", 2_000)
        too_large = _write(path / "too-large.yaml", 5_200)
        thousand = _write(path / "thousand.yaml", 1_000)
        print("| runners | CPU s | |\n|---|---:|---|")
        _measure("1 URI of 1,000 requests", [thousand])
        _measure("the same again, as the flow reads it", [thousand])
        _measure("10 URIs of 1,000 requests, one file", [thousand] * 10)
        _measure("1 URI of 2,000 requests", [large])
        _measure("1 URI of 5,200 requests, which do not fit", [too_large])
        _measure("1,000 URIs, 1,000 files of 3 requests", small)


if __name__ == "__main__":
    main()
