"""Pod templates: reads a user's file, and refuses what would break a run.

What else the file contains is judged by the API server, before anything is created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from mrunners.errors import InvalidInputError
from mrunners.names import label_key_problem, label_value_problem
from mrunners.plan.metadata import CONTAINER, LABEL_COMPONENT, LABEL_MANAGED_BY, LABEL_NAME
from mrunners.plan.pod_merge import APPENDED, MERGE_KEYS, REQUIRED
from mrunners.profiles.yaml_strict import load_documents
from mrunners.text import kind_of, printable

__all__ = [
    "PodTemplate",
    "own_key_problem",
    "read_pod_template",
    "runner_of",
    "template_problems",
]

PodTemplate: TypeAlias = dict[str, Any]

# What a run cannot do without: the field, the only value that it may have, and why.
_FIXED_IN_POD: Final = (
    ("restartPolicy", "Never", "a restarted runner would load the cluster a second time"),
    ("serviceAccountName", None, "the ServiceAccount is an option of its own"),
    ("serviceAccount", None, "the ServiceAccount is an option of its own"),
    ("ephemeralContainers", None, "a Job's pods cannot have any"),
)
_FIXED_IN_RUNNER: Final = (
    ("image", None, "the runner image is an option of its own"),
    ("command", None, "mrunners starts kperf, and prints its report into the log"),
    ("args", None, "mrunners starts kperf, and prints its report into the log"),
    ("tty", False, "a terminal would change the report in the log"),
    ("restartPolicy", "Never", "a restarted runner would load the cluster a second time"),
    ("restartPolicyRules", None, "a restarted runner would load the cluster a second time"),
)
_OWN_VOLUME: Final = "profile"
_OWN_MOUNTS: Final = ("/config", "/tmp")
_OWN_ENV: Final = "MRUNNERS_"

_OWN_LABELS: Final = frozenset({LABEL_NAME, LABEL_MANAGED_BY, LABEL_COMPONENT})
# Those of mrunners, and those that the Job controller sets on pods.
_OWN_PREFIXES: Final = ("mrunners.dev/", "batch.kubernetes.io/")
_JOB_LABELS: Final = frozenset({"controller-uid", "job-name"})


def read_pod_template(text: bytes) -> PodTemplate:
    """Return the pod template that a file holds: its `metadata` (labels, annotations) and `spec`.

    Args:
        text: YAML or JSON of a Pod, a PodTemplate, or of the metadata and spec alone.

    Raises:
        InvalidInputError: It is none, or it contradicts what a run needs; one line per problem.
    """
    documents = load_documents(text, what="the pod template")
    if len(documents) > 1:
        raise InvalidInputError("the pod template has several documents; leave one")
    (document,) = documents
    template = _unwrapped(document)
    if problems := template_problems(template):
        raise InvalidInputError(f"the pod template: {problem}" for problem in problems)
    metadata = {
        name: {key: str(value) for key, value in values.items()}
        for name in ("labels", "annotations")
        if (values := template.get("metadata", {}).get(name))
    }
    parts = (("metadata", metadata), ("spec", template.get("spec")))
    return {name: part for name, part in parts if part}


def _unwrapped(document: object) -> PodTemplate:
    """Return the metadata and spec of a document.

    Raises:
        InvalidInputError: It is the document of something else.
    """
    if not isinstance(document, dict):
        raise InvalidInputError(f"the pod template must be a mapping, got {kind_of(document)}")
    kind = document.get("kind")
    if kind not in {None, "Pod", "PodTemplate"}:
        raise InvalidInputError(
            f"the pod template is a {printable(str(kind), 60)}; give a Pod, a PodTemplate, or the "
            "metadata and spec of a pod"
        )
    if kind == "PodTemplate":
        document = document.get("template")
        if not isinstance(document, dict):
            raise InvalidInputError("the pod template: a PodTemplate must have 'template'")
    # `kubectl run --dry-run=client --output=yaml` prints an empty status.
    known = {"apiVersion", "kind", "metadata", "spec", "status"}
    if unknown := [printable(name, 60) for name in document if name not in known]:
        raise InvalidInputError(
            f"the pod template: unknown key {unknown[0]}; a pod has 'metadata' and 'spec'"
        )
    metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
    for name, part in (("metadata", metadata), ("spec", spec)):
        if not isinstance(part, dict):
            raise InvalidInputError(
                f"the pod template: {name} must be a mapping, got {kind_of(part)}"
            )
    return {"metadata": metadata, "spec": spec}


def template_problems(template: Mapping[str, Any]) -> list[str]:
    """Return why a template cannot be merged onto a runner's pod, one line per problem."""
    problems = [*_metadata_problems(template.get("metadata") or {})]
    spec = template.get("spec") or {}
    problems += _shape_problems(spec, "spec")
    # The next look into lists whose shape must be right.
    return problems or [*_spec_problems(spec)]


