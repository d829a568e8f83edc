"""Words what became of the failed pods of a Job, and names the one whose log says why."""

from __future__ import annotations

from collections.abc import Iterable

from mrunners.kube.objects import Pod
from mrunners.status.run_state import JobPhase, JobState
from mrunners.text import listed, printable

__all__ = ["failed_job_line"]

# That pods failed is what the line says anyway. Job controller: with backoffLimitPerIndex, this is
# the reason whenever a pod of any index has failed.
_SAYS_NOTHING_MORE = "FailedIndexes"

# The kubelet's word for every exit code but 0.
_ANY_FAILURE = "Error"

_MESSAGE_CHARACTERS = 200


def failed_job_line(job: JobState, namespace: str, pods: Iterable[Pod]) -> str:
    """Return one line about a Job: how many pods failed, why, and where to look; empty if none did.

    Pods that were given up before they started are told of elsewhere.

    Args:
        job: A Job that exists.
        namespace: Its namespace.
        pods: All pods of the run; those that were deleted are not among them.
    """
    assert job.actual is not None
    counted = set(job.actual.failed) - job.given_up
    count = len(counted)
    if job.phase is JobPhase.FAILED and not count:
        count = job.planned.pod_count - len(job.given_up.union(job.actual.succeeded))
    if count <= 0:
        return ""
    failed = sorted(
        (
            pod
            for pod in pods
            if pod.job_uid == job.actual.uid
            and _has_failed(pod)
            and (job.phase is JobPhase.FAILED or pod.index in counted)
        ),
        key=lambda pod: (pod.index is None, pod.index, pod.name),
    )
    reason = job.actual.finished_reason
    causes = [] if reason.startswith(_SAYS_NOTHING_MORE) or not reason else [reason]
    # Of pods that ended for one reason, the first one's message.
    by_end = {(pod.reason, pod.exit_code): pod for pod in reversed(failed)}
    causes += filter(None, map(_cause, reversed(by_end.values())))
    why = f" ({printable(listed(causes), 500)})" if causes else ""
    # kubectl would take any pod of a Job, also one that succeeded.
    look = (
        f"logs --namespace {namespace} pod/{failed[0].name}"
        if failed
        else (f"describe --namespace {namespace} job/{job.planned.name}")
    )
    return (
        f"job.batch/{job.planned.name}: {count} of {job.planned.pod_count} pods failed{why}; "
        f"see: kubectl {look}"
    )


def _has_failed(pod: Pod) -> bool:
    return pod.phase == "Failed" or pod.exit_code not in {0, None}


def _cause(pod: Pod) -> str:
    """Return such a text as `exit 1`, `OOMKilled, exit 137` or `Evicted: The node was low on …`."""
    reason = "" if pod.reason == _ANY_FAILURE else pod.reason
    code = "" if pod.exit_code is None else f"exit {pod.exit_code}"
    end = ", ".join(filter(None, (reason, code)))
    message = printable(" ".join(pod.message.split()), _MESSAGE_CHARACTERS)
    return ": ".join(filter(None, (end, message)))
