"""How far a run is, for people and for programs: a small table, or JSON.

It must not compute: the state of a run knows all.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Literal

from pydantic import Field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mrunners.records import Record
from mrunners.render.terminal.rich_tables import safe_cell
from mrunners.status.run_state import JobPhase, RunState

__all__ = ["JobStatus", "RunStatus", "render_status", "run_status"]

_MAX_ROWS = 40


class JobStatus(Record):
    """One Job of a run."""

    job: str
    uri: str
    phase: JobPhase
    pods: int
    ended: int
    running: int
    starting: int


class RunStatus(Record):
    """A run at one moment, schema `mrunners.status/v1`.

    Attributes:
        state: in words, such as `running`.
        finished: every planned Job has finished.
        collected: its report was fully written once.
        problems: what keeps pods from starting or went wrong, one line each.
    """

    schema_name: Literal["mrunners.status/v1"] = Field("mrunners.status/v1", alias="schema")
    namespace: str
    tracker: str
    run: str
    state: str
    finished: bool
    collected: bool
    jobs: tuple[JobStatus, ...]
    problems: tuple[str, ...]


def run_status(
    *,
    namespace: str,
    tracker: str,
    run_id: str,
    state: RunState,
    collected: bool,
    problems: Sequence[str],
) -> RunStatus:
    """The record of a run's state."""
    return RunStatus(
        namespace=namespace,
        tracker=tracker,
        run=run_id,
        state=state.headline,
        finished=state.finished,
        collected=collected,
        jobs=tuple(
            JobStatus(
                job=job.planned.name,
                uri=job.planned.uri,
                phase=job.phase,
                pods=job.planned.pod_count,
                ended=job.ended,
                running=0 if job.phase.finished else job.running,
                starting=0 if job.phase.finished else job.unstarted,
            )
            for job in state.jobs
        ),
        problems=tuple(problems),
    )


def render_status(status: RunStatus, description: str, *, width: int = 80) -> str:
    """The status as lines of at most `width` columns.

    Args:
        status: the record.
        description: its first line: the run in a few words.
        width: of the terminal.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("job, URI", overflow="fold")
    table.add_column("state", no_wrap=True)
    for name in ("pods", "ended", "running", "starting"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in status.jobs[:_MAX_ROWS]:
        table.add_row(
            Text("\n").join([safe_cell(job.job, 63), safe_cell(job.uri, 200)]),
            job.phase.value,
            str(job.pods),
            str(job.ended),
            str(job.running),
            str(job.starting),
        )
    out = StringIO()
    console = Console(
        file=out, width=width, color_system=None, markup=False, emoji=False, highlight=False
    )
    console.print(safe_cell(description, 400))
    console.print(table)
    if len(status.jobs) > _MAX_ROWS:
        console.print(f"and {len(status.jobs) - _MAX_ROWS} more Jobs; all are in --format json")
    for problem in status.problems:
        console.print(safe_cell(problem, 1000))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
