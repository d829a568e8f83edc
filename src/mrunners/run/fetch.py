"""Brings home one pod's report, verified, and keeps it in the store.

It must not decide what a missing report means for the run.
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

__all__ = ["FetchProgress", "fetch_ended", "fetch_report", "pod_of"]

# A node may keep more log than the plan says; only absurd sizes are cut off.
_LOG_ROOM_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class FetchProgress:
    """What one command has brought home so far.

    Attributes:
        seen: places (Job UID, completion index) that need not be looked at again.
        reports: how many of them gave a report.
        unread: places whose log could not be read yet; they are tried again.
    """

    seen: set[tuple[str, int]]
    reports: int = 0
    unread: set[tuple[str, int]] = field(default_factory=set)


def pod_of(pods: Iterable[Pod], job_uid: str, index: int) -> Pod | None:
    """The pod whose report counts for a completion index.

    There is one as long as pods are not replaced. Where there are several, one that succeeded
    comes first, then the oldest: it was there when its siblings loaded the cluster.
    """
    candidates = [pod for pod in pods if pod.job_uid == job_uid and pod.index == index]
    return min(candidates, key=lambda pod: (pod.phase != "Succeeded", pod.created), default=None)


def fetch_report(
    cluster: Cluster, plan: RunPlan, job_name: str, pod: Pod, store: ReportStore
) -> tuple[KperfReport, PodFacts]:
    """Read, verify and keep the report of a pod that has ended.

    Raises: UnusableReportError: there is none that could be merged, with the reason.
        UnauthorizedError: the credentials are not good any more.
        OSError: the store cannot keep it.
    """
    assert pod.job_uid is not None
    assert pod.index is not None
    try:
        log = cluster.read_log(
            plan.namespace, pod.name, limit_bytes=plan.node_log_limit_bytes + _LOG_ROOM_BYTES
        )
    except UnauthorizedError:
        raise  # this is not about the pod
    except ForbiddenError as error:
        raise UnusableReportError(MissingReason.LOG_FORBIDDEN, str(error)) from error
    except ApiStatusError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
        # What a kubelet says of a container that never ran, as when it did not admit the pod.
        ended = pod.reason or pod.phase
        raise UnusableReportError(MissingReason.FAILED, f"no log ({ended}): {error}") from error
    except ClusterError as error:
        raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
    if log is None:
        raise UnusableReportError(MissingReason.POD_GONE, "the pod was deleted")
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


def fetch_ended(
    cluster: Cluster,
    plan: RunPlan,
    state: RunState,
    pods: Iterable[Pod],
    store: ReportStore,
    progress: FetchProgress,
    observer: RunObserver,
) -> None:
    """Bring home the reports of all pods that have ended since the last call.

    A report that cannot be had is said once and left to the result, which looks again. A log that
    its node does not give is asked for again at the next call: the node may be back before it is
    lost for good. Once a node did not answer, its other pods wait for the next call too, as each
    request takes all the patience there is for logs.
    """
    unreachable_nodes: set[str | None] = set()
    home: list[str] = []
    jobs = {job.actual.uid: job for job in state.jobs if job.actual is not None}
    for pod in pods:
        if pod.job_uid not in jobs or pod.index is None or not pod.ended:
            continue
        place = (pod.job_uid, pod.index)
        if place in progress.seen:
            continue
        if pod.node in unreachable_nodes:
            progress.unread.add(place)
            continue
        progress.seen.add(place)
        try:
            _fetch_one(cluster, plan, jobs[pod.job_uid], pod, store)
        except UnusableReportError as error:
            silent = error.problem is MissingReason.LOG_UNAVAILABLE
            if not (silent and place in progress.unread):
                observer.warn(f"pod {pod.name}: no report: {error}")
            progress.unread.discard(place)
            if silent:
                unreachable_nodes.add(pod.node)
                progress.unread.add(place)
                progress.seen.discard(place)
        except OSError as error:
            progress.unread.discard(place)
            observer.warn(f"pod {pod.name}: its report could not be kept on disk: {error}")
        else:
            progress.reports += 1
            progress.unread.discard(place)
            job = jobs[pod.job_uid].planned.name
            home.append(f"{job} index {pod.index}, pod {pod.name} on {pod.node}")
    if home:
        observer.reports_fetched(home)


def _fetch_one(
    cluster: Cluster, plan: RunPlan, job: JobState, pod: Pod, store: ReportStore
) -> None:
    assert pod.job_uid is not None
    assert pod.index is not None
    if not store.has(pod.job_uid, pod.index):
        fetch_report(cluster, plan, job.planned.name, pod, store)
