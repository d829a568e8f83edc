"""Fetches one pod's report: reads its log, verifies the report, and keeps it in the store.

What a missing report means for the run is decided elsewhere (`run.collect`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from mrunners.errors import ApiStatusError, ClusterError, ForbiddenError, UnauthorizedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.plan.plan import RunPlan
from mrunners.reports.frame import FrameAddress, extract_report
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.plain_log import extract_plain_report
from mrunners.reports.runner_script import ReportMode
from mrunners.reports.samples import KperfReport
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import PodFacts, ReportStore
from mrunners.status.run_state import JobState, RunState

__all__ = ["FetchProgress", "fetch_ended", "fetch_report", "pod_of_index"]

# A node may keep more log than the plan says; only absurd sizes are cut off.
_LOG_MARGIN_BYTES = 64 * 1024 * 1024

_PodKey = tuple[str, int]
"""Job UID and completion index."""


@dataclass(slots=True)
class FetchProgress:
    """What one command has fetched so far; pods by Job UID and completion index.

    Attributes:
        done: Pods that need not be read again.
        reports: How many of them gave a report.
        unread: Pods whose log could not be read yet; they are tried again.
    """

    done: set[_PodKey] = field(default_factory=set)
    reports: int = 0
    unread: set[_PodKey] = field(default_factory=set)


def pod_of_index(pods: Iterable[Pod], job_uid: str, index: int) -> Pod | None:
    """Return the pod whose report counts for a completion index.

    There is only one as long as pods are not replaced. Of several, one that succeeded comes first,
    then the oldest: it ran while its siblings loaded the cluster.
    """
    candidates = [pod for pod in pods if pod.job_uid == job_uid and pod.index == index]
    return min(candidates, key=lambda pod: (not pod.succeeded, pod.created), default=None)


def fetch_report(
    cluster: Cluster, plan: RunPlan, job_name: str, pod: Pod, store: ReportStore
) -> tuple[KperfReport, PodFacts]:
    """Read, verify and keep the report of a pod that has ended.

    Raises:
        UnusableReportError: There is no report that could be merged, with the reason.
        UnauthorizedError: The credentials are not accepted any more.
        OSError: The store cannot keep it.
    """
    assert pod.job_uid is not None
    assert pod.index is not None
    log = _read_log(cluster, plan, pod)
    if plan.report_mode is ReportMode.FRAMED:
        raw = extract_report(log, FrameAddress(plan.run_id, job_name, pod.index, pod.name))
    else:
        raw = extract_plain_report(log)
    report = parse_report(raw)
    facts = store.put(
        pod.job_uid,
        pod.index,
        raw,
        pod=pod.name,
        node=pod.node,
        started_at=pod.started,
        finished_at=pod.finished,
        exit_code=pod.exit_code,
    )
    return report, facts


def _read_log(cluster: Cluster, plan: RunPlan, pod: Pod) -> bytes:
    limit_bytes = plan.node_log_limit_bytes + _LOG_MARGIN_BYTES
    try:
        log = cluster.read_log(plan.namespace, pod.name, limit_bytes=limit_bytes)
    except UnauthorizedError:
        raise  # this is not about the pod
    except ForbiddenError as error:
        raise UnusableReportError(MissingReason.LOG_FORBIDDEN, str(error)) from error
    except ApiStatusError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
        # The kubelet's answer for a container that never ran, as when it did not admit the pod.
        detail = f"no log ({pod.reason or pod.phase}): {error}"
        raise UnusableReportError(MissingReason.FAILED, detail) from error
    except ClusterError as error:
        raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
    if log is None:
        raise UnusableReportError(MissingReason.POD_GONE, "the pod was deleted")
    return log


def fetch_ended(
    cluster: Cluster,
    plan: RunPlan,
    state: RunState,
    pods: Iterable[Pod],
    store: ReportStore,
    progress: FetchProgress,
    observer: RunObserver,
) -> None:
    """Fetch the reports of all pods that have ended since the last call.

    A report that cannot be fetched is reported once and left to `run.collect`, which reads again. A
    log that its node does not return is requested again at the next call: the node may be back
    before it is lost for good. Once a node did not answer, its other pods wait for the next call
    too, because each request uses up the whole retry time for logs.
    """
    unreachable_nodes: set[str | None] = set()
    fetched: list[str] = []
    jobs = {job.actual.uid: job for job in state.jobs if job.actual is not None}
    for pod in pods:
        if pod.job_uid not in jobs or pod.index is None or not pod.ended:
            continue
        key = (pod.job_uid, pod.index)
        if key in progress.done:
            continue
        if pod.node in unreachable_nodes:
            progress.unread.add(key)
            continue
        retried = key in progress.unread
        progress.unread.discard(key)
        progress.done.add(key)
        job = jobs[pod.job_uid]
        try:
            _fetch_one(cluster, plan, job, pod, store)
        except UnusableReportError as error:
            unavailable = error.problem is MissingReason.LOG_UNAVAILABLE
            if not (unavailable and retried):
                observer.warn(f"pod {pod.name}: no report: {error}")
            if unavailable:
                unreachable_nodes.add(pod.node)
                progress.unread.add(key)
                progress.done.discard(key)
        except OSError as error:
            observer.warn(f"pod {pod.name}: its report could not be kept on disk: {error}")
        else:
            progress.reports += 1
            fetched.append(f"{job.planned.name} index {pod.index}, pod {pod.name} on {pod.node}")
    if fetched:
        observer.reports_fetched(fetched)


def _fetch_one(
    cluster: Cluster, plan: RunPlan, job: JobState, pod: Pod, store: ReportStore
) -> None:
    assert pod.job_uid is not None
    assert pod.index is not None
    if not store.has(pod.job_uid, pod.index):
        fetch_report(cluster, plan, job.planned.name, pod, store)
