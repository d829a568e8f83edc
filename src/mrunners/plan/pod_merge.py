"""Merges parts of pods: Kubernetes' strategic merge, for the lists that pods have.

Containers, volumes and the like are merged by their key, and null removes what is below it. There
are no `$patch` directives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["APPENDED", "MERGE_KEYS", "REQUIRED", "merge_pod"]

# A key of a list's items, by the list's field: items with the same key are one.
MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
# Of these, items with the same key are merged; of the others, the template's is taken.
_MERGED_ITEMS: Final = frozenset({"containers", "initContainers"})

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"

# Of these the template's items are added.
APPENDED: Final = frozenset({"tolerations", REQUIRED, _PREFERRED})


def merge_pod(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both as one; where both have a value, the second's is taken, and null removes it.

    Args:
        base: A pod's metadata and spec, or a part of them.
        over: The same of what is merged onto it, without `template_problems`.
    """
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif name == "nodeAffinity" and isinstance(value, Mapping):
            merged[name] = _both(below or {}, value)
        elif isinstance(value, Mapping):
            merged[name] = merge_pod(below if isinstance(below, Mapping) else {}, value)
        elif name in APPENDED and isinstance(value, list):
            merged[name] = [*(below or []), *(item for item in value if item not in (below or []))]
        elif name in MERGE_KEYS and isinstance(value, list):
            merged[name] = _merged_items(name, below or [], value)
        else:
            merged[name] = value
    return merged


def _merged_items(name: str, base: list[Any], over: list[Any]) -> list[Any]:
    key = MERGE_KEYS[name]
    items = {item[key]: item for item in base}
    for item in over:
        below = items.get(item[key], {}) if name in _MERGED_ITEMS else {}
        items[item[key]] = merge_pod(below, item)
    return list(items.values())


def _both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node affinity of a pod that has both: a node must fit a term of each."""
    both = merge_pod(first, {name: part for name, part in second.items() if name != REQUIRED})
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
    names = dict.fromkeys((*left, *right))
    return {name: [*left.get(name, ()), *right.get(name, ())] for name in names}
