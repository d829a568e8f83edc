"""Decides what a run will do before it does anything: validate, plan, and read what exists.

Nothing is created or deleted here, so a preflight can be repeated as often as one likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mrunners.errors import (
    FieldProblem,
    InvalidInputError,
    InvalidOptionsError,
    NextStep,
    RefusedError,
)
from mrunners.formatting import counted
from mrunners.kube.api import Cluster
from mrunners.plan.metadata import run_selector
from mrunners.plan.option_table import Spread
from mrunners.plan.options import IfExists, RunOptions
from mrunners.plan.plan import plan_differences
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.pod_template import PodTemplate, read_pod_template
from mrunners.plan.tracker import profile_key
from mrunners.profiles.images import release_of_image
from mrunners.profiles.loading import LoadedRunner, load_runners, read_runners
from mrunners.profiles.sources import SourceContext
from mrunners.profiles.sources.file import FileSource
from mrunners.profiles.uris import RunnerSpec
from mrunners.run.lookup import ExistingRun, describe_run, get_run, get_run_or_none
from mrunners.run.snapshot import has_ended

__all__ = [
    "ConfigMaps",
    "RunAction",
    "load_pod_template",
    "load_profiles",
    "preflight",
    "resolve_existing_run",
]

_NOTHING_TO_RESUME = "there is no run to resume; starting a new one"


@dataclass(frozen=True, slots=True)
class RunAction:
    """What a run will do.

    Attributes:
        planned: The plan and its profiles.
        replaces: A finished run under the same tracker's name, to be deleted first.
        resumes: The run that exists already under the same run ID.
    """

    planned: PlannedRun
    replaces: ExistingRun | None = None
    resumes: ExistingRun | None = None


class ConfigMaps:
    """The ConfigMaps of a cluster, as the `configmap` source reads them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def config_map_data(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Return the data of a ConfigMap; None when there is none."""
        config_map = self._cluster.get_config_map(namespace, name)
        return None if config_map is None else config_map.data


def load_profiles(
    cluster: Cluster, options: RunOptions, specs: Sequence[RunnerSpec]
) -> tuple[LoadedRunner, ...]:
    """Load and check the profile of each runner.

    Raises:
        InvalidInputError: Every problem of every runner, one line each.
    """
    context = SourceContext(config_maps=ConfigMaps(cluster))
    release = release_of_image(options.runner_image)
    return tuple(load_runners(specs, context, release, overrides=options.overrides))


def preflight(
    cluster: Cluster,
    options: RunOptions,
    *,
    run_key: str,
    sleep: Callable[[float], None] = time.sleep,
) -> RunAction:
    """Decide all that can be decided beforehand; problems of all URIs are reported at once.

    Args:
        cluster: The cluster.
        options: Checked by `validate_options`.
        run_key: The same key gives the same run ID.
        sleep: Sleeps that many seconds, before a run is looked at a second time.

    Raises:
        InvalidInputError: The input is wrong.
        RefusedError: The tracker belongs to another run.
    """
    if not options.runners:
        return resolve_existing_run(cluster, options, None, sleep)
    template = load_pod_template(options)
    context = SourceContext(config_maps=ConfigMaps(cluster))
    release = release_of_image(options.runner_image)
    runners = read_runners(options.runners, context, release, overrides=options.overrides)
    planned = plan_run(options, runners, run_key=run_key, pod_template=template)
    return resolve_existing_run(cluster, options, planned, sleep)


def load_pod_template(options: RunOptions) -> PodTemplate | None:
    """Read and check the pod template that the options name; None where they name none.

    Raises:
        InvalidInputError: The file cannot be read, or its content would break the run; one line
            per problem.
    """
    path = options.advanced.pod_template
    if not path or not options.runners:  # a run that is resumed has it in its plan
        return None
    try:
        content = FileSource().load(path, SourceContext())
        return read_pod_template(content)
    except InvalidInputError as error:
        field = "advanced.pod_template"
        problems = [FieldProblem(field, problem) for problem in error.problems]
        raise InvalidOptionsError(problems) from error


def resolve_existing_run(
    cluster: Cluster,
    options: RunOptions,
    planned: PlannedRun | None,
    sleep: Callable[[float], None] = time.sleep,
) -> RunAction:
    """Decide what to do about a tracker that already exists; docs/runs.md has the table.

    Args:
        cluster: The cluster.
        options: The options of the run.
        planned: The plan made from the runner URIs; None when there are none, which is for
            resuming a run by its tracker alone.
        sleep: Sleeps that many seconds, before a run is looked at a second time.

    Raises:
        RefusedError: The tracker belongs to another run, or there is none to resume.
    """
    if planned is None:
        run = get_run(cluster, options.ref)
        return RunAction(PlannedRun(run.plan, _stored_profiles(cluster, run)), resumes=run)
    existing = get_run_or_none(cluster, options.ref)
    if_exists = options.advanced.if_exists
    if existing is None:
        if if_exists is IfExists.RESUME:
            planned = replace(planned, warnings=(*planned.warnings, _NOTHING_TO_RESUME))
        return RunAction(_with_spread_warning(cluster, planned))
    if existing.plan.run_id == planned.plan.run_id or if_exists is IfExists.RESUME:
        _require_same_plan(existing, planned)
        same = PlannedRun(existing.plan, planned.profiles, planned.warnings)
        return RunAction(same, resumes=existing)
    ended = has_ended(cluster, existing, sleep)
    if ended and (existing.collected or if_exists is IfExists.REPLACE):
        return RunAction(_with_spread_warning(cluster, planned), replaces=existing)
    raise _already_exists(cluster, existing, ended=ended)


def _with_spread_warning(cluster: Cluster, planned: PlannedRun) -> PlannedRun:
    """Warn when a run needs a node for each pod, and there are fewer nodes.

    Only a warning: an autoscaler may add nodes, and only where nodes may be listed.
    """
    pod_count = planned.plan.pod_count
    # Of tainted nodes it is not known which taints are tolerated.
    if planned.plan.spread is not Spread.REQUIRE or planned.plan.pods.tolerates:
        return planned
    nodes = cluster.count_schedulable_nodes(pod_count)
    if nodes is None or nodes >= pod_count:
        return planned
    warning = (
        f"the run has {counted(pod_count, 'pod')}, spread {planned.plan.spread} allows one per "
        f"node, and only {counted(nodes, 'node')} can take one: unless nodes are added, the other "
        "pods start when the first have ended, or not in time"
    )
    return replace(planned, warnings=(*planned.warnings, warning))


def _require_same_plan(existing: ExistingRun, planned: PlannedRun) -> None:
    differences = plan_differences(existing.plan, planned.plan)
    if differences:
        lines = "".join(f"\n  {line}" for line in differences)
        raise RefusedError.of(
            existing.ref,
            f"the run of tracker {existing.ref} was started with different options:{lines}",
            NextStep.RESUME,
        )


def _already_exists(cluster: Cluster, existing: ExistingRun, *, ended: bool) -> RefusedError:
    steps = (
        (NextStep.RESULT, NextStep.REPLACE)
        if ended
        else (NextStep.WAIT, NextStep.RESUME, NextStep.FORCE_DELETE)
    )
    return RefusedError.of(
        existing.ref,
        f"{describe_run(cluster, existing, ended=ended)} already exists",
        *steps,
        NextStep.OTHER_TRACKER,
    )


def _stored_profiles(cluster: Cluster, run: ExistingRun) -> dict[str, str]:
    """Read the profiles that a tracker and its overflow ConfigMaps hold, by digest.

    Raises:
        RefusedError: One is missing, because its creator was stopped before it wrote it.
    """
    plan = run.plan
    data = dict(run.tracker.data)
    keys = {job.profile_digest: profile_key(job.profile_digest) for job in plan.jobs}
    if not set(keys.values()) <= set(data):
        for overflow in cluster.list_config_maps(plan.namespace, run_selector(plan.run_id)):
            data |= overflow.data
    lost = [job.uri for job in plan.jobs if keys[job.profile_digest] not in data]
    if lost:
        raise RefusedError.of(
            run.ref,
            f"tracker {run.ref} lacks the load profiles of {', '.join(dict.fromkeys(lost))}: its "
            "creator was stopped before it wrote them",
            NextStep.RESUME_SAME_OPTIONS,
        )
    return {digest: data[key] for digest, key in keys.items()}
