"""Deletes a run: the tracker, and with it all that it owns; then waits until it is gone.

It must not ask: running or uncollected runs need `force`.
"""

from __future__ import annotations

from mrunners.cluster.api import Cluster
from mrunners.errors import RefusedError
from mrunners.plan.labels import run_selector
from mrunners.run.finding import FoundRun, describe_run
from mrunners.run.going import wait_until_gone
from mrunners.run.listening import Listener

__all__ = ["delete_run"]


def delete_run(cluster: Cluster, found: FoundRun, listener: Listener, *, force: bool) -> None:
    """Delete exactly the run that was found.

    Args:
        cluster: where.
        found: the run; another one under the same name is left alone.
        listener: told what is waited for.
        force: also when it runs, or its report was never collected.
    Raises:
        RefusedError: it runs or was not collected, and force was not given.
        WaitTimeoutError: its pods are still there after long.
    """
    namespace, name = found.plan.namespace, found.tracker.name
    if not force and not (found.state.finished and found.collected):
        unseen = "its report was not collected" if found.state.finished else "it has not finished"
        advice = (
            f"collect it with: mrunners result {namespace} --tracker {name}; or"
            if found.state.finished
            else f"wait for it with: mrunners wait {namespace} --tracker {name}; or"
        )
        raise RefusedError(
            f"{describe_run(cluster, found)}: {unseen}; {advice} delete it all the same with: "
            f"mrunners delete {namespace} --tracker {name} --force",
            namespace=namespace,
            tracker=name,
        )
    cluster.delete_config_map(namespace, name, found.tracker.uid)
    wait_until_gone(cluster, namespace, run_selector(found.plan.run_id), listener)
