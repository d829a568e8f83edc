"""The steps of a run as Prefect tasks.

profiles (parse, load) -> jobs (tracker, Jobs, wait) -> reports (collect, merge, save); `runs` for
runs that exist already. A step is a name, retries, a cache policy and one call into the core. The
names in `__all__` are public; everything else is internal and may change.
"""

from typing import TYPE_CHECKING

from mrunners.lazy import lazy_exports

if TYPE_CHECKING:
    from mrunners_tasks.jobs import create_jobs, create_tracker, wait_for_jobs
    from mrunners_tasks.profiles import load_profiles, parse_runners
    from mrunners_tasks.reports import collect_reports, merge_reports, read_pods, save_report
    from mrunners_tasks.runs import find_run
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "collect_reports": "mrunners_tasks.reports",
            "create_jobs": "mrunners_tasks.jobs",
            "create_tracker": "mrunners_tasks.jobs",
            "find_run": "mrunners_tasks.runs",
            "load_profiles": "mrunners_tasks.profiles",
            "merge_reports": "mrunners_tasks.reports",
            "parse_runners": "mrunners_tasks.profiles",
            "read_pods": "mrunners_tasks.reports",
            "save_report": "mrunners_tasks.reports",
            "wait_for_jobs": "mrunners_tasks.jobs",
        },
    )

__all__ = [
    "collect_reports",
    "create_jobs",
    "create_tracker",
    "find_run",
    "load_profiles",
    "merge_reports",
    "parse_runners",
    "read_pods",
    "save_report",
    "wait_for_jobs",
]
