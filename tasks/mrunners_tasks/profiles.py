"""Step 1: read the runner URIs.

It must not read what the URIs point to, nor reach a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from mrunners.plan.options import RunOptions, validate_options
from mrunners.profiles.loading import LoadedRunner
from mrunners.profiles.loading import parse_runners as _parse_runners
from mrunners.profiles.uris import RunnerSpec
from mrunners.run.preflight import load_profiles as _load_profiles
from mrunners_tasks._context import cluster_of
from mrunners_tasks._step import STEP

__all__ = ["load_profiles", "parse_runners"]


@task(name="parse-runners", **STEP)
def parse_runners(options: RunOptions) -> tuple[RunnerSpec, ...]:
    """The runner URIs, understood; every mistake of options and URIs fails the run here.

    Raises: InvalidInputError: one line per mistake.
    """
    validate_options(options)
    return tuple(_parse_runners(options.runners)) if options.runners else ()


@task(name="load-profiles", **STEP)
def load_profiles(options: RunOptions, specs: Sequence[RunnerSpec]) -> tuple[LoadedRunner, ...]:
    """The load profile of each runner.

    Raises: InvalidInputError: one line per mistake.
    """
    return _load_profiles(cluster_of(options.kubeconfig), options, specs)
