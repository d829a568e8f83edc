"""Which run a flow is about, when it is one that is there already.

It must not look for it.
"""

from __future__ import annotations

from pydantic import Field

from mrunners.records import Record

__all__ = ["RunReference"]


class RunReference(Record):
    """A run in a cluster."""

    namespace: str = Field(title="Namespace", description="Where the run's tracker is.")
    tracker: str = Field(
        "",
        title="Tracker",
        description="The run's tracker; empty means the only one in the namespace.",
    )
    kubeconfig: str = Field(
        "",
        title="Kubeconfig",
        description="A path on the machine where the flow runs; empty means the pod's token where "
        "there is one, else KUBECONFIG or the default file.",
    )
