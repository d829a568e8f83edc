"""The labels, annotations and fixed names by which mrunners knows its own objects.

It must not build manifests.
"""

from __future__ import annotations

__all__ = [
    "CONTAINER",
    "DEFAULT_TRACKER",
    "LABEL_COMPONENT",
    "LABEL_MANAGED_BY",
    "LABEL_NAME",
    "LABEL_RUNNER",
    "LABEL_RUN_ID",
    "LABEL_TRACKER",
    "MANAGED_BY",
    "NOTE_COLLECTED_AT",
    "NOTE_DIGEST",
    "NOTE_URI",
    "Component",
    "run_selector",
    "tracker_selector",
    "trackers_selector",
]

from enum import StrEnum

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

NOTE_URI = "mrunners.dev/runner-uri"
NOTE_DIGEST = "mrunners.dev/digest"
NOTE_COLLECTED_AT = "mrunners.dev/collected-at"


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
