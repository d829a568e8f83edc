"""Lists of runs as kubectl prints them: columns that are never wrapped, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from mrunners.records import Record
from mrunners.text import printable

__all__ = ["KeptRunRow", "RunList", "RunRow", "columns", "kept_run_table", "run_table"]

# A name of Kubernetes has at most 253 characters, and of a URI its end matters too.
_CELL = 253

# kubectl leaves as much between two columns.
_GAP = "   "


class RunRow(Record):
    """One run of a cluster.

    Attributes:
        run: The run's ID.
        state: In words, such as `running`; `unreadable` when `problem` says why.
        pods: How many pods are planned; None when it is unreadable, as in the others.
        ended: How many of them have run and ended.
        collected: Whether its whole report was written once.
    """

    namespace: str
    tracker: str
    run: str
    state: str
    created: AwareDatetime
    collected: bool
    pods: int | None = None
    ended: int | None = None
    image: str | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The tracker, as kubectl takes it."""
        return f"configmap/{self.tracker}"


class KeptRunRow(Record):
    """One run whose reports are kept on this machine.

    Attributes:
        name: What tells it from the others: the run's ID, and the UID of its tracker behind a dot
            where runs with the same run key are kept too.
        run: The run's ID.
        server: The URL of the API server that was loaded.
        pods: How many pods were planned.
        reports: How many of their reports are kept.
    """

    name: str
    run: str
    namespace: str
    tracker: str
    server: str
    created: AwareDatetime
    pods: int
    reports: int
    image: str


class RunList(Record):
    """What `mrunners list` prints as JSON, schema `mrunners.list/v1`."""

    schema_name: Literal["mrunners.list/v1"] = Field("mrunners.list/v1", alias="schema")
    runs: tuple[RunRow | KeptRunRow, ...]


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, one line each, however long it gets; the first is the head.

    A line that is not wrapped can be found by grep, and its columns be read by awk.
    """
    cells = [[printable(cell, _CELL) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return "".join(f"{line}\n" for line in lines)


def run_table(
    runs: Sequence[RunRow], now: datetime, *, with_namespace: bool = False, wide: bool = False
) -> str:
    """Return runs as a table; a `wide` one has the run IDs and images too."""
    head = ["NAME", "STATE", "ENDED", "COLLECTED", "AGE"]
    rows = [
        [
            run.tracker,
            run.state,
            "-" if run.pods is None else f"{run.ended}/{run.pods}",
            "yes" if run.collected else "no",
            _age(now - run.created),
        ]
        for run in runs
    ]
    if wide:
        head += ["RUN", "IMAGE"]
        rows = [[*row, run.run, run.image or "-"] for row, run in zip(rows, runs, strict=True)]
    if with_namespace:
        head = ["NAMESPACE", *head]
        rows = [[run.namespace, *row] for row, run in zip(rows, runs, strict=True)]
    return columns([head, *rows])


def kept_run_table(runs: Sequence[KeptRunRow], now: datetime, *, wide: bool = False) -> str:
    """Return the runs that are kept on this machine as a table; a `wide` one has the images too."""
    head = ["RUN", "NAMESPACE", "NAME", "REPORTS", "AGE", "SERVER"]
    rows = [
        [
            run.name,
            run.namespace,
            run.tracker,
            f"{run.reports}/{run.pods}",
            _age(now - run.created),
            run.server,
        ]
        for run in runs
    ]
    if wide:
        head += ["IMAGE"]
        rows = [[*row, run.image] for row, run in zip(rows, runs, strict=True)]
    return columns([head, *rows])


def _age(age: timedelta) -> str:
    """Return an age as kubectl prints it (duration.HumanDuration of k8s.io/apimachinery)."""
    seconds = max(int(age.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 2 * 365:
        return f"{days}d"
    years, rest = divmod(days, 365)
    return f"{years}y{rest}d" if rest and years < 8 else f"{years}y"
