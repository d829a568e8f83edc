"""The labels, annotations and fixed names by which mrunners knows its own objects.

It must not build manifests.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final, TypeAlias

from mrunners.plan.plan import RunPlan

__all__ = [
    "ANNOTATION_COLLECTED_AT",
    "ANNOTATION_DIGEST",
    "ANNOTATION_URI",
    "CONTAINER",
    "DEFAULT_TRACKER",
    "JOB_LENGTH",
    "LABEL_COMPONENT",
    "LABEL_MANAGED_BY",
    "LABEL_NAME",
    "LABEL_RUNNER",
    "LABEL_RUN_ID",
    "LABEL_TRACKER",
    "MANAGED_BY",
    "TRACKER_LENGTH",
    "Component",
    "Manifest",
    "common_labels",
    "job_name",
    "owner_references",
    "run_selector",
    "tracker_selector",
    "trackers_selector",
]

DEFAULT_TRACKER = "mrunners"
CONTAINER = "runner"
MANAGED_BY = "mrunners"

# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
LABEL_NAME = "app.kubernetes.io/name"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_COMPONENT = "app.kubernetes.io/component"

LABEL_TRACKER = "mrunners.dev/tracker"
LABEL_RUN_ID = "mrunners.dev/run-id"
LABEL_RUNNER = "mrunners.dev/runner"

ANNOTATION_URI = "mrunners.dev/runner-uri"
ANNOTATION_DIGEST = "mrunners.dev/digest"
ANNOTATION_COLLECTED_AT = "mrunners.dev/collected-at"


class Component(StrEnum):
    """What an object of ours is, as `app.kubernetes.io/component` says it."""

    TRACKER = "tracker"
    PROFILES = "profiles"
    RUNNER = "runner"


def run_selector(run_id: str) -> str:
    """The label selector of every Job and pod of one run."""
    return f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_RUN_ID}={run_id}"


def tracker_selector(tracker: str) -> str:
    """The label selector of every Job and pod under a tracker's name, of whichever run."""
    return (
        f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_COMPONENT}={Component.RUNNER},"
        f"{LABEL_TRACKER}={tracker}"
    )


def trackers_selector() -> str:
    """The label selector of every tracker in a namespace."""
    return f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_COMPONENT}={Component.TRACKER}"


# Plain JSON. The Python client's models drop misspelt keys silently, so we build dicts and let
# the API server check them with fieldValidation=Strict.
Manifest: TypeAlias = dict[str, object]


def common_labels(plan: RunPlan, component: Component) -> dict[str, str]:
    """The labels that every object of a run carries."""
    return {
        LABEL_NAME: MANAGED_BY,
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_COMPONENT: component.value,
        LABEL_TRACKER: plan.tracker,
        LABEL_RUN_ID: plan.run_id,
    }


def owner_references(tracker: str, tracker_uid: str) -> list[dict[str, object]]:
    """The ownerReferences of what goes when the tracker goes.

    `blockOwnerDeletion` is false because true needs `update configmaps/finalizers` where the
    admission plugin OwnerReferencesPermissionEnforcement is on.
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


# The pods of a 63-character Job lose the tail of their names: room for `-9999-abcde` is needed.
JOB_LENGTH: Final = 52

# The tracker's name is a label value, and `-profiles-N` must fit behind it.
TRACKER_LENGTH: Final = 50


def job_name(tracker: str, index: int) -> str:
    """The name of the index-th runner's Job: `<tracker>-<index>`, at most 52 characters.

    A name that would be longer is cut, and a hash of the whole tracker keeps it apart from
    others that are cut at the same place.
    """
    suffix = f"-{index}"
    if len(tracker) + len(suffix) <= JOB_LENGTH:
        return tracker + suffix
    mark = hashlib.sha256(tracker.encode()).hexdigest()[:6]
    kept = tracker[: JOB_LENGTH - len(suffix) - len(mark) - 1].rstrip("-")
    return f"{kept}-{mark}{suffix}"
