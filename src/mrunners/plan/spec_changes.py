"""Compares a Job's spec as it was sent with what the API server made of it.

Old API servers drop fields that they do not know, and policies of a cluster (mutating webhooks,
MutatingAdmissionPolicies) add or change some; the answer is 201 in either case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from mrunners.quantities import same_quantity
from mrunners.text import printable

__all__ = ["changed_fields", "dropped_fields", "mounted_profile", "spec_fields"]

# Fields that an old API server drops silently, and what happens without them.
_DROPPED = {
    "completionMode": "pods have no index, so reports cannot be matched to them",
    "backoffLimitPerIndex": "one failing pod ends its siblings and their reports are lost",
    "podReplacementPolicy": "a drained pod is replaced at once and both load the cluster",
}

# What API servers fill in themselves (measured with Kubernetes 1.37).
_DEFAULTS = frozenset(
    {
        "backoffLimit",
        "manualSelector",
        "selector",
        "suspend=false",
        "template.spec.dnsPolicy",
        "template.spec.schedulerName",
        "template.spec.serviceAccount",
        "template.spec.containers.runner.imagePullPolicy",
        "template.spec.containers.runner.terminationMessagePath",
        "template.spec.containers.runner.terminationMessagePolicy",
        "template.spec.containers.runner.env.MRUNNERS_POD.valueFrom.fieldRef.apiVersion",
        "template.spec.volumes.profile.configMap.defaultMode",
        # Where a pod template removes them.
        "template.spec.securityContext=",
        "template.spec.terminationGracePeriodSeconds=30",
        "template.spec.enableServiceLinks=true",
    }
)

# What they fill into fields that a pod template may have (pkg/apis/core/v1/defaults.go).
_DEFAULTS_OF_TEMPLATES = re.compile(
    r"template\.spec\.(?:"
    r"volumes\.[^.]+\.(?:configMap|secret|projected|downwardAPI)\.defaultMode"
    r"|volumes\.[^.]+\.(?:hostPath\.type|emptyDir|image\.pullPolicy)"
    r"|volumes\.[^.]+\.ephemeral\.volumeClaimTemplate\."
    r"(?:metadata\.creationTimestamp|metadata|spec\.volumeMode)"
    r"|volumes\.[^.]+\.iscsi\.iscsiInterface|volumes\.[^.]+\.rbd\.(?:pool|user|keyring)"
    r"|volumes\.[^.]+\.azureDisk\.(?:cachingMode|fsType|readOnly|kind)"
    r"|volumes\.[^.]+\.scaleIO\.(?:storageMode|fsType)"
    r"|volumes\.[^.]+\.(?:.+\.)?fieldRef\.apiVersion"
    r"|volumes\.[^.]+\.projected\.sources\.[0-9]+\.serviceAccountToken\.expirationSeconds"
    r"|containers\.runner\.env\.[^.]+\.valueFrom\.fieldRef\.apiVersion"
    r"|(?:volumes|containers\.runner\.env)\.(?:.+\.)?resourceFieldRef\.divisor"
    r"|containers\.runner\.ports\.[^.]+\.protocol"
    r"|containers\.runner\.[a-z]+Probe\.(?:[a-z]+(?:Seconds|Threshold)|httpGet\.(?:scheme|path))"
    r"|containers\.runner\.lifecycle\.[a-zA-Z]+\.httpGet\.(?:scheme|path)"
    r")"
)

# An API server writes them in their shortest form.
_QUANTITY = re.compile(r"\.resources\.|\.(?:sizeLimit|divisor)$")

# Stands for a dot within a name, such as that of a label.
_DOT = "\0"

_HOST_NETWORK = "template.spec.hostNetwork"
_RUNNER = "template.spec.containers.runner"

# A container's command is a script of a hundred lines.
_VALUE_CHARACTERS = 60

# What an added or changed field does to a run; the first name that fits counts.
_CONSEQUENCES = {
    "ttlSecondsAfterFinished": "each Job is removed that many seconds after it has finished, and "
    "with it every report that was not fetched: wait for the run from now on",
    "activeDeadlineSeconds": "pods that run longer are killed and their reports are lost",
    "suspend": "its pods start only when someone resumes the Job",
    "managedBy": "another controller runs its pods, perhaps in another cluster",
    "completions": "the Job has another number of pods than planned",
    "parallelism": "its pods do not all load the cluster at the same time",
    "successPolicy": "the Job may end before all of its pods have",
    "podFailurePolicy": "a failing pod may end its siblings or be replaced",
    "backoffLimitPerIndex": "a failed pod is replaced, and loads the cluster a second time",
    "podReplacementPolicy": "a drained pod is replaced at once and both load the cluster",
    "maxFailedIndexes": "failing pods end their siblings and their reports are lost",
    "template.spec.activeDeadlineSeconds": "pods that run longer are killed and their reports are "
    "lost",
    "template.spec.restartPolicy": "a failed container loads the cluster a second time",
    "template.spec.initContainers": "the pods start later, or run beside another container",
    "template.spec.affinity": "the pods are on other nodes than planned",
    "template.spec.topologySpreadConstraints": "the pods are on other nodes than planned",
    "template.spec.containers.runner.resources.limits": "a runner at its CPU limit is throttled, "
    "and the latencies that it measures are then not the server's",
    "template.spec.containers.runner": "the runners are not as mrunners made them",
    "template.spec.containers": "the pods run until this container has ended too",
    "template.spec": "the pods are not as mrunners made them",
    "": "the Jobs are not as mrunners made them",
}


def spec_fields(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a Job's spec that can be compared, by path, with their values as text.

    The fields of the Job, of its pods and of the runner's container are listed down to the last
    one, items of a list by their name or number (texts together), and other containers by their
    name alone. The value of an empty field is empty. The pods' metadata is left out: the API server
    adds labels.
    """
    pod = (spec.get("template") or {}).get("spec") or {}
    fields: dict[str, str] = {}
    for name, value in spec.items():
        if name != "template":
            _add_leaves(fields, name, value)
    for name, value in pod.items():
        path = f"template.spec.{name}"
        if name not in {"containers", "initContainers"}:
            _add_leaves(fields, path, value)
            continue
        for container in value or []:
            own = f"{path}.{container.get('name')}"
            if own == _RUNNER:
                _add_leaves(fields, own, container)
            else:
                fields[own] = ""
    return fields


