"""Runs what is compared in turn, as whole processes, and keeps what each run took."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = [
    "BUILD",
    "CHECKOUT",
    "Spread",
    "Usage",
    "in_turn",
    "progress",
    "run_process",
    "spread",
    "together",
]

CHECKOUT = Path(__file__).resolve().parents[1]
BUILD = CHECKOUT / "build" / "bench"

# A benchmark must not hang forever.
TIMEOUT_SECONDS = 1800.0

T = TypeVar("T")


@dataclass(frozen=True)
class Usage:
    """What one run took.

    Attributes:
        seconds: From start to end.
        cpu_seconds: Of the process and those that it waited for, user and system.
        peak_bytes: The largest resident memory of any of these processes.
        output: What was written to stdout.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: bytes = b""


@dataclass(frozen=True)
class Spread:
    """The median of several measurements of one figure, and their bounds."""

    median: float
    lowest: float
    highest: float


def together(usages: Sequence[Usage]) -> Usage:
    """Return what commands took that ran one after the other, with the last one's output."""
    return Usage(
        sum(usage.seconds for usage in usages),
        sum(usage.cpu_seconds for usage in usages),
        max(usage.peak_bytes for usage in usages),
        usages[-1].output,
    )


def spread(values: Sequence[float]) -> Spread:
    """Return median and bounds.

    Raises:
        ValueError: There are no values.
    """
    return Spread(statistics.median(values), min(values), max(values))


def in_turn(ways: Mapping[str, Callable[[], T]], times: int) -> dict[str, list[T]]:
    """Run each way once, then each way again (A B A B), so that a busy minute meets all of them."""
    results: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(times):
        for name, way in ways.items():
            progress(f"  {name}, {number + 1} of {times}")
            results[name].append(way())
    return results


def run_process(
    arguments: Sequence[str | Path],
    *,
    environ: Mapping[str, str] | None = None,
    stdin: Path | None = None,
    cwd: Path = CHECKOUT,
) -> Usage:
    """Run a command to its end, and measure it.

    Raises:
        RuntimeError: It did not exit with 0; the message has the end of its stderr.
    """
    # Who installs a package has its modules compiled.
    inherited = os.environ if environ is None else environ
    whole = {key: text for key, text in inherited.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source = os.open(stdin or os.devnull, os.O_RDONLY)
        try:
            started = time.perf_counter()
            process = subprocess.Popen(
                [str(word) for word in arguments],
                env=whole,
                cwd=cwd,
                stdin=source,
                stdout=out,
                stderr=err,
            )
            limit = threading.Timer(TIMEOUT_SECONDS, process.kill)
            limit.start()
            # Only wait4 tells the memory of one child; getrusage knows that of the largest so far.
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            limit.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            os.close(source)
        out.seek(0)
        if process.returncode != 0:
            err.seek(0)
            message = err.read()[-2000:].decode(errors="replace")
            command = " ".join(map(str, arguments))[:200]
            raise RuntimeError(f"{command}: exit {process.returncode}\n{message}")
        # Linux counts the memory in KiB.
        return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read())


def progress(text: str) -> None:
    """Say on stderr what is being measured, so that stdout has only the table."""
    print(text, file=sys.stderr, flush=True)
