"""A run's status for people and for programs: a small table, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field
from rich.console import RenderableType
from rich.table import Table

from mrunners.formatting import profile_names
from mrunners.kube.pod import Pod
from mrunners.records import Record
from mrunners.refs import ClusterLocation, RunRef
from mrunners.render.terminal.rich_tables import drawn, name_cell, safe_cell, titled_table
from mrunners.status.run_state import JobPhase, RunState

__all__ = ["JobStatus", "PodStatus", "RunStatus", "render_status", "run_status"]

_MAX_ROWS = 40


class JobStatus(Record):
    """One Job of a run.

    Attributes:
        uri: The runner URI that the Job was made from.
        pods: How many pods are planned.
        ended: How many of them succeeded or failed.
        running: How many of them are running.
        starting: How many of them have not started.
    """

    job: str
    uri: str
    phase: JobPhase
    pods: int
    ended: int
    running: int
    starting: int


class PodStatus(Record):
    """One pod of a run that exists.

    Attributes:
        phase: As Kubernetes says it, or the reason why its container waits or has ended.
        node: The node it is on; None while it has none.
    """

    pod: str
    job: str
    index: int
    phase: str
    node: str | None


class RunStatus(Record):
    """A run at one moment, schema `mrunners.status/v1`.

    Attributes:
        server: The URL of the API server.
        context: The context of the kubeconfig that names it; empty for the pod's own cluster.
        run: The run's ID.
        state: The state in words, such as `running`.
        finished: Whether every planned Job has finished.
        collected: Whether its whole report was written once.
        problems: What keeps pods from starting, and what went wrong, one line each.
        pod_options: What fits the pods to the cluster, such as `cpu-limit 2`.
    """

    schema_name: Literal["mrunners.status/v1"] = Field("mrunners.status/v1", alias="schema")
    server: str
    context: str
    namespace: str
    tracker: str
    run: str
    state: str
    finished: bool
    collected: bool
    jobs: tuple[JobStatus, ...]
    pods: tuple[PodStatus, ...]
    problems: tuple[str, ...]
    pod_options: tuple[str, ...] = Field(default=(), alias="podOptions")


def run_status(
    run: RunRef,
    *,
    location: ClusterLocation,
    run_id: str,
    state: RunState,
    pods: Iterable[Pod],
    collected: bool,
    problems: Sequence[str],
    pod_options: Sequence[str] = (),
) -> RunStatus:
    """Return the status of a run as a record.

    Args:
        run: The run's namespace and tracker.
        location: The cluster it is in.
        run_id: The run's ID, which the plan has.
        state: The plan beside the Jobs that exist.
        pods: The pods that exist.
        collected: Whether its whole report was written once.
        problems: What keeps pods from starting, and what went wrong, one line each.
        pod_options: What fits the pods to the cluster, such as `cpu-limit 2`.
    """
    return RunStatus(
        server=location.server,
        context=location.context,
        namespace=run.namespace,
        tracker=run.tracker,
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
        pods=tuple(
            PodStatus(
                pod=pod.name,
                job=pod.job_name or "",
                index=pod.index,
                phase=pod.waiting or pod.reason or pod.phase,
                node=pod.node,
            )
            for pod in sorted(pods, key=lambda pod: (pod.job_name or "", pod.index or 0))
            if pod.index is not None
        ),
        problems=tuple(problems),
        pod_options=tuple(pod_options),
    )


def render_status(
    status: RunStatus, description: str, *, width: int | None = 80, wide: bool = False
) -> str:
    """Return the status as lines of at most `width` columns.

    Args:
        status: The record to show.
        description: The first line: the run in a few words.
        width: Width of the terminal; None breaks no line, for a reader that is a program.
        wide: Whether to show the pods and their nodes too.
    """
    parts = [*_parts(status, description), *([_pods(status.pods)] if wide and status.pods else [])]
    return drawn(parts, width=width)


def _parts(status: RunStatus, description: str) -> Iterable[RenderableType]:
    yield safe_cell(description, 400)
    table = titled_table()
    for name in ("job", "profile"):
        table.add_column(name)
    table.add_column("state", no_wrap=True)
    for name in ("pods", "ended", "running", "starting"):
        table.add_column(name, justify="right", no_wrap=True)
    profiles = profile_names([job.uri for job in status.jobs])
    for job, profile in list(zip(status.jobs, profiles, strict=True))[:_MAX_ROWS]:
        table.add_row(
            name_cell(job.job, 64),
            name_cell(profile, 120),
            job.phase.value,
            str(job.pods),
            str(job.ended),
            str(job.running),
            str(job.starting),
        )
    if status.pod_options:
        yield safe_cell(f"pods: {', '.join(status.pod_options)}", 1000)
    yield table
    if len(status.jobs) > _MAX_ROWS:
        yield f"and {len(status.jobs) - _MAX_ROWS} more Jobs; -o json lists all"
    for problem in status.problems:
        yield safe_cell(problem, 1000)


def _pods(pods: Sequence[PodStatus]) -> Table:
    table = titled_table()
    table.add_column("pod")
    table.add_column("index", justify="right", no_wrap=True)
    for name in ("status", "node"):
        table.add_column(name)
    for pod in pods:
        node = "-" if pod.node is None else pod.node
        table.add_row(name_cell(pod.pod), str(pod.index), safe_cell(pod.phase), name_cell(node))
    return table
