"""The options that say which cluster a command is about, and how much it may be asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterRef
from mrunners_cli.flags import option_from_table
from mrunners_cli.value_types import RATE

__all__ = ["cluster_options", "given_cluster", "remember_cluster"]

F = TypeVar("F", bound=Callable[..., Any])

_given_cluster: ContextVar[ClusterRef] = ContextVar("given_cluster", default=ClusterRef())

_KUBECONFIG = (
    "Path to a kubeconfig. Empty means $KUBECONFIG or the default file, and in a pod without "
    "either the pod's token."
)


# The last one stands first in the help.
_CHANGES: dict[str, dict[str, Any]] = {
    "max_qps": {"type": RATE},
    "context": {},
    "kubeconfig": {"help": _KUBECONFIG},
}


def cluster_options(command: F) -> F:
    """Give a command --kubeconfig, --context and --max-qps, which it gets as one `cluster`."""

    @functools.wraps(command)
    def with_cluster(*args: Any, kubeconfig: str, context: str, max_qps: str, **kwargs: Any) -> Any:
        cluster = remember_cluster(ClusterRef(kubeconfig, context, max_qps))
        return command(*args, cluster=cluster, **kwargs)

    for name, changes in _CHANGES.items():
        with_cluster = option_from_table(OPTIONS[name], **changes)(with_cluster)
    return with_cluster  # type: ignore[return-value]


def remember_cluster(cluster: ClusterRef) -> ClusterRef:
    """Keep what the cluster's options say, for the hints that follow an error."""
    _given_cluster.set(cluster)
    return cluster


def given_cluster() -> ClusterRef:
    """Return what the cluster's options of this command say."""
    return _given_cluster.get()
