"""kperf load runners as Kubernetes Jobs on many nodes, and one exact merged report.

The names in `__all__` are the public API of the core, which does not need Prefect; everything else
is internal and may change. The packages, in the order in which a run uses them: profiles, plan,
kube, status, reports, render; `run` holds what acts; `connection` and `run_handle` put it together.
"""

from typing import TYPE_CHECKING

from mrunners import errors
from mrunners.lazy import lazy_exports

if TYPE_CHECKING:
    from mrunners.connection import Connection, connect
    from mrunners.plan.options import AdvancedOptions, RunOptions
    from mrunners.refs import ClusterRef, RunRef
    from mrunners.reports.conclusion import Conclusion, FailOn
    from mrunners.reports.merged import MergedReport
    from mrunners.run.observer import RunObserver
    from mrunners.run.snapshot import RunSnapshot
    from mrunners.run_handle import Run
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "AdvancedOptions": "mrunners.plan.options",
            "ClusterRef": "mrunners.refs",
            "Conclusion": "mrunners.reports.conclusion",
            "Connection": "mrunners.connection",
            "FailOn": "mrunners.reports.conclusion",
            "MergedReport": "mrunners.reports.merged",
            "Run": "mrunners.run_handle",
            "RunObserver": "mrunners.run.observer",
            "RunOptions": "mrunners.plan.options",
            "RunRef": "mrunners.refs",
            "RunSnapshot": "mrunners.run.snapshot",
            "connect": "mrunners.connection",
        },
    )

__all__ = [
    "AdvancedOptions",
    "ClusterRef",
    "Conclusion",
    "Connection",
    "FailOn",
    "MergedReport",
    "Run",
    "RunObserver",
    "RunOptions",
    "RunRef",
    "RunSnapshot",
    "connect",
    "errors",
]
