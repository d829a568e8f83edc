"""Step 2: load and check the profiles.

It must not keep them: they may change before the next run.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.plan.options import RunOptions
from mrunners.profiles.loading import LoadedRunner
from mrunners.profiles.uris import RunnerSpec
from mrunners.run.preflight import load_profiles as _load_profiles
from mrunners_tasks._context import cluster_of
from mrunners_tasks._step import STEP

__all__ = ["load_profiles"]


@task(name="load-profiles", **STEP)
def load_profiles(options: RunOptions, specs: Sequence[RunnerSpec]) -> tuple[LoadedRunner, ...]:
    """The load profile of each runner.

    Raises: InvalidInputError: one line per mistake.
    """
    return _load_profiles(cluster_of(options.kubeconfig), options, specs)
