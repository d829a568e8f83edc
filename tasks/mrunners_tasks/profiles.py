"""The steps that read what the user gave: runner URIs and load profiles."""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.plan.options import RunOptions, validate_options
from mrunners.profiles import loading
from mrunners.profiles.loading import LoadedRunner
from mrunners.profiles.uris import RunnerSpec
from mrunners.run import preflight
from mrunners_tasks._context import connection_to
from mrunners_tasks._step import step

__all__ = ["load_profiles", "parse_runners"]


@step("parse-runners")
def parse_runners(options: RunOptions) -> tuple[RunnerSpec, ...]:
    """Parse the runner URIs; every problem of options and URIs fails the run here.

    Raises:
        InvalidInputError: One line per problem.
    """
    validate_options(options)
    return tuple(loading.parse_runners(options.runners)) if options.runners else ()


@step("load-profiles")
def load_profiles(options: RunOptions, specs: Sequence[RunnerSpec]) -> tuple[LoadedRunner, ...]:
    """Load the load profile of each runner.

    Raises:
        InvalidInputError: One line per problem.
    """
    return preflight.load_profiles(connection_to(options.cluster).cluster, options, specs)
