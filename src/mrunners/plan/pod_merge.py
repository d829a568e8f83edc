"""Merges parts of pods: Kubernetes' strategic merge, for the lists that pods have.

Containers, volumes and the like are merged by their keys, and null removes what is below it, but
for affinities, which say where a run's pods belong. There are no `$patch` directives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "APPENDED",
    "MERGE_KEYS",
    "NODE_AFFINITY",
    "REQUIRED",
    "TERM_LISTS",
    "item_key",
    "merge_pod",
]

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"

_AFFINITY: Final = "spec.affinity"
NODE_AFFINITY: Final = f"{_AFFINITY}.nodeAffinity"
# What a node must fit, in a term of a required node affinity.
TERM_LISTS: Final = ("matchExpressions", "matchFields")
_POD_AFFINITIES: Final = (f"{_AFFINITY}.podAffinity", f"{_AFFINITY}.podAntiAffinity")

_OF_CONTAINERS: Final = {
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
}
# By the path of a list, in which * is each item of one: items with the same keys are one. Those of
# k8s.io/api/core/v1 (+listMapKey).
MERGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "spec.containers": ("name",),
    "spec.initContainers": ("name",),
    "spec.volumes": ("name",),
    "spec.imagePullSecrets": ("name",),
    "spec.resourceClaims": ("name",),
    "spec.hostAliases": ("ip",),
    "spec.topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    **{
        f"spec.{containers}.*.{name}": keys
        for containers in ("containers", "initContainers")
        for name, keys in _OF_CONTAINERS.items()
    },
}
# Of these, items with the same keys are merged; of the others, the template's is taken.
_MERGED_ITEMS: Final = frozenset(
    {"spec.containers", "spec.initContainers", "spec.topologySpreadConstraints"}
)
_KEY_DEFAULTS: Final = {"protocol": "TCP"}

# Of these lists the template's items are added.
APPENDED: Final = frozenset(
    {
        "spec.tolerations",
        f"{NODE_AFFINITY}.{_PREFERRED}",
        *(f"{path}.{name}" for path in _POD_AFFINITIES for name in (REQUIRED, _PREFERRED)),
    }
)


def merge_pod(base: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return both as one; where both have a value, the second's is taken, and null removes it.

    Args:
        base: A pod's metadata and spec, or a part of them.
        over: The same of what is merged onto it, without `template_problems`.
        path: Of the part in the pod, such as `spec.containers.*`; empty for metadata and spec.
    """
    merged = dict(base)
    for name, value in over.items():
        at = f"{path}.{name}" if path else name
        below = merged.get(name)
        if value is None:
            # The nodes of a runner group and the spread of the pods are in affinities.
            if at != _AFFINITY and not at.startswith(f"{_AFFINITY}."):
                merged.pop(name, None)
        elif at == NODE_AFFINITY:
            merged[name] = _both(below or {}, value)
        elif isinstance(value, Mapping):
            merged[name] = merge_pod(below if isinstance(below, Mapping) else {}, value, at)
        elif at in APPENDED:
            merged[name] = [*(below or []), *(item for item in value if item not in (below or []))]
        elif at in MERGE_KEYS:
            merged[name] = _merged_items(at, below or [], value)
        else:
            merged[name] = value
    return merged


def item_key(path: str, item: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes an item of a list in `MERGE_KEYS` the same as another."""
    return tuple(item.get(name) or _KEY_DEFAULTS.get(name) for name in MERGE_KEYS[path])


def _merged_items(path: str, base: list[Any], over: list[Any]) -> list[Any]:
    items = {item_key(path, item): item for item in base}
    for item in over:
        key = item_key(path, item)
        below = items.get(key, {}) if path in _MERGED_ITEMS else {}
        items[key] = merge_pod(below, item, f"{path}.*")
    return list(items.values())


def _both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node affinity of a pod that has both: a node must fit a term of each."""
    others = {name: part for name, part in second.items() if name != REQUIRED}
    both = merge_pod(first, others, NODE_AFFINITY)
    required = [
        part[REQUIRED]["nodeSelectorTerms"] for part in (first, second) if part.get(REQUIRED)
    ]
    if len(required) == 2:
        terms = [_both_terms(left, right) for left in required[0] for right in required[1]]
        both[REQUIRED] = {"nodeSelectorTerms": terms}
    elif required:
        both[REQUIRED] = {"nodeSelectorTerms": required[0]}
    return both


def _both_terms(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    lists = {
        name: [*(left.get(name) or ()), *(right.get(name) or ())]
        for name in TERM_LISTS
        if name in left or name in right
    }
    return {**left, **right, **lists}
