"""Compares a Job's spec as it was sent with what the API server made of it.

Old API servers drop fields that they do not know, and policies of a cluster (mutating webhooks,
MutatingAdmissionPolicies) add or change some; the answer is 201 in either case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

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
    }
)

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
    "template.spec.containers.runner": "the runners are not as mrunners made them",
    "template.spec.containers": "the pods run until this container has ended too",
    "template.spec": "the pods are not as mrunners made them",
    "": "the Jobs are not as mrunners made them",
}


def spec_fields(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a Job's spec that can be compared, by path, with their scalar values.

    The fields of the Job, of its pods and of the runner's container are listed, and the other
    containers by name. The value of a field that is not a scalar is empty.
    """
    pod = (spec.get("template") or {}).get("spec") or {}
    fields = {name: _scalar(value) for name, value in spec.items() if name != "template"}
    prefix = "template.spec."
    for name, value in pod.items():
        if name not in {"containers", "initContainers"}:
            fields[prefix + name] = _scalar(value)
            continue
        for container in value or []:
            path = f"{prefix}{name}.{container.get('name')}"
            fields[path] = ""
            if container.get("name") == "runner" and name == "containers":
                fields |= {f"{path}.{key}": _scalar(item) for key, item in container.items()}
    return fields


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
    lines = []
    for path, value in returned.items():
        if path not in sent:
            if path in _DEFAULTS or f"{path}={value}" in _DEFAULTS:
                continue
            what = f"adds spec.{path}{f' {value}' if value else ''} to"
        elif value != sent[path]:
            what = f"changes spec.{path} from {sent[path]} to {value} in"
        else:
            continue
        lines.append(f"this cluster {what} Jobs: {_consequence(path)}")
    return lines


def _consequence(path: str) -> str:
    while path not in _CONSEQUENCES:
        path = path.rpartition(".")[0]
    return _CONSEQUENCES[path]


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""