def own_key_problem(key: str) -> str | None:
    """Return why a label or annotation cannot be set by a user; None when it can."""
    if key in _OWN_LABELS or key.startswith("mrunners.dev/"):
        return f"mrunners sets {key} itself"
    if key in _JOB_LABELS or key.startswith(_OWN_PREFIXES):
        return f"the Job controller sets {key} itself"
    return None


def _metadata_problems(metadata: Mapping[str, Any]) -> Iterator[str]:
    for name, value in metadata.items():
        # A Job names its pods; kubectl prints a creationTimestamp of null.
        if name in {"name", "creationTimestamp"}:
            continue
        if name == "namespace":
            yield "metadata.namespace: the namespace is an option of its own"
        elif name not in {"labels", "annotations"}:
            yield f"metadata.{printable(name, 60)}: only labels and annotations are merged"
        elif value is not None and not isinstance(value, dict):
            yield f"metadata.{name} must be a mapping, got {kind_of(value)}"
        else:
            for key, text in (value or {}).items():
                problem = own_key_problem(key) or label_key_problem(key)
                if not isinstance(text, str):
                    problem = problem or f"must be a text, got {kind_of(text)}; put it in quotes"
                elif name == "labels":
                    problem = problem or label_value_problem(text)
                if problem:
                    yield f"metadata.{name}: {printable(key, 100)}: {problem}"


def _shape_problems(value: object, path: str) -> Iterator[str]:
    """Yield where a list that is merged by a key is none, or has an item without the key."""
    if not isinstance(value, Mapping):
        return
    for name, part in value.items():
        below = f"{path}.{printable(name, 60)}"
        if name.startswith("$"):
            yield f"{below}: directives are not supported; null removes a default"
        key = MERGE_KEYS.get(name)
        listed = name in APPENDED or key is not None
        in_text_map = path.endswith(("nodeSelector", "matchLabels"))
        if listed and not in_text_map and part is not None and not _is_list(name, part):
            yield f"{below} must be a list of mappings" + (f" with {key!r}" if key else "")
            continue
        if name in {"affinity", "nodeAffinity", "podAntiAffinity", "podAffinity"} and not (
            part is None or isinstance(part, Mapping) or in_text_map
        ):
            yield f"{below} must be a mapping, got {kind_of(part)}"
        yield from _shape_problems(part, below)
        for item in part if isinstance(part, list) else ():
            item_name = item.get(key) if key and isinstance(item, Mapping) else None
            yield from _shape_problems(item, f"{below}.{item_name}" if item_name else below)


def _is_list(name: str, value: object) -> bool:
    if name == REQUIRED and isinstance(value, Mapping):  # that of nodeAffinity
        terms = value.get("nodeSelectorTerms")
        return isinstance(terms, list) and all(isinstance(term, Mapping) for term in terms)
    key = MERGE_KEYS.get(name)
    return isinstance(value, list) and all(
        isinstance(item, Mapping) and (key is None or isinstance(item.get(key), str | int))
        for item in value
    )


def _spec_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from _fixed_problems(spec, _FIXED_IN_POD, "spec")
    if spec.get("containers", ()) is None:
        yield "spec.containers: a pod needs its runner"
    if any(volume["name"] == _OWN_VOLUME for volume in _items(spec, "volumes")):
        yield f"spec.volumes.{_OWN_VOLUME}: it is the volume of the load profile"
    if spec.get("volumes", ()) is None:
        yield "spec.volumes: a pod needs the volume of its load profile"
    for container in _items(spec, "containers"):
        if container["name"] != CONTAINER and not container.get("image"):
            yield (
                f"spec.containers.{printable(str(container['name']), 63)}: it has no image; the "
                f"runner's container has the name {CONTAINER}"
            )
    runner, path = runner_of(spec), f"spec.containers.{CONTAINER}"
    yield from _fixed_problems(runner, _FIXED_IN_RUNNER, path)
    for variable in _items(runner, "env"):
        if str(variable["name"]).startswith(_OWN_ENV):
            yield f"{path}.env.{printable(variable['name'], 100)}: mrunners sets it itself"
    for mount in _items(runner, "volumeMounts"):
        place = str(mount["mountPath"]).rstrip("/")
        if place in _OWN_MOUNTS or place.startswith("/config/"):
            yield f"{path}.volumeMounts: mrunners mounts {printable(place, 100)} itself"
    for name in ("env", "volumeMounts"):
        if name in runner and runner[name] is None:
            yield f"{path}.{name}: the runner needs its own"


def _fixed_problems(
    part: Mapping[str, Any], fixed: tuple[tuple[str, object, str], ...], path: str
) -> Iterator[str]:
    for name, only, reason in fixed:
        if name in part and (only is None or part[name] != only):
            must = "" if only is None else f"must be {str(only).lower() if only is False else only}"
            yield f"{path}.{name}: {must or 'cannot be set here'}, because {reason}"


def runner_of(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a pod's spec says about the runner's container; empty when it says nothing."""
    found = (item for item in _items(spec, "containers") if item["name"] == CONTAINER)
    return next(found, {})


def _items(part: Mapping[str, Any], name: str) -> list[Any]:
    return part.get(name) or []
