"""Names, labels and annotations of the objects of a run, and the selectors that find them."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from mrunners.plan.plan import RunPlan

__all__ = [
    "ANNOTATION_COLLECTED_AT",
    "ANNOTATION_CREATED_BEFORE",
    "ANNOTATION_DIGEST",
    "ANNOTATION_GIVEN_UP",
    "ANNOTATION_JOBS_CREATED_AT",
    "ANNOTATION_JOB_TTL",
    "ANNOTATION_URI",
    "CONTAINER",
    "LABEL_COMPONENT",
    "LABEL_MANAGED_BY",
    "LABEL_NAME",
    "LABEL_RUNNER",
    "LABEL_RUN_ID",
    "LABEL_TRACKER",
    "MANAGED_BY",
    "MAX_JOB_NAME_LENGTH",
    "Component",
    "Manifest",
    "common_labels",
    "job_name",
    "log_container",
    "owner_references",
    "profiles_selector",
    "run_selector",
    "runner_selector",
    "trackers_selector",
]

# Plain JSON. The client's model classes silently drop misspelled keys, so manifests are dicts that
# the API server checks with fieldValidation=Strict.
Manifest: TypeAlias = dict[str, object]

MANAGED_BY: Final = "mrunners"
CONTAINER: Final = "runner"

# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"

LABEL_TRACKER: Final = "mrunners.dev/tracker"
LABEL_RUN_ID: Final = "mrunners.dev/run-id"
LABEL_RUNNER: Final = "mrunners.dev/runner"

ANNOTATION_URI: Final = "mrunners.dev/runner-uri"
ANNOTATION_DIGEST: Final = "mrunners.dev/digest"
ANNOTATION_COLLECTED_AT: Final = "mrunners.dev/collected-at"
ANNOTATION_JOBS_CREATED_AT: Final = "mrunners.dev/jobs-created-at"
ANNOTATION_JOB_TTL: Final = "mrunners.dev/job-ttl-seconds"
ANNOTATION_CREATED_BEFORE: Final = "mrunners.dev/jobs-created-before"
ANNOTATION_GIVEN_UP: Final = "mrunners.dev/not-started"

# Kubernetes shortens the names of a Job's pods to 63 characters; this leaves 11 for `-9999-abcde`.
MAX_JOB_NAME_LENGTH: Final = 52


class Component(StrEnum):
    """The kinds of objects of a run, in the label `app.kubernetes.io/component`."""

    TRACKER = "tracker"
    PROFILES = "profiles"
    RUNNER = "runner"


def log_container(part: int) -> str:
    """Return the name of the container whose log has a part of the report, from 1."""
    return CONTAINER if part == 1 else f"report-{part}"


def job_name(tracker: str, index: int) -> str:
    """Return the name of a runner's Job: `<tracker>-<index>`.

    A longer name than 52 characters is cut, and a hash of the whole tracker's name keeps it apart
    from others that are cut at the same point.
    """
    suffix = f"-{index}"
    if len(tracker) + len(suffix) <= MAX_JOB_NAME_LENGTH:
        return tracker + suffix
    tracker_hash = hashlib.sha256(tracker.encode()).hexdigest()[:6]
    prefix_length = MAX_JOB_NAME_LENGTH - len(suffix) - len(tracker_hash) - 1
    return f"{tracker[:prefix_length].rstrip('-')}-{tracker_hash}{suffix}"


def common_labels(plan: RunPlan, component: Component) -> dict[str, str]:
    """Return the labels that every object of a run has."""
    return {
        LABEL_NAME: MANAGED_BY,
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_COMPONENT: component.value,
        LABEL_TRACKER: plan.tracker,
        LABEL_RUN_ID: plan.run_id,
    }


def owner_references(tracker: str, tracker_uid: str) -> list[dict[str, object]]:
    """Return the ownerReferences of an object that is deleted with the tracker.

    `blockOwnerDeletion` is false, because true needs the permission to update
    `configmaps/finalizers` where the admission plugin OwnerReferencesPermissionEnforcement is on.
    """
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": tracker,
            "uid": tracker_uid,
            "blockOwnerDeletion": False,
        }
    ]


def run_selector(run_id: str) -> str:
    """Return the label selector of all objects of one run."""
    return f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_RUN_ID}={run_id}"


def runner_selector(tracker: str) -> str:
    """Return the label selector of all Jobs and pods under a tracker's name, of whatever run."""
    return (
        f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_COMPONENT}={Component.RUNNER},"
        f"{LABEL_TRACKER}={tracker}"
    )


def profiles_selector(run_id: str) -> str:
    """Return the label selector of the ConfigMaps with a run's other load profiles."""
    return f"{run_selector(run_id)},{LABEL_COMPONENT}={Component.PROFILES}"


def trackers_selector() -> str:
    """Return the label selector of all trackers."""
    return f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_COMPONENT}={Component.TRACKER}"
