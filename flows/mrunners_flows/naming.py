"""What a flow run is called in Prefect's lists: where it runs, and which of many nights it is.

It must not ask the Prefect server.
"""

from __future__ import annotations

from prefect import runtime

from mrunners.plan.options import RunOptions

__all__ = ["name_of_run"]

# Of the flow run's ID, as people quote it; enough to tell apart what one list shows.
_ID_CHARACTERS = 8


def name_of_run() -> str:
    """`namespace/tracker 1a2b3c4d`, for the flow run that is about to begin; a retry keeps it."""
    options: RunOptions = runtime.flow_run.parameters["options"]
    flow_run = str(runtime.flow_run.id)[:_ID_CHARACTERS]
    return f"{options.namespace}/{options.advanced.tracker} {flow_run}"
