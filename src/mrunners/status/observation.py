"""What the pods of a run show beyond the counters of its Jobs, and what is remembered of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mrunners.kube.objects import Pod
from mrunners.status.run_state import ObservedPods, RunState

__all__ = ["observe_pods", "remember_pods"]


def observe_pods(state: RunState, pods: Iterable[Pod]) -> RunState:
    """Return the state with what the pods of the run show beyond the Jobs' counters."""
    started: dict[str | None, set[int]] = {}
    ended: dict[str | None, set[int]] = {}
    last_start: dict[str | None, datetime] = {}
    for pod in pods:
        if pod.index is not None and pod.started is not None:
            started.setdefault(pod.job_uid, set()).add(pod.index)
            if not pod.ended:
                before = last_start.get(pod.job_uid, pod.started)
                last_start[pod.job_uid] = max(before, pod.started)
        if pod.index is not None and pod.ended:
            ended.setdefault(pod.job_uid, set()).add(pod.index)
    return replace(
        state,
        jobs=tuple(
            job
            if job.actual is None
            else replace(
                job,
                pods=ObservedPods(
                    job.pods.started.union(started.get(job.actual.uid, ())),
                    job.pods.ended.union(ended.get(job.actual.uid, ())),
                    last_start.get(job.actual.uid, job.pods.last_start),
                ),
            )
            for job in state.jobs
        ),
    )


def remember_pods(state: RunState, earlier: RunState) -> RunState:
    """Return the state with what was observed earlier: a pod that has started stays started."""
    known = {job.actual.uid: job.pods for job in earlier.jobs if job.actual is not None}
    return replace(
        state,
        jobs=tuple(
            job
            if job.actual is None
            else replace(job, pods=known.get(job.actual.uid, ObservedPods()))
            for job in state.jobs
        ),
    )
