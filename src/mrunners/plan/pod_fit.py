"""Fits a runner's pod to a cluster: merges the pod template and the options of a run onto it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mrunners.plan.metadata import CONTAINER, log_container
from mrunners.plan.pod_merge import REQUIRED, merge_pod
from mrunners.plan.pod_option_rows import PLATFORM
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.pod_template import runner_of
from mrunners.reports.part_script import part_command

__all__ = ["fit_pod", "metadata_of", "sidecar_problems", "with_report_logs"]

# What a sidecar uses that waits for its part of a report and prints it. Only where the runner has
# a limit, as a quota may demand, the sidecars have one too; the request is the same then.
_SIDECAR_REQUESTS = {"cpu": "10m", "memory": "16Mi"}
_SIDECAR_LIMITS = {"cpu": "100m", "memory": "32Mi"}

# What they have like the runner, whatever a pod template makes of that.
_LIKE_RUNNER = ("image", "imagePullPolicy", "securityContext")

# The taints of a node that does not answer; the admission plugin DefaultTolerationSeconds lets pods
# tolerate them for 5 minutes, unless they say for how long themselves.
_UNREACHABLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def metadata_of(settings: PodSettings) -> dict[str, dict[str, str]]:
    """Return the labels and annotations that a user gives to Jobs and pods."""
    return {"labels": _pairs(settings.label), "annotations": _pairs(settings.annotation)}


def fit_pod(pod: Mapping[str, Any], settings: PodSettings) -> dict[str, Any]:
    """Return a runner's pod as the settings change it.

    The template is merged onto it first, and then the other settings onto the result.

    Args:
        pod: The metadata and spec of a Job's pods.
        settings: Those of the plan.
    """
    template = settings.template or {}
    options = _as_pod(settings)
    given = merge_pod(merge_pod({}, template), options)  # without nulls
    limits = (runner_of(given["spec"]).get("resources") or {}).get("limits") or {}
    fitted = merge_pod(_without_default_requests(pod, limits), template)
    fitted = _with_unreachable_timeout(merge_pod(fitted, options), settings)
    chosen = {_stable(key) for key in _chosen_keys(fitted["spec"])}
    expressions = [
        {"key": key, "operator": "In", "values": [value]}
        for key, value in settings.platform
        if key not in chosen
    ]
    if not expressions:
        return fitted
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = {"nodeAffinity": {REQUIRED: terms}}
    return merge_pod(fitted, {"spec": {"affinity": affinity}})


def with_report_logs(pod: Mapping[str, Any], logs: int) -> dict[str, Any]:
    """Return a pod with the native sidecars whose logs have the further parts of a report.

    They start before the runner, and the kubelet ends them when it has ended, however it has.

    Args:
        pod: As `fit_pod` returns it. What its template says of the sidecars is merged onto them.
        logs: Into how many logs, with the runner's own, a report may be written.
    """
    spec = pod["spec"]
    runner = runner_of(spec)
    limits = (runner.get("resources") or {}).get("limits") or {}
    resources = {
        "requests": {n: size for n, size in _SIDECAR_REQUESTS.items() if n not in limits},
        "limits": {n: size for n, size in _SIDECAR_LIMITS.items() if n in limits},
    }
    sidecars = [
        {
            "name": name,
            **{field: runner[field] for field in _LIKE_RUNNER if field in runner},
            "command": part_command(name),
            "restartPolicy": "Always",
            "resources": {part: sizes for part, sizes in resources.items() if sizes},
            "volumeMounts": [m for m in runner["volumeMounts"] if m["mountPath"] == "/tmp"],
        }
        for name in map(log_container, range(2, logs + 1))
    ]
    if not sidecars:
        return dict(pod)
    given = {"spec": {"initContainers": spec.get("initContainers") or []}}
    return merge_pod({**pod, "spec": {**spec, "initContainers": sidecars}}, given)


def sidecar_problems(settings: PodSettings, logs: int) -> list[str]:
    """Return what a pod template says of the sidecars that would keep them from their work."""
    spec: Any = (settings.template or {}).get("spec") or {}
    names = set(map(log_container, range(2, logs + 1)))
    return [
        f"the pod template: spec.initContainers.{container['name']}.{field}: it cannot be set "
        "here, because this container has a part of the report in its log"
        for container in spec.get("initContainers") or ()
        if container["name"] in names
        for field in ("image", "command", "args", "tty", "restartPolicy", "volumeMounts")
        if field in container
    ]


def _without_default_requests(pod: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the requests that have a limit: Kubernetes takes the limit for the request then."""
    requests = {
        name: None for name in runner_of(pod["spec"])["resources"]["requests"] if name in limits
    }
    runner = {"name": CONTAINER, "resources": {"requests": requests}}
    return merge_pod(pod, {"spec": {"containers": [runner]}})


