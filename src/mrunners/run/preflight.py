"""Decides what a run will do before it does anything: validate, plan, and look at what is there.

It must not create or delete anything, so that it can be called as often as one likes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from mrunners.errors import ApiStatusError, RefusedError
from mrunners.kube.api import Cluster
from mrunners.plan.metadata import run_selector
from mrunners.plan.options import IfExists, RunOptions
from mrunners.plan.plan import plan_differences
from mrunners.plan.planning import PlannedRun, plan_run
from mrunners.plan.tracker import profile_key, tracker_manifest
from mrunners.profiles.images import release_of_image
from mrunners.profiles.loading import LoadedRunner, load_runners, read_runners
from mrunners.profiles.sources.protocol import SourceContext
from mrunners.profiles.uris import RunnerSpec
from mrunners.run.lookup import ExistingRun, describe_run, get_run, get_run_or_none

__all__ = ["RunAction", "dry_run_tracker", "load_profiles", "preflight", "resolve_existing_run"]


@dataclass(frozen=True, slots=True)
class RunAction:
    """What a run will do.

    Attributes:
        planned: the plan and its profiles.
        replaces: a finished run under the same tracker's name, to be deleted first.
        resumes: the run that is there already and is this very one.
    """

    planned: PlannedRun
    replaces: ExistingRun | None = None
    resumes: ExistingRun | None = None


_NOTHING_TO_RESUME = "there is no run to resume, so a new one is started"


class _ConfigMaps:
    """The ConfigMaps of a cluster, as the `configmap` source reads them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def config_map_data(self, namespace: str, name: str) -> Mapping[str, str] | None:
        seen = self._cluster.get_config_map(namespace, name)
        return None if seen is None else seen.data


def load_profiles(
    cluster: Cluster, options: RunOptions, specs: Sequence[RunnerSpec]
) -> tuple[LoadedRunner, ...]:
    """Load and check the profile of each runner.

    Raises: InvalidInputError: every mistake of every runner, one line each.
    """
    context = SourceContext(config_maps=_ConfigMaps(cluster))
    return tuple(load_runners(specs, context, release_of_image(options.runner_image)))


def preflight(cluster: Cluster, options: RunOptions, *, run_key: str) -> RunAction:
    """All that can be decided beforehand, with every mistake of every URI told together.

    Args:
        cluster: where.
        options: checked by `validate_options`.
        run_key: the same key gives the same run ID.
    Raises:
        InvalidInputError: what was given is wrong.
        RefusedError: another run is in the way.
    """
    if not options.runners:
        return resolve_existing_run(cluster, options, None)
    context = SourceContext(config_maps=_ConfigMaps(cluster))
    runners = read_runners(options.runners, context, release_of_image(options.runner_image))
    return resolve_existing_run(cluster, options, plan_run(options, runners, run_key=run_key))


def dry_run_tracker(cluster: Cluster, action: RunAction) -> None:
    """Let the API server judge a new run's tracker, before what takes long is begun.

    Raises:
        InvalidInputError: there is no such namespace.
        ClusterError: the tracker may not be created.
    """
    if action.resumes is None:
        plan, profiles = action.planned.plan, action.planned.profiles
        try:
            cluster.dry_run_config_map(plan.namespace, tracker_manifest(plan, profiles))
        except ApiStatusError as error:
            # A webhook may not be able to dry_run_tracker, and let the real one pass.
            if error.status != HTTPStatus.BAD_REQUEST:
                raise


def resolve_existing_run(
    cluster: Cluster, options: RunOptions, wanted: PlannedRun | None
) -> RunAction:
    """What to do about a tracker that is already there; docs/runs.md has the table.

    Args:
        cluster: where.
        options: what the user asked for.
        wanted: the plan made from the runner URIs; None when only a namespace was given, which
            is for resuming.
    Raises: RefusedError: another run is in the way, or there is none to resume.
    """
    if wanted is None:
        found = get_run(cluster, options.namespace, options.advanced.tracker)
        return RunAction(PlannedRun(found.plan, _stored_profiles(cluster, found)), resumes=found)
    there = get_run_or_none(cluster, options.namespace, options.advanced.tracker)
    if there is None:
        if options.advanced.if_exists is IfExists.RESUME:
            wanted = replace(wanted, warnings=(*wanted.warnings, _NOTHING_TO_RESUME))
        return RunAction(wanted)
    if there.plan.run_id == wanted.plan.run_id or options.advanced.if_exists is IfExists.RESUME:
        _require_same_plan(there, wanted)
        planned = PlannedRun(there.plan, wanted.profiles, wanted.warnings)
        return RunAction(planned, resumes=there)
    if there.state.finished and (there.collected or options.advanced.if_exists is IfExists.REPLACE):
        return RunAction(wanted, replaces=there)
    raise _in_the_way(cluster, options, there)


def _require_same_plan(there: ExistingRun, wanted: PlannedRun) -> None:
    differences = plan_differences(there.plan, wanted.plan)
    if differences:
        lines = "".join(f"\n  {line}" for line in differences)
        raise RefusedError(
            f"tracker {there.tracker.name} in namespace {there.plan.namespace} holds another plan, "
            f"so it cannot be resumed with these options:{lines}\nresume it as it is with: "
            f"mrunners run --namespace {there.plan.namespace} --tracker {there.tracker.name} "
            "--resume",
            namespace=there.plan.namespace,
            tracker=there.tracker.name,
        )


def _in_the_way(cluster: Cluster, options: RunOptions, there: ExistingRun) -> RefusedError:
    where = f"{options.namespace} --tracker {options.advanced.tracker}"
    if there.state.finished:
        advice = (
            f"collect it with: mrunners result {where}; or start anew with --replace; or use "
            "another --tracker"
        )
    else:
        advice = (
            f"wait for it with: mrunners wait {where}; go on with it with --resume; remove it "
            f"with: mrunners delete {where} --force; or use another --tracker"
        )
    return RefusedError(
        f"another run is there: {describe_run(cluster, there)}; {advice}",
        namespace=options.namespace,
        tracker=options.advanced.tracker,
    )


def _stored_profiles(cluster: Cluster, found: ExistingRun) -> dict[str, str]:
    """The profiles that a tracker and its overflow ConfigMaps hold, by digest.

    Raises: RefusedError: one is missing, as its creator was ended before writing it.
    """
    plan = found.plan
    data = dict(found.tracker.data)
    keys = {job.profile_digest: profile_key(job.profile_digest) for job in plan.jobs}
    if not set(keys.values()) <= set(data):
        for overflow in cluster.list_config_maps(plan.namespace, run_selector(plan.run_id)):
            data |= overflow.data
    lost = [job.uri for job in plan.jobs if keys[job.profile_digest] not in data]
    if lost:
        raise RefusedError(
            f"tracker {found.tracker.name} in namespace {plan.namespace} lacks the load profiles "
            f"of {', '.join(dict.fromkeys(lost))}: its creator was ended before it wrote them; "
            "give the same --runners and --runner-image with --resume",
            namespace=plan.namespace,
            tracker=found.tracker.name,
        )
    return {digest: data[key] for digest, key in keys.items()}
