"""Makes the plan of a run from its options and load profiles.

Runs whose reports, profiles or plans are too large are refused here, before anything is created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mrunners.durations import parse_duration
from mrunners.errors import InvalidInputError
from mrunners.plan.metadata import job_name
from mrunners.plan.options import RunOptions
from mrunners.plan.plan import MAX_PODS_OF_RUN, PlannedJob, ProfileLoad, RunPlan, run_id_of
from mrunners.plan.pod_fit import sidecar_problems
from mrunners.plan.pod_options import pod_settings, pod_warnings
from mrunners.plan.pod_template import PodTemplate
from mrunners.plan.tracker import assign_profiles, plan_fits
from mrunners.profiles.expectations import (
    expected_samples,
    expected_seconds,
    rate_ceilings,
    target_clients,
    target_rate,
)
from mrunners.profiles.images import (
    moving_tag_warning,
    newer_release_warning,
    release_of_image,
)
from mrunners.profiles.loading import LoadedRunner
from mrunners.quantities import format_bytes, parse_bytes
from mrunners.reports.analysis.pace import SpecTarget
from mrunners.reports.log_size import MAX_SURE_SAMPLES, log_capacity, logs_needed
from mrunners.reports.runner_script import ReportMode
from mrunners.text import listed

__all__ = ["PlannedRun", "plan_run"]

# The one that Kubernetes creates in each namespace.
_ACCOUNT = "default"

# A tracker has room for this many beside a large plan, and no one reads more in a report.
_MAX_PLANNED_SPECS = 1_000


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan with the profiles that it refers to.

    Attributes:
        plan: The plan.
        profiles: Rendered profiles by digest.
        warnings: What the user should know before the run starts, one line each.
    """

    plan: RunPlan
    profiles: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()


def plan_run(
    options: RunOptions,
    runners: Sequence[LoadedRunner],
    *,
    run_key: str,
    pod_template: PodTemplate | None = None,
) -> PlannedRun:
    """Plan a run.

    Args:
        options: Checked by `validate_options`.
        runners: In the order of the URIs.
        run_key: The same key gives the same run ID.
        pod_template: What `options.advanced.pod_template` holds.

    Raises:
        InvalidInputError: A report cannot fit into a node's log, or a profile or the plan into a
            ConfigMap; one line per problem.
    """
    pod_count = sum(runner.pod_count for runner in runners)
    if pod_count > MAX_PODS_OF_RUN:
        raise InvalidInputError(
            f"the runners have {pod_count:,} pods together, but a run has at most "
            f"{MAX_PODS_OF_RUN:,}"
        )
    plan = RunPlan(
        run_id=run_id_of(run_key),
        namespace=options.namespace,
        tracker=options.advanced.tracker,
        image=options.runner_image,
        # One that was asked for is that of all pods; otherwise runner groups have theirs.
        service_account=options.service_account or _ACCOUNT,
        spread=options.advanced.spread,
        report_mode=options.advanced.report,
        node_log_limit_bytes=parse_bytes(options.advanced.node_log_limit),
        report_logs=int(options.advanced.report_logs),
        start_timeout_seconds=parse_duration(options.advanced.start_timeout),
        start_delay_seconds=parse_duration(delay) if (delay := options.advanced.start_delay) else 0,
        slo=tuple(" ".join(text.split()) for text in options.slo),
        overrides=options.overrides,
        jobs=tuple(
            PlannedJob(
                index=index,
                name=job_name(options.advanced.tracker, index),
                uri=runner.spec.uri,
                pod_count=runner.pod_count,
                profile_digest=runner.digest,
                expected_seconds=expected_seconds(runner.profile),
                target_per_second=target_rate(runner.profile),
                clients=target_clients(runner.profile),
                node_affinity=tuple(runner.node_affinity.items()),
                service_account=None if options.service_account else runner.service_account,
            )
            for index, runner in enumerate(runners)
        ),
        pods=pod_settings(options.advanced, options.runner_image, pod_template),
    )
    with_loads = plan.model_copy(update={"loads": tuple(_loads(runners))})
    # What the report would say about the profiles is not worth a run that cannot start.
    plan = with_loads if plan_fits(with_loads) else plan
    profiles = {runner.digest: runner.rendered for runner in runners}
    image = options.runner_image
    of_image = (newer_release_warning(release_of_image(image)), moving_tag_warning(image))
    warnings = [*filter(None, of_image), *_profile_warnings(runners), *pod_warnings(plan.pods)]
    if options.service_account:
        warnings += _unused_accounts(runners, options.service_account)
    problems = sidecar_problems(plan.pods, plan.report_logs)
    for index, runner in enumerate(runners):
        certain, text = _log_size(plan, runner)
        if text:
            line = f"runner {index + 1} of {len(runners)} ({runner.spec.uri}): {text}"
            (problems if certain else warnings).append(line)
    if problems:
        raise InvalidInputError(problems)
    assign_profiles(plan, profiles)
    return PlannedRun(plan, profiles, tuple(warnings))