def _with_unreachable_timeout(pod: Mapping[str, Any], settings: PodSettings) -> dict[str, Any]:
    """Return a pod that stays on a node that does not answer for as long as the settings say.

    Of several tolerations of a taint Kubernetes takes the first, so these come before all others.
    """
    if (seconds := settings.unreachable_seconds) is None:
        return dict(pod)
    spec = pod["spec"]
    timed = [_for_seconds(key, seconds) for key in _UNREACHABLE]
    return {**pod, "spec": {**spec, "tolerations": [*timed, *(spec.get("tolerations") or [])]}}


def _as_pod(settings: PodSettings) -> dict[str, Any]:
    """Return the settings but for the template as the part of a pod that they are."""
    resources = {
        part: {name: value for name, value in values.items() if value}
        for part, values in {
            "requests": {"cpu": settings.cpu, "memory": settings.memory},
            "limits": {"cpu": settings.cpu_limit, "memory": settings.memory_limit},
        }.items()
        if any(values.values())
    }
    runner: dict[str, Any] = {"name": CONTAINER}
    if resources:
        runner["resources"] = resources
    if settings.image_pull_policy:
        runner["imagePullPolicy"] = settings.image_pull_policy
    spec: dict[str, Any] = {"containers": [runner]}
    if settings.node_selector:
        spec["nodeSelector"] = _pairs(settings.node_selector)
    if settings.toleration:
        spec["tolerations"] = [_toleration(text) for text in settings.toleration]
    if settings.image_pull_secret:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secret]
    if settings.priority_class:
        spec["priorityClassName"] = settings.priority_class
    if settings.run_as_user:
        user = None if settings.run_as_user == PLATFORM else int(settings.run_as_user)
        spec["securityContext"] = {"runAsUser": user, "runAsGroup": user, "fsGroup": user}
        # A container's would count instead of the pod's.
        runner["securityContext"] = {"runAsUser": None, "runAsGroup": None}
    return {"metadata": metadata_of(settings), "spec": spec}


def _chosen_keys(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the labels of nodes that a pod's spec speaks of."""
    yield from spec.get("nodeSelector") or ()
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for expression in term.get("matchExpressions") or ():
            yield str(expression.get("key"))


def _stable(key: str) -> str:
    """Return the present name of a label that had `beta.` before it."""
    return key.removeprefix("beta.")


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {key: value for key, _, value in pairs}


def _for_seconds(key: str, seconds: int) -> dict[str, Any]:
    effect = {"operator": "Exists", "effect": "NoExecute"}
    return {"key": key, **effect, "tolerationSeconds": seconds}


def _toleration(text: str) -> dict[str, str]:
    """Return the toleration of a taint that is spelled as kubectl taint spells it."""
    pair, _, effect = text.partition(":")
    key, equals, value = pair.partition("=")
    matching = {"operator": "Equal", "value": value} if equals else {"operator": "Exists"}
    return {"key": key, **matching, **({"effect": effect} if effect else {})}
