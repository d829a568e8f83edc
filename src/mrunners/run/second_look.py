"""Looks a second time before anything is said to be gone, and knows one tracker from the next.

One "not found" may come from a proxy, from a server behind the same address that serves another
cluster, or from one that has just started. Nothing is decided from a single one here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap
from mrunners.refs import RunRef

__all__ = ["SECOND_LOOK_SECONDS", "look_twice", "same_tracker"]

T = TypeVar("T")

# A restarted API server, or a balancer that has lost one, is well again within this time.
SECOND_LOOK_SECONDS = 3.0


def look_twice(look: Callable[[], T | None], sleep: Callable[[float], None]) -> T | None:
    """Return what is found; None only when it is not found after a pause either.

    Args:
        look: Returns None when it does not find it.
        sleep: Sleeps that many seconds.
    """
    if (found := look()) is not None:
        return found
    sleep(SECOND_LOOK_SECONDS)
    return look()


def same_tracker(
    cluster: Cluster, run: RunRef, uid: str, sleep: Callable[[float], None]
) -> ConfigMap | None:
    """Return exactly this tracker as it is now; None when it was deleted or replaced.

    One that is being deleted counts as deleted: its Jobs go with it.

    Args:
        cluster: The cluster.
        run: The tracker's name.
        uid: The tracker's UID.
        sleep: Sleeps that many seconds.
    """

    def look() -> ConfigMap | None:
        tracker = cluster.get_config_map(run.namespace, run.tracker)
        if tracker is None or tracker.uid != uid or tracker.deleting:
            return None
        return tracker

    return look_twice(look, sleep)
