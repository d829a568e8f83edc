"""Lists the runs of a namespace, or of all namespaces, each compared with its Jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mrunners.errors import RefusedError
from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.plan.metadata import trackers_selector
from mrunners.refs import RunRef
from mrunners.run.lookup import ExistingRun, read_run
from mrunners.run.report_store import ReportStore

__all__ = ["ListedRun", "list_runs"]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A tracker that was found.

    Attributes:
        run: Its run; None when it cannot be read.
        problem: Why it cannot be read; empty when it was.
    """

    ref: RunRef
    tracker: ConfigMap
    run: ExistingRun | None
    problem: str = ""


def list_runs(cluster: Cluster, namespace: str, store: ReportStore) -> Iterator[ListedRun]:
    """Yield the runs in the order of their names; one that cannot be read hides no other.

    Args:
        cluster: The cluster.
        namespace: Where to look; empty means everywhere.
        store: Knows what this machine has created and fetched.
    """
    trackers = cluster.list_config_maps(namespace, trackers_selector())
    for tracker in sorted(trackers, key=lambda found: (found.namespace, found.name)):
        if tracker.deleting or tracker.run_id is None:
            continue
        ref = RunRef(tracker.namespace or namespace, tracker.name)
        run, problem = None, ""
        try:
            run = read_run(cluster, ref, tracker, store)
        except RefusedError as error:
            problem = str(error)
        yield ListedRun(ref, tracker, run, problem)
