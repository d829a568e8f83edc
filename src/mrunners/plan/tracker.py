"""Builds the tracker's manifests, and reads the plan back from a tracker.

The tracker is an immutable ConfigMap with two purposes. It holds the whole plan and the rendered
load profiles, so that any machine can wait for the run, collect its reports or resume it with
nothing but the namespace and the tracker's name. And it owns the Jobs, so that deleting it deletes
the run.

A run has one tracker, whose name the user chooses, and a namespace holds one run per name. Because
the API server gives a name to only one object, of two runs that start at once only one gets the
tracker, and the other sees a run ID that is not its own. Profiles that do not fit go to further
ConfigMaps, which the tracker owns too.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from mrunners.errors import InvalidInputError, NextStep, RefusedError
from mrunners.formatting import counted
from mrunners.plan.metadata import Component, Manifest, common_labels, owner_references
from mrunners.plan.plan import RunPlan
from mrunners.profiles.rendering import MAX_RENDERED_BYTES
from mrunners.refs import RunRef
from mrunners.text import printable

__all__ = [
    "assign_profiles",
    "overflow_manifests",
    "plan_fits",
    "profile_key",
    "read_plan",
    "tracker_manifest",
]

PLAN_KEY = "plan.json"

# A profile that fits by itself always finds a place.
DATA_LIMIT_BYTES = MAX_RENDERED_BYTES


def profile_key(digest: str) -> str:
    """Return the key of a profile in the ConfigMap that holds it."""
    return f"profile-{digest[:16]}.yaml"


def plan_fits(plan: RunPlan) -> bool:
    """Whether the plan fits into a tracker."""
    return len(_plan_json(plan).encode()) <= DATA_LIMIT_BYTES


def assign_profiles(plan: RunPlan, profiles: Mapping[str, str]) -> dict[str, str]:
    """Decide which ConfigMap holds which profile: the tracker until it is full, then others.

    Args:
        plan: The run's plan.
        profiles: Rendered profiles by digest.

    Returns:
        ConfigMap names by digest; always the same for the same input.

    Raises:
        InvalidInputError: The plan or one of the profiles is larger than a ConfigMap.
    """
    used = len(_plan_json(plan).encode())
    if used > DATA_LIMIT_BYTES:
        bare = plan.model_copy(update={"pods": plan.pods.model_copy(update={"template": None})})
        template = used - len(_plan_json(bare).encode())
        advice = (
            f"{template:,} of these are the pod template's: use a smaller one"
            if used - template <= DATA_LIMIT_BYTES
            else "use fewer runners or shorter URIs"
        )
        raise InvalidInputError(
            f"the plan of {counted(len(plan.jobs), 'runner')} takes {used:,} bytes, but a "
            f"ConfigMap holds at most {DATA_LIMIT_BYTES:,}; {advice}"
        )
    config_maps: dict[str, str] = {}
    name, overflows = plan.tracker, 0
    for digest in dict.fromkeys(job.profile_digest for job in plan.jobs):
        size = len(profiles[digest].encode())
        if size > DATA_LIMIT_BYTES:
            users = ", ".join(job.uri for job in plan.jobs if job.profile_digest == digest)
            raise InvalidInputError(
                f"the load profile of {users} takes {size:,} bytes as rendered for kperf, but a "
                f"ConfigMap holds at most {DATA_LIMIT_BYTES:,}; split it into several runners"
            )
        if used + size > DATA_LIMIT_BYTES:
            overflows += 1
            name, used = f"{plan.tracker}-profiles-{overflows}", 0
        config_maps[digest] = name
        used += size
    return config_maps


def tracker_manifest(plan: RunPlan, profiles: Mapping[str, str]) -> Manifest:
    """Return the manifest of the tracker."""
    config_maps = assign_profiles(plan, profiles)
    data = {PLAN_KEY: _plan_json(plan), **_profile_data(plan.tracker, config_maps, profiles)}
    return _config_map(plan, plan.tracker, Component.TRACKER, data)


def overflow_manifests(
    plan: RunPlan, profiles: Mapping[str, str], tracker_uid: str
) -> list[Manifest]:
    """Return the manifests of the ConfigMaps for profiles that do not fit into the tracker."""
    config_maps = assign_profiles(plan, profiles)
    manifests = []
    for name in dict.fromkeys(config_maps.values()):
        if name == plan.tracker:
            continue
        data = _profile_data(name, config_maps, profiles)
        manifest = _config_map(plan, name, Component.PROFILES, data)
        metadata = manifest["metadata"]
        assert isinstance(metadata, dict)
        metadata["ownerReferences"] = owner_references(plan.tracker, tracker_uid)
        manifests.append(manifest)
    return manifests


def read_plan(run: RunRef, data: Mapping[str, str], run_id: str) -> RunPlan:
    """Read the plan that a tracker holds.

    Args:
        run: The run that the plan must be of.
        data: The tracker's data.
        run_id: The run ID in the tracker's labels.

    Raises:
        RefusedError: The ConfigMap holds no plan, one that this release cannot read, or one that
            is not as a release of mrunners wrote it.
    """
    text = data.get(PLAN_KEY)
    if text is None:
        raise RefusedError.of(
            run,
            f"configmap/{run.tracker} in namespace {run.namespace} holds no {PLAN_KEY}, so it is "
            f"not a tracker of mrunners",
            NextStep.OTHER_TRACKER,
        )
    try:
        plan = RunPlan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":
            raise _edited(run, f"its plan contradicts itself: {first['ctx']['error']}") from error
        # An unknown key is part of the path, and the one who edited the plan chose it.
        field = printable(".".join(str(part) for part in first["loc"])) or PLAN_KEY
        raise RefusedError.of(
            run,
            f"tracker {run} holds a plan that this release cannot read ({field}: {first['msg']}); "
            "use the release of mrunners that created it",
            NextStep.FORCE_DELETE,
        ) from error
    if plan.ref != run:
        raise _edited(run, f"its plan is the plan of another tracker, {plan.ref}")
    if plan.run_id != run_id:
        raise _edited(run, f"its label is run ID {run_id}, and its plan has {plan.run_id}")
    return plan


def _edited(run: RunRef, contradiction: str) -> RefusedError:
    """Everyone with write access to ConfigMaps can write a tracker; its Jobs would not agree."""
    return RefusedError.of(
        run,
        f"tracker {run} was changed after mrunners wrote it: {contradiction}",
        NextStep.FORCE_DELETE,
    )


def _profile_data(
    name: str, config_maps: Mapping[str, str], profiles: Mapping[str, str]
) -> dict[str, str]:
    """Return the data of one ConfigMap: the profiles that are assigned to it."""
    return {
        profile_key(digest): profiles[digest]
        for digest, config_map in config_maps.items()
        if config_map == name
    }


def _plan_json(plan: RunPlan) -> str:
    return plan.model_dump_json(by_alias=True, indent=1)


def _config_map(plan: RunPlan, name: str, component: Component, data: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": plan.namespace,
            "labels": common_labels(plan, component),
        },
        "immutable": True,
        "data": data,
    }
