"""The Prefect flows: `multirunners`, and `wait`, `result` and `delete` for runs that exist.

The names in `__all__` are public; everything else is internal and may change.
"""

from typing import TYPE_CHECKING

from mrunners.lazy import lazy_exports

if TYPE_CHECKING:
    from mrunners_flows.existing_runs import delete, result, wait
    from mrunners_flows.new_run import multirunners
    from mrunners_flows.parameters import RunTarget
    from mrunners_flows.policy import RunPolicy
    from mrunners_flows.states import (
        RunFailedError,
        RunIncompleteError,
        RunInDoubtError,
        RunOutcome,
        RunSloViolatedError,
    )
    from mrunners_tasks.report_files import ReportFiles
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "ReportFiles": "mrunners_tasks.report_files",
            "RunFailedError": "mrunners_flows.states",
            "RunInDoubtError": "mrunners_flows.states",
            "RunIncompleteError": "mrunners_flows.states",
            "RunOutcome": "mrunners_flows.states",
            "RunPolicy": "mrunners_flows.policy",
            "RunSloViolatedError": "mrunners_flows.states",
            "RunTarget": "mrunners_flows.parameters",
            "delete": "mrunners_flows.existing_runs",
            "multirunners": "mrunners_flows.new_run",
            "result": "mrunners_flows.existing_runs",
            "wait": "mrunners_flows.existing_runs",
        },
    )

__all__ = [
    "ReportFiles",
    "RunFailedError",
    "RunInDoubtError",
    "RunIncompleteError",
    "RunOutcome",
    "RunPolicy",
    "RunSloViolatedError",
    "RunTarget",
    "delete",
    "multirunners",
    "result",
    "wait",
]
