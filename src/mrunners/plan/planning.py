"""From options and loaded profiles to the plan: the last place where a run can be refused for free.

It must not talk to a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.plan.metadata import job_name
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import PlannedJob, RunPlan, run_id_of
from mrunners.plan.tracker import place_profiles
from mrunners.profiles.expectations import (
    expected_samples,
    expected_seconds,
    target_clients,
    target_rate,
)
from mrunners.profiles.loading import LoadedRunner
from mrunners.quantities import format_bytes, parse_bytes
from mrunners.reports.runner_script import ReportMode

__all__ = ["PlannedRun", "plan_run"]

# Measured on kperf 0.3.5: what one sample takes in the node's log, as printed (each stands twice)
# and in a frame; a little is added for timestamps and line ends.
_LOG_BYTES_PER_SAMPLE: Mapping[ReportMode, float] = {
    ReportMode.PLAIN: 124.0,
    ReportMode.FRAMED: 9.0,
}


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan with what must be written down beside it.

    Attributes:
        plan: the run as decided.
        profiles: digest to rendered profile.
        warnings: what the user should know before it runs; one line each.
    """

    plan: RunPlan
    profiles: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()


def plan_run(options: RunOptions, runners: Sequence[LoadedRunner], *, run_key: str) -> PlannedRun:
    """Decide the whole run.

    Args:
        options: checked by `validate_options`.
        runners: in the order of the URIs.
        run_key: the same key gives the same run ID.
    Raises: InvalidInputError: reports that cannot fit into a node's log, a profile or plan that
        no ConfigMap can hold; one line per mistake.
    """
    plan = RunPlan(
        run_id=run_id_of(run_key),
        namespace=options.namespace,
        tracker=options.advanced.tracker,
        image=options.runner_image,
        service_account=options.service_account,
        spread=options.advanced.spread,
        report_mode=options.advanced.report,
        node_log_limit_bytes=parse_bytes(options.advanced.node_log_limit),
        start_timeout_seconds=parse_duration(options.advanced.start_timeout),
        jobs=tuple(
            PlannedJob(
                index=index,
                name=job_name(options.advanced.tracker, index),
                uri=runner.spec.uri,
                pod_count=runner.spec.pod_count,
                profile_digest=runner.digest,
                expected_seconds=expected_seconds(runner.profile),
                target_per_second=target_rate(runner.profile),
                clients=target_clients(runner.profile),
            )
            for index, runner in enumerate(runners)
        ),
    )
    profiles = {runner.digest: runner.rendered for runner in runners}
    problems, warnings = _check_sizes(plan, runners)
    if problems:
        raise InvalidInputError(problems)
    place_profiles(plan, profiles)
    own = [f"runner {i + 1}: {text}" for i, r in enumerate(runners) for text in r.warnings]
    return PlannedRun(plan, profiles, (*own, *warnings))


def _check_sizes(plan: RunPlan, runners: Sequence[LoadedRunner]) -> tuple[list[str], list[str]]:
    """Reports too large for a node's log: certain ones are mistakes, likely ones are warnings."""
    problems: list[str] = []
    warnings: list[str] = []
    for index, runner in enumerate(runners):
        for text, certain in _size_findings(plan, runner):
            line = f"runner {index + 1} of {len(runners)} ({runner.spec.uri}): {text}"
            (problems if certain else warnings).append(line)
    return problems, warnings


def _size_findings(plan: RunPlan, runner: LoadedRunner) -> Iterator[tuple[str, bool]]:
    samples = expected_samples(runner.profile)
    room = int(plan.node_log_limit_bytes / _LOG_BYTES_PER_SAMPLE[plan.report_mode])
    if samples is None or samples <= room:
        return
    pods = -(-samples * runner.spec.pod_count // room)
    yield (
        f"about {samples:,} samples a pod do not fit into a node's log of "
        f"{format_bytes(plan.node_log_limit_bytes)} (room for about {room:,}); share the load "
        f"among {pods:,} pods, or raise --node-log-limit if the nodes keep more",
        all(spec.total for spec in runner.profile.specs),
    )
