"""Finds out why a report is missing, from what was read of a pod's log and from the pod itself.

The texts are those of kubelet 1.37 and containerd 1.6, as read on real nodes.
"""

from __future__ import annotations

from mrunners.kube.objects import Pod
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.run.pod_log import WITHOUT_LOG
from mrunners.status.pod_remedies import remedy_of_end
from mrunners.text import printable

__all__ = ["root_cause"]

# The log holds nothing that we wrote: the container's end explains more.
_UNEXPLAINED = frozenset({MissingReason.EMPTY_LOG, MissingReason.NO_FRAME})

# The script still wrote why there is no report, and the container's end may say more.
_EXPLAINED_BY_SCRIPT = frozenset({MissingReason.KPERF_FAILED, MissingReason.SCRIPT_FAILED})

# How a DisruptionTarget begins of a pod that its kubelet has evicted, for want of memory or disk,
# and what it says if the node only shuts down, which leaves the logs.
_BY_KUBELET = "TerminationByKubelet"
_SHUTDOWN = "node shutdown"

# What a kubelet says of a pod that it has evicted because of the pod's own limits: without a
# DisruptionTarget. It removes the containers at once.
_EVICTED = "Evicted"

# No line of the pod's log was read, or none that the node still had: another reading may show all
# that the pod wrote before it was disrupted.
_NOT_READ = frozenset(
    {
        MissingReason.KUBELET_ERROR,
        MissingReason.LOG_FORBIDDEN,
        MissingReason.LOG_UNAVAILABLE,
        MissingReason.POD_GONE,
    }
)

_MESSAGE_CHARACTERS = 300

# The kubelet's word for every exit code but 0.
_ANY_FAILURE = "Error"


def root_cause(pod: Pod, error: UnusableReportError) -> UnusableReportError:
    """Return why the report of a pod is missing, and whether the pod was deleted meanwhile.

    Args:
        pod: One that has ended.
        error: What reading its log gave.
    """
    cause = _cause(pod, error)
    failed = pod.exit_code not in {0, None}
    if not (failed and pod.deleting) or pod.disrupted:
        return cause
    detail = "; ".join(filter(None, (cause.detail, "the pod was deleted while it ran")))
    return UnusableReportError(cause.problem, detail)


def _cause(pod: Pod, error: UnusableReportError) -> UnusableReportError:
    """Return why the report of a pod is missing: what its log says, or what explains that better.

    A disruption, or a container that failed, explains a missing report better than what was read of
    its log. Neither explains a log that was not read.
    """
    failed = pod.exit_code not in {0, None}
    evicted = pod.reason == _EVICTED or (
        failed and pod.disrupted.startswith(_BY_KUBELET) and _SHUTDOWN not in pod.disrupted
    )
    without_log = error.problem is MissingReason.KUBELET_ERROR and (
        evicted or pod.reason in WITHOUT_LOG
    )
    # Unless it is known to have failed, a runner has written something.
    unread = error.problem is MissingReason.EMPTY_LOG and not failed
    if pod.disrupted and (without_log or not (unread or error.problem in _NOT_READ)):
        return UnusableReportError(MissingReason.DISRUPTED, pod.disrupted)
    if pod.disrupted:
        return UnusableReportError(error.problem, f"{error.detail}; {pod.disrupted}")
    # The kubelet says that there never will be a log, and not why.
    refused = error.problem is MissingReason.FAILED and bool(pod.message)
    if (failed or evicted) and (error.problem in _UNEXPLAINED or without_log or refused):
        code = "" if pod.exit_code is None else f"exit {pod.exit_code}"
        why = _end_of(pod)
        parts = [
            f"{code} ({why})" if code and why else code or why,
            remedy_of_end(pod.reason, pod.message),
        ]
        if not _says_all(pod):
            parts.append(error.detail)
        return UnusableReportError(MissingReason.FAILED, "; ".join(filter(None, parts)))
    if pod.reason == "OOMKilled" and error.problem in _EXPLAINED_BY_SCRIPT:
        detail = f"{error.detail} (OOMKilled); {remedy_of_end(pod.reason, pod.message)}"
        return UnusableReportError(error.problem, detail)
    return error


def _end_of(pod: Pod) -> str:
    """Return such a text as `OOMKilled` or `StartError: exec: "/bin/sh": …`."""
    reason = "" if pod.reason == _ANY_FAILURE else pod.reason
    words = (reason, printable(" ".join(pod.message.split()), _MESSAGE_CHARACTERS))
    return ": ".join(filter(None, words))


def _says_all(pod: Pod) -> bool:
    """Whether nothing about the log adds to how the container ended."""
    return bool(pod.message) and pod.reason in {_EVICTED, *WITHOUT_LOG}
