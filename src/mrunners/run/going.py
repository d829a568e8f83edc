"""Waits until nothing of a former run is left: no Job and no pod.

It must not delete anything: the garbage collector does, and it is not instant.
"""

from __future__ import annotations

import time

from mrunners.durations import format_duration
from mrunners.errors import WaitTimeoutError
from mrunners.kube.api import Cluster
from mrunners.run.observer import Listener

__all__ = ["wait_until_gone"]

POLL_SECONDS = 0.5

# Pods have a grace of 5 s; a node that is gone keeps its pods for 5 minutes and longer.
PATIENCE_SECONDS = 600.0


def wait_until_gone(
    cluster: Cluster,
    namespace: str,
    selector: str,
    listener: Listener,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Return once no Job and no pod matches.

    Args:
        cluster: where.
        namespace: where in it.
        selector: what must be gone.
        listener: told once what is waited for.
        patience_seconds: how long.
    Raises: WaitTimeoutError: something is still there.
    """
    deadline = time.monotonic() + patience_seconds
    said = False
    while True:
        jobs = cluster.list_jobs(namespace, selector)
        pods = cluster.list_pods(namespace, selector)
        if not jobs and not pods:
            return
        names = ", ".join([f"job {j.name}" for j in jobs[:3]] + [f"pod {p.name}" for p in pods[:3]])
        if not said:
            said = True
            listener.note(
                f"waiting until {len(jobs)} Jobs and {len(pods)} pods of the run are gone"
            )
        if time.monotonic() > deadline:
            raise WaitTimeoutError(
                f"after {format_duration(patience_seconds)} there are still {len(jobs)} Jobs and "
                f"{len(pods)} pods of the run in namespace {namespace}: {names}; see "
                "whether their hosts are gone, and try again",
                seconds=patience_seconds,
            )
        time.sleep(POLL_SECONDS)
