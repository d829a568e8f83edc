"""Writes to the tracker what every machine must know about a run, as annotations.

The tracker is immutable except for its annotations. None of them is needed to run; each one that
cannot be written is a warning that says what follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from mrunners.errors import ClusterError
from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.plan.metadata import (
    ANNOTATION_COLLECTED_AT,
    ANNOTATION_JOB_TTL,
    ANNOTATION_JOBS_CREATED_AT,
)
from mrunners.reports.outcomes import PodOutcome
from mrunners.run.finality import is_final
from mrunners.run.lookup import ExistingRun
from mrunners.run.observer import RunObserver
from mrunners.run.second_look import same_tracker
from mrunners.text import listed

__all__ = [
    "annotate_collected",
    "annotate_job_ttl",
    "annotate_jobs_created",
    "mark_collected",
    "warn_of_gone_jobs",
]

_TAKEN_FOR_NEW = "other machines may take a Job that is deleted for one that was never created"


def annotate_jobs_created(cluster: Cluster, run: ExistingRun, observer: RunObserver) -> None:
    """Record that all Jobs were created, so that one that is missing later is not made again."""
    if ANNOTATION_JOBS_CREATED_AT not in run.tracker.annotations:
        created = {ANNOTATION_JOBS_CREATED_AT: _stamp(cluster)}
        _annotate(cluster, run, created, observer, _TAKEN_FOR_NEW)


def annotate_job_ttl(
    cluster: Cluster, run: ExistingRun, ttl_seconds: int, observer: RunObserver
) -> None:
    """Record that the cluster removes finished Jobs, and after how many seconds.

    If the creation is interrupted, a Job that does not exist after that time may have run.
    """
    ttl = {ANNOTATION_JOB_TTL: str(ttl_seconds)}
    _annotate(cluster, run, ttl, observer, _TAKEN_FOR_NEW)


def annotate_collected(
    cluster: Cluster,
    run: ExistingRun,
    observer: RunObserver,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Record that the report was written in full; return whether that is recorded now."""
    collected = {ANNOTATION_COLLECTED_AT: _stamp(cluster)}
    consequence = "it does not count as collected, and a later run will not replace it"
    return _annotate(cluster, run, collected, observer, consequence, sleep)


def mark_collected(
    cluster: Cluster,
    run: ExistingRun,
    outcomes: Sequence[PodOutcome],
    observer: RunObserver,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Annotate the tracker: its report was written in full, and a later run may replace the run.

    To be called after the report was written. Nothing is marked while another attempt may get a
    missing report. That includes one on another machine: what is gone may have been fetched there,
    unless a wait on this machine has seen it. That a run is not marked is only a warning, because
    its report is saved.

    Returns:
        Whether the run counts as collected now.
    """
    pending = [outcome for outcome in outcomes if not is_final(outcome)]
    if pending:
        first = pending[0]
        observer.warn(
            f"the run does not count as collected, because {counted(len(pending), 'report')} may "
            f"still be had: {first.job} index {first.index} ({first.missing})"
        )
        return False
    unseen = [outcome for outcome in outcomes if outcome.unseen]
    if unseen and not run.collected:
        first = unseen[0]
        observer.warn(
            f"the run does not count as collected, because another machine that waited for it may "
            f"have {counted(len(unseen), 'report')} of what is gone now: {first.job} index "
            f"{first.index} ({first.missing}); collect it there, or replace or delete the run if "
            "there is no such machine"
        )
        return False
    return annotate_collected(cluster, run, observer, sleep)


def warn_of_gone_jobs(names: Sequence[str], observer: RunObserver) -> None:
    """Say which Jobs are not created a second time."""
    if names:
        verb = "was" if len(names) == 1 else "were"
        observer.warn(
            f"{counted(len(names), 'Job')} of the run existed and {verb} deleted since: "
            f"{listed(names, 5)}; not created again, because the load may have run"
        )


def _annotate(
    cluster: Cluster,
    run: ExistingRun,
    annotations: Mapping[str, str],
    observer: RunObserver,
    consequence: str,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    ref, uid = run.ref, run.tracker.uid
    try:
        if cluster.annotate_config_map(ref.namespace, ref.tracker, uid, annotations):
            return True
        exists = same_tracker(cluster, ref, uid, sleep) is not None
        if exists and cluster.annotate_config_map(ref.namespace, ref.tracker, uid, annotations):
            return True
        reason = "the API server refuses it" if exists else "it was deleted or replaced"
    except ClusterError as error:
        reason = str(error)
    observer.warn(f"tracker {ref} could not be annotated, so {consequence}: {reason}")
    return False


def _stamp(cluster: Cluster) -> str:
    return cluster.now().strftime("%Y-%m-%dT%H:%M:%SZ")
