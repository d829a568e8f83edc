"""Reads the log of one pod that has ended, once, and keeps the report that is in it.

What to do about a log that cannot be read, or holds no report, is decided by its callers.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from http import HTTPStatus

from mrunners.errors import ApiStatusError, ClusterError, ForbiddenError, UnauthorizedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import Pod
from mrunners.plan.metadata import log_container
from mrunners.reports.frame import FrameAddress, extract_framed
from mrunners.reports.frame_lines import load_start
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.plain_log import extract_plain_report
from mrunners.reports.runner_script import ReportMode
from mrunners.reports.samples import KperfReport
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import PodFacts, ReportAddress, ReportStore

__all__ = ["WITHOUT_LOG", "SilentNodeError", "fetch_report"]

# A node may keep more log than the plan says; only absurd sizes are cut off.
_LOG_MARGIN_BYTES = 64 * 1024 * 1024

# The node has lost the container, or never started it, and so will never have its log.
WITHOUT_LOG = frozenset({"ContainerStatusUnknown", "StartError", "ContainerCannotRun"})


class SilentNodeError(UnusableReportError):
    """The request for a log used up its time, as would one for any other log of the node."""


def fetch_report(
    cluster: Cluster, run: ExistingRun, job_name: str, pod: Pod, store: ReportStore
) -> tuple[KperfReport, PodFacts]:
    """Read, verify and keep the report of a pod that has ended.

    Raises:
        UnusableReportError: There is no report that could be merged, with the reason.
        UnauthorizedError: The credentials are not accepted any more.
    """
    assert pod.index is not None
    plan = run.plan
    log = _read_log(cluster, run, pod)
    if plan.report_mode is ReportMode.FRAMED:
        framed = extract_framed(
            log,
            FrameAddress(plan.run_id, job_name, pod.index, pod.name),
            functools.partial(_read_log, cluster, run, pod),
            plan.report_logs,
        )
        raw, packed = framed.raw, framed.packed
    else:
        raw, packed = extract_plain_report(log), None
    report = parse_report(raw)
    server = cluster.location.server
    store.kept_runs().add(plan, run.tracker.uid, run.tracker.created, server)
    facts = store.put(
        ReportAddress.of(run.stored, job_name, pod.index),
        raw,
        packed=packed,
        pod=pod.name,
        node=pod.node,
        started_at=pod.started,
        finished_at=pod.finished,
        exit_code=pod.exit_code,
        image_id=pod.image_id,
        load_started_at=_load_start(log, pod),
    )
    return report, facts


def _load_start(log: bytes, pod: Pod) -> datetime | None:
    """Return when the load began; None when the log does not say it, or what cannot be."""
    began = load_start(log, pod.name)
    if began is None or pod.started is None or began < pod.started:
        return None
    # The end is in whole seconds, cut off.
    late = pod.finished is not None and began > pod.finished + timedelta(seconds=1)
    return None if late else began


def _read_log(cluster: Cluster, run: ExistingRun, pod: Pod, part: int = 1) -> bytes:
    """Return the log with a part of the pod's report."""
    limit_bytes = run.plan.node_log_limit_bytes + _LOG_MARGIN_BYTES
    try:
        log = cluster.read_log(run.ref.namespace, pod.name, log_container(part), limit_bytes)
    except UnauthorizedError:
        raise  # this is not about the pod
    except ForbiddenError as error:
        raise UnusableReportError(MissingReason.LOG_FORBIDDEN, str(error)) from error
    except ApiStatusError as error:
        if error.status != HTTPStatus.BAD_REQUEST or _may_have_log(pod):
            raise UnusableReportError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
        # The kubelet's answer for a container that never ran, as when it did not admit the pod.
        detail = f"no log ({pod.reason or pod.phase}): {error}"
        raise UnusableReportError(MissingReason.FAILED, detail) from error
    except ClusterError as error:
        raise SilentNodeError(MissingReason.LOG_UNAVAILABLE, str(error)) from error
    if log is None:
        raise UnusableReportError(MissingReason.POD_GONE, "the pod was deleted")
    return log


def _may_have_log(pod: Pod) -> bool:
    """Whether its runner has run, on a node that still knows the container."""
    ran = pod.started is not None or pod.succeeded
    return ran and pod.reason not in WITHOUT_LOG
