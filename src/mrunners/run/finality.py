"""Whether a run has ended and its outcomes stay as they are, and the errors when they do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mrunners.errors import IncompleteError, NextStep, StillRunningError, UnreachableError
from mrunners.formatting import counted
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.snapshot import RunSnapshot
from mrunners.text import listed

__all__ = [
    "NOT_FINAL",
    "READABLE_LATER",
    "is_final",
    "readable_later",
    "require_all_finished",
    "require_final",
    "require_finished",
    "require_portable",
]

# These reports exist or may yet come to be, as long as their pods exist. An empty log and the text
# of a kubelet's error are no log of a runner, which always writes something (`run.collect` knows
# the containers that never wrote).
READABLE_LATER = frozenset(
    {
        MissingReason.STILL_RUNNING,
        MissingReason.EMPTY_LOG,
        MissingReason.KUBELET_ERROR,
        MissingReason.LOG_UNAVAILABLE,
        MissingReason.LOG_FORBIDDEN,
        MissingReason.NOT_KEPT,
    }
)

# Another attempt may still get these too: a Job that was never created is created by
# `run --resume`. A pod that did not start in time is final: if it starts after all, its report is
# set aside.
NOT_FINAL = READABLE_LATER | {MissingReason.NOT_CREATED}

_JOBS_NAMED = 10


def is_final(outcome: PodOutcome) -> bool:
    """Return whether no other attempt can change an outcome."""
    return outcome.missing not in NOT_FINAL and not outcome.unread


def readable_later(outcomes: Iterable[PodOutcome]) -> tuple[PodOutcome, ...]:
    """Return the outcomes whose reports exist or may yet come to be."""
    return tuple(
        outcome for outcome in outcomes if outcome.missing in READABLE_LATER or outcome.unread
    )


def require_finished(snapshot: RunSnapshot) -> None:
    """Raise an error while Jobs can still finish.

    Raises:
        StillRunningError: It names the Jobs.
    """
    jobs = snapshot.may_finish
    if not jobs:
        return
    lines = [
        f"\n  {job.planned.name}: {job.ended} of {job.planned.pod_count} pods ended ({job.phase})"
        for job in jobs[:_JOBS_NAMED]
    ]
    if len(jobs) > _JOBS_NAMED:
        lines.append(f"\n  and {len(jobs) - _JOBS_NAMED} more")
    raise StillRunningError(
        f"the run of tracker {snapshot.ref} has not finished; Jobs left: {len(jobs)} of "
        f"{len(snapshot.state.jobs)}:{''.join(lines)}",
        jobs=(job.planned.name for job in jobs),
    ).suggest(snapshot.ref, NextStep.WAIT, NextStep.PARTIAL_RESULT)


def require_all_finished(snapshot: RunSnapshot) -> None:
    """Raise an error unless every Job has finished.

    Raises:
        IncompleteError: It names those that have not, even if they cannot without help.
    """
    if not snapshot.state.finished:
        names = listed([job.planned.name for job in snapshot.state.unfinished], 5)
        raise IncompleteError(f"Jobs cannot finish: {names}")


def require_final(outcomes: Sequence[PodOutcome]) -> None:
    """Raise an error while another attempt can change the outcomes.

    Raises:
        UnreachableError: Logs could not be read.
        IncompleteError: Pods still run in Jobs that cannot finish, or their logs are forbidden.
    """
    pending = [outcome for outcome in outcomes if not is_final(outcome)]
    if not pending:
        return
    first = pending[0]
    text = (
        f"{len(pending)} of {counted(len(outcomes), 'report')} could not be fetched yet: "
        f"{first.job} index {first.index}: {first.missing}: {first.detail}"
    )
    if any(outcome.missing is MissingReason.LOG_UNAVAILABLE for outcome in pending):
        raise UnreachableError(text)
    raise IncompleteError(text)


def require_portable(outcomes: Sequence[PodOutcome]) -> None:
    """Raise an error if the outcomes are final only for this machine.

    Another machine that fetched a report while the pod existed still has it in its own store.

    Raises:
        IncompleteError: A pod was deleted before this machine read its log.
    """
    lost = {MissingReason.POD_GONE, MissingReason.JOB_GONE}
    gone = sum(outcome.missing in lost for outcome in outcomes)
    if gone:
        verb = "was" if gone == 1 else "were"
        raise IncompleteError(
            f"{counted(gone, 'pod')} {verb} deleted before this machine read the log"
        )
