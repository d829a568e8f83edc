"""The type of a Kubernetes object on its way out, and what all of ours have in common.

It must not know any kind in particular.
"""

from __future__ import annotations

from typing import TypeAlias

from mrunners.plan.metadata import (
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_RUN_ID,
    LABEL_TRACKER,
    MANAGED_BY,
    Component,
)
from mrunners.plan.plan import Plan

__all__ = ["Manifest", "labels_of", "owned_by"]

# Plain JSON. The Python client's models drop misspelt keys silently, so we build dicts and let
# the API server check them with fieldValidation=Strict.
Manifest: TypeAlias = dict[str, object]


def labels_of(plan: Plan, component: Component) -> dict[str, str]:
    """The labels that every object of a run carries."""
    return {
        LABEL_NAME: MANAGED_BY,
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_COMPONENT: component.value,
        LABEL_TRACKER: plan.tracker,
        LABEL_RUN_ID: plan.run_id,
    }


def owned_by(tracker: str, tracker_uid: str) -> list[dict[str, object]]:
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
