"""Step 5: wait until the Jobs have ended.

It must not fail over failed pods: their reports are still to be collected.
"""

from __future__ import annotations

from prefect import task

from mrunners.durations import parse_duration
from mrunners.run.lookup import FoundRun
from mrunners.run.wait import wait_for_run
from mrunners_tasks._context import cluster_of, listener, report_store
from mrunners_tasks._step import STEP
from mrunners_tasks.cancelling import CancellableSleep

__all__ = ["wait_for_jobs"]


@task(name="wait-for-jobs", **STEP)
def wait_for_jobs(kubeconfig: str, found: FoundRun, timeout: str = "") -> tuple[str, ...]:
    """What went wrong, one line per Job and cause; reports come home meanwhile.

    Args:
        kubeconfig: where.
        found: the run.
        timeout: a duration such as `2h`; empty means as long as it takes.
    Raises:
        WaitTimeoutError: time is up.
        RunCancelledError: the flow run was cancelled.
    """
    return wait_for_run(
        cluster_of(kubeconfig),
        found,
        report_store(),
        listener(),
        timeout_seconds=parse_duration(timeout) if timeout else None,
        sleep=CancellableSleep(),
    )