def _add_leaves(fields: dict[str, str], path: str, value: object) -> None:
    """Add each field below a path that has no fields of its own, with its value."""
    if isinstance(value, str):  # as most are
        fields[path] = value
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            _add_leaves(fields, f"{path}.{str(name).replace('.', _DOT)}", item)
    elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
        for number, item in enumerate(value):
            name = _item_name(item, number).replace(".", _DOT)
            _add_leaves(fields, f"{path}.{name}", item)
    else:
        fields[path] = _text(value)


def _item_name(item: object, number: int) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else str(number)


def mounted_profile(spec: Mapping[str, Any]) -> str | None:
    """Return the key of the load profile in the ConfigMap that holds it; None without one."""
    for volume in ((spec.get("template") or {}).get("spec") or {}).get("volumes") or []:
        if volume.get("name") == "profile":
            for item in (volume.get("configMap") or {}).get("items") or []:
                return str(item.get("key"))
    return None


def dropped_fields(returned_fields: Collection[str]) -> list[str]:
    """Return what an API server dropped from a Job's spec although the run relies on it.

    Args:
        returned_fields: The names of the fields in the spec that the API server returned.

    Returns:
        One line per dropped field.
    """
    return [
        f"this API server ignores spec.{field} of Jobs: {consequence}"
        for field, consequence in _DROPPED.items()
        if field not in returned_fields
    ]


def changed_fields(sent: Mapping[str, str], returned: Mapping[str, str]) -> list[str]:
    """Return what was added to a Job's spec, or changed in it, after it was sent.

    Args:
        sent: The `spec_fields` of the manifest.
        returned: Those of the Job that the API server returned.

    Returns:
        One line per field.
    """
    changes: dict[str, str] = {}
    topmost, removed_paths = _differing_paths(tuple(sent), tuple(returned))
    for path, value in returned.items():
        before = sent.get(path)
        if before == value:
            continue
        if before is None:
            added = topmost[path]
            # A pod in the network of its node has its ports there.
            own_port = added.endswith(".hostPort") and returned.get(_HOST_NETWORK) == "true"
            if not own_port and not _is_default(added, value):
                shown = f" {printable(value, _VALUE_CHARACTERS)}" if value and added == path else ""
                changes.setdefault(added, f"adds spec.{added}{shown} to")
        elif not (_QUANTITY.search(path) and same_quantity(value, before)):
            shown, after = (printable(text, _VALUE_CHARACTERS) for text in (before, value))
            changes[path] = f"changes spec.{path} from {shown} to {after} in"
    for removed in removed_paths:
        if removed not in changes:
            changes[removed] = f"removes spec.{removed} from"
    return [
        f"this cluster {what.replace(_DOT, '.')} Jobs: {_consequence(path)}"
        for path, what in changes.items()
    ]


# The Jobs of a run, thousands of them, have the same fields and differ in a few values.
@lru_cache(maxsize=16)
def _differing_paths(
    sent: tuple[str, ...], returned: tuple[str, ...]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return the topmost new part of each path that was added, and those parts that were removed.

    A field that is empty when it was sent may be filled, and one that was filled may be empty. What
    an old API server drops at the top is said by `dropped_fields`.
    """
    parents, before, after = _parents(sent), frozenset(sent), frozenset(returned)
    added = {path: _topmost(path, parents) for path in returned if path not in before}
    parents = _parents(returned)
    removed = (path for path in sent if path not in after and path not in _DROPPED)
    return added, tuple(_topmost(path, parents) for path in removed)


def _is_default(path: str, value: str) -> bool:
    return (
        path in _DEFAULTS
        or f"{path}={value}" in _DEFAULTS
        or _DEFAULTS_OF_TEMPLATES.fullmatch(path) is not None
    )


def _parents(fields: Collection[str]) -> set[str]:
    """Return the paths that have any of these fields below them."""
    found = {"template.spec.initContainers"}  # each is told by its name
    for path in fields:
        while path := path.rpartition(".")[0]:
            found.add(path)
    return found


def _topmost(path: str, parents: Collection[str]) -> str:
    """Return the first part of a path that is no parent, so that one line tells all below it."""
    names = path.split(".")
    paths = (".".join(names[: count + 1]) for count in range(len(names)))
    return next((part for part in paths if part not in parents), path)


def _consequence(path: str) -> str:
    while path not in _CONSEQUENCES:
        path = path.rpartition(".")[0]
    return _CONSEQUENCES[path]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value) if isinstance(value, str | int | float) else ""