def _loads(runners: Sequence[LoadedRunner]) -> Iterator[ProfileLoad]:
    """Yield what each different profile sets, with its specs while they are few enough."""
    remaining = _MAX_PLANNED_SPECS
    for runner in {runner.digest: runner for runner in runners}.values():
        specs: tuple[SpecTarget, ...] = ()
        if len(runner.profile.specs) <= remaining:
            remaining -= len(runner.profile.specs)
            specs = tuple(
                SpecTarget(
                    rate=spec.rate or None,
                    clients=spec.client,
                    duration_seconds=spec.duration or None,
                    ceiling=ceiling,
                )
                for spec, ceiling in zip(
                    runner.profile.specs, rate_ceilings(runner.profile), strict=True
                )
            )
        yield ProfileLoad(digest=runner.digest, specs=specs, warnings=runner.warnings)


def _profile_warnings(runners: Sequence[LoadedRunner]) -> Iterator[str]:
    """Yield each warning about a profile once, with the numbers of the runners that have it."""
    numbers_by_warning: dict[str, list[str]] = {}
    for number, runner in enumerate(runners, start=1):
        for text in runner.warnings:
            numbers_by_warning.setdefault(text, []).append(str(number))
    for text, numbers in numbers_by_warning.items():
        yield f"{'runner' if len(numbers) == 1 else 'runners'} {listed(numbers, 5)}: {text}"


def _unused_accounts(runners: Sequence[LoadedRunner], used: str) -> Iterator[str]:
    for number, runner in enumerate(runners, start=1):
        if runner.service_account not in (None, used):
            yield (
                f"runner {number}: serviceAccount: {runner.service_account} of the runner group is "
                f"not used, because the run has the ServiceAccount {used}"
            )


def _log_size(plan: RunPlan, runner: LoadedRunner) -> tuple[bool, str]:
    """Return whether a pod's report certainly does not fit into its logs, and what is wrong.

    The number of samples is certain when every spec has a total; from a duration and a rate limit
    it is only an upper bound. How well they compress depends on the latencies.
    """
    samples = expected_samples(runner.profile)
    framed = plan.report_mode is ReportMode.FRAMED
    limit, logs = plan.node_log_limit_bytes, plan.report_logs
    capacity = log_capacity(limit, framed=framed, logs=logs)
    if samples is None or samples <= capacity.sure:
        return False, ""
    where = f"a node's log of {format_bytes(limit)}"
    if logs > 1:
        where = f"{logs} logs of {format_bytes(limit)} each"
    ways_out = []
    if capacity.sure:
        pods = -(-samples * runner.pod_count // capacity.sure)
        ways_out.append(f"share the load among {pods:,} pods")
    if framed and (needed := logs_needed(samples, limit)) is not None:
        ways_out.append(f"raise the report logs to {needed}")
    if not framed or samples <= MAX_SURE_SAMPLES:
        ways_out.append("raise the node log limit if the nodes keep more")
    *first, last = ways_out
    way_out = f"{', '.join(first)}, or {last}" if first else last
    if samples <= capacity.possible:
        return False, (
            f"about {samples:,} samples per pod may not fit into {where}: "
            f"{capacity.sure:,} surely do, and how many more depends on their latencies; to be "
            f"sure, {way_out}"
        )
    certain = all(spec.total for spec in runner.profile.specs)
    return certain, (
        f"about {samples:,} samples per pod do not fit into {where}: at most "
        f"{capacity.possible:,} could; {way_out}"
    )
