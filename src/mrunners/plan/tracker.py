"""The tracker's manifests, and the plan and profiles read back from them.

It must not talk to a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from mrunners.errors import InvalidInputError, RefusedError
from mrunners.plan.metadata import Component, Manifest, common_labels, owner_references
from mrunners.plan.plan import RunPlan

__all__ = [
    "ProfilePlaces",
    "overflow_manifests",
    "place_profiles",
    "profile_key",
    "read_plan",
    "tracker_manifest",
]

PLAN_KEY = "plan.json"

# A ConfigMap may hold 1 MiB in all; the rest is for metadata and managedFields.
DATA_LIMIT_BYTES = 900 * 1024

ProfilePlaces = dict[str, str]
"""Profile digest to the name of the ConfigMap that holds it."""


def profile_key(digest: str) -> str:
    """The key of a profile in the ConfigMap that holds it."""
    return f"profile-{digest[:16]}.yaml"


def place_profiles(plan: RunPlan, profiles: Mapping[str, str]) -> ProfilePlaces:
    """Which ConfigMap holds which profile: the tracker while there is room, then overflow ones.

    Args:
        plan: the run as decided.
        profiles: digest to rendered profile; each distinct profile once.
    Returns: digest to ConfigMap name; the same input always gives the same places.
    Raises: InvalidInputError: one profile alone, or the plan, is larger than a ConfigMap.
    """
    used = len(_plan_json(plan).encode())
    if used > DATA_LIMIT_BYTES:
        raise InvalidInputError(
            f"the plan of {len(plan.jobs)} runners takes {used:,} bytes, more than a ConfigMap "
            f"holds ({DATA_LIMIT_BYTES:,}); use fewer runners, or shorter URIs"
        )
    places: ProfilePlaces = {}
    name, overflows = plan.tracker, 0
    for digest in _in_plan_order(plan):
        size = len(profiles[digest].encode())
        if size > DATA_LIMIT_BYTES:
            users = ", ".join(job.uri for job in plan.jobs if job.profile_digest == digest)
            raise InvalidInputError(
                f"the load profile of {users} takes {size:,} bytes as written for kperf, more "
                f"than a ConfigMap holds ({DATA_LIMIT_BYTES:,}); split it into several runners"
            )
        if used + size > DATA_LIMIT_BYTES:
            overflows += 1
            name, used = f"{plan.tracker}-profiles-{overflows}", 0
        places[digest] = name
        used += size
    return places


def tracker_manifest(plan: RunPlan, profiles: Mapping[str, str]) -> Manifest:
    """The progress tracker: an immutable ConfigMap that holds the plan and owns the Jobs."""
    places = place_profiles(plan, profiles)
    data = {PLAN_KEY: _plan_json(plan), **_profiles_in(plan.tracker, places, profiles)}
    return _config_map(plan, plan.tracker, Component.TRACKER, data)


def overflow_manifests(
    plan: RunPlan, profiles: Mapping[str, str], tracker_uid: str
) -> list[Manifest]:
    """The ConfigMaps for the profiles that the tracker has no room for; mostly none."""
    places = place_profiles(plan, profiles)
    manifests = []
    for name in dict.fromkeys(places.values()):
        if name == plan.tracker:
            continue
        manifest = _config_map(plan, name, Component.PROFILES, _profiles_in(name, places, profiles))
        metadata = manifest["metadata"]
        assert isinstance(metadata, dict)
        metadata["ownerReferences"] = owner_references(plan.tracker, tracker_uid)
        manifests.append(manifest)
    return manifests


def read_plan(namespace: str, tracker: str, data: Mapping[str, str]) -> RunPlan:
    """The plan that a tracker holds.

    Raises: RefusedError: the ConfigMap holds no plan, or one that this release cannot read.
    """
    text = data.get(PLAN_KEY)
    if text is None:
        raise RefusedError(
            f"configmap {namespace}/{tracker} holds no {PLAN_KEY}, so it is not a tracker of "
            "mrunners; choose another name with --tracker",
            namespace=namespace,
            tracker=tracker,
        )
    try:
        plan = RunPlan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or PLAN_KEY
        raise _unusable(
            namespace, tracker, f"a plan that this release cannot read ({place}: {first['msg']})"
        ) from error
    if (plan.namespace, plan.tracker) != (namespace, tracker):
        raise _unusable(
            namespace, tracker, f"the plan of another tracker, {plan.namespace}/{plan.tracker}"
        )
    return plan


def _unusable(namespace: str, tracker: str, held: str) -> RefusedError:
    return RefusedError(
        f"tracker {namespace}/{tracker} holds {held}; use the release of mrunners that made it, or "
        f"remove it with: mrunners delete {namespace} --tracker {tracker} --force",
        namespace=namespace,
        tracker=tracker,
    )


def _in_plan_order(plan: RunPlan) -> Iterator[str]:
    yield from dict.fromkeys(job.profile_digest for job in plan.jobs)


def _profiles_in(name: str, places: ProfilePlaces, profiles: Mapping[str, str]) -> dict[str, str]:
    return {
        profile_key(digest): profiles[digest] for digest, place in places.items() if place == name
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
