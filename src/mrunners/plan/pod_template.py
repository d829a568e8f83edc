"""Pod templates: reads a user's file, and refuses what would break a run.

What else the file contains is judged by the API server, before anything is created. The file may be
any that the machine of the flow can read: problems name known fields and positions alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from mrunners.errors import InvalidInputError
from mrunners.names import label_key_problem, label_value_problem
from mrunners.plan.metadata import CONTAINER, LABEL_COMPONENT, LABEL_MANAGED_BY, LABEL_NAME
from mrunners.plan.pod_merge import (
    APPENDED,
    MERGE_KEYS,
    NODE_AFFINITY,
    REQUIRED,
    TERM_LISTS,
    item_key,
)
from mrunners.profiles.yaml_strict import load_documents
from mrunners.text import kind_of

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
# The report is written to it: what two pods share would hold the report of either.
_REPORT_VOLUME: Final = "tmp"
_OF_ONE_POD: Final = frozenset({"name", "emptyDir", "ephemeral"})
_OWN_MOUNTS: Final = ("/config", "/tmp")
# The last is the Job controller's, unless a container has it already.
_OWN_ENV: Final = ("MRUNNERS_", "JOB_COMPLETION_INDEX")

# What a merge relies on, by path: lists of mappings, and mappings. Those in between are mappings.
_NODE_TERMS: Final = f"{NODE_AFFINITY}.{REQUIRED}.nodeSelectorTerms"
_LISTS: Final = frozenset(
    {*APPENDED, *MERGE_KEYS, _NODE_TERMS, *(f"{_NODE_TERMS}.*.{name}" for name in TERM_LISTS)}
)
_MAPPINGS: Final = frozenset(
    {
        "spec.nodeSelector",
        "spec.securityContext",
        *(
            f"spec.{containers}.*.{name}"
            for containers in ("containers", "initContainers")
            for name in ("securityContext", "resources.limits", "resources.requests")
        ),
    }
)


def _with_parents(path: str) -> Iterator[str]:
    names = path.split(".")
    return (".".join(names[:count]) for count in range(1, len(names) + 1))


_KNOWN: Final = frozenset(
    known
    for path in (*_MAPPINGS, *(f"{path}.*" for path in _LISTS))
    for known in _with_parents(path)
)

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
        if (values := (template["metadata"] or {}).get(name))
    }
    parts = (("metadata", metadata), ("spec", template["spec"]))
    return {name: part for name, part in parts if part}


def _unwrapped(document: object) -> PodTemplate:
    """Return the metadata and spec of a document.

    Raises:
        InvalidInputError: It is the document of something else.
    """
    if not isinstance(document, dict):
        raise InvalidInputError(f"the pod template must be a mapping, got {kind_of(document)}")
    if document.get("kind") not in (None, "Pod", "PodTemplate"):
        raise InvalidInputError(
            "the pod template has another kind; give a Pod, a PodTemplate, or the metadata and "
            "spec of a pod"
        )
    if document.get("kind") == "PodTemplate":
        document = document.get("template")
        if not isinstance(document, dict):
            raise InvalidInputError("the pod template: a PodTemplate must have 'template'")
    # `kubectl run --dry-run=client --output=yaml` prints an empty status.
    known = {"apiVersion", "kind", "metadata", "spec", "status"}
    for number, name in enumerate(document, start=1):
        if name not in known:
            raise InvalidInputError(
                f"the pod template: key {number} is unknown; a pod has 'metadata' and 'spec'"
            )
    return {"metadata": document.get("metadata"), "spec": document.get("spec")}


def template_problems(template: Mapping[str, Any]) -> list[str]:
    """Return why a template cannot be merged onto a runner's pod, one line per problem."""
    metadata, spec = template.get("metadata"), template.get("spec")
    problems = []
    if metadata is not None and not isinstance(metadata, Mapping):
        problems.append(f"metadata must be a mapping, got {kind_of(metadata)}")
    else:
        problems += _metadata_problems(metadata or {})
    problems += _shape_problems(spec, "spec", "spec")
    # The next look into lists whose shape must be right.
    return problems or [*_spec_problems(spec or {})]


def own_key_problem(key: str) -> str | None:
    """Return why a label or annotation cannot be set by a user; None when it can."""
    if key in _OWN_LABELS or key.startswith("mrunners.dev/"):
        return f"mrunners sets {key} itself"
    if key in _JOB_LABELS or key.startswith(_OWN_PREFIXES):
        return f"the Job controller sets {key} itself"
    return None


def _metadata_problems(metadata: Mapping[str, Any]) -> Iterator[str]:
    for number, (name, value) in enumerate(metadata.items(), start=1):
        # A Job names its pods; kubectl prints a creationTimestamp of null.
        if name in {"name", "creationTimestamp"}:
            continue
        if name == "namespace":
            yield "metadata.namespace: the namespace is an option of its own"
        elif name not in {"labels", "annotations"}:
            yield f"metadata: key {number}: only labels and annotations are merged"
        elif value is not None and not isinstance(value, Mapping):
            yield f"metadata.{name} must be a mapping, got {kind_of(value)}"
        else:
            for count, (key, text) in enumerate((value or {}).items(), start=1):
                if (problem := _pair_problem(name, key, text)) is not None:
                    yield f"metadata.{name}: number {count}: {problem}"


def _pair_problem(name: str, key: str, text: object) -> str | None:
    if (problem := own_key_problem(key)) is not None:
        return problem
    if label_key_problem(key) is not None:
        return "its key is not that of a label or annotation, such as example.com/team"
    if not isinstance(text, str):
        return f"its value must be a text, got {kind_of(text)}; put it in quotes"
    if name == "labels" and label_value_problem(text) is not None:
        return "its value is not that of a label"
    return None


def _shape_problems(part: object, path: str, shown: str) -> Iterator[str]:
    """Yield where a part of a pod is not what the merge takes it for.

    Args:
        part: Of the template.
        path: As in `MERGE_KEYS`.
        shown: The same with the positions of items.
    """
    if part is None or path not in _KNOWN:
        return
    if path in _LISTS:
        yield from _list_problems(part, path, shown)
    elif not isinstance(part, Mapping):
        yield f"{shown} must be a mapping, got {kind_of(part)}"
    else:
        if any(str(name).startswith("$") for name in part):
            yield f"{shown}: directives are not supported; null removes a default"
        if f"{path}.nodeSelectorTerms" == _NODE_TERMS and part.get("nodeSelectorTerms") is None:
            yield f"{shown} must have a list of nodeSelectorTerms"
        for name, below in part.items():
            yield from _shape_problems(below, f"{path}.{name}", f"{shown}.{name}")


def _list_problems(part: object, path: str, shown: str) -> Iterator[str]:
    keys = MERGE_KEYS.get(path, ())
    if not isinstance(part, list) or not all(
        isinstance(item, Mapping) and all(_is_key(item, name) for name in keys) for item in part
    ):
        with_keys = f" with {' and '.join(map(repr, keys))}" if keys else ""
        yield f"{shown} must be a list of mappings{with_keys}"
        return
    if keys and len({item_key(path, item) for item in part}) < len(part):
        yield f"{shown}: two items have the same {' and '.join(keys)}"
    for position, item in enumerate(part):
        yield from _shape_problems(item, f"{path}.*", f"{shown}[{position}]")


def _is_key(item: Mapping[str, Any], name: str) -> bool:
    value = item.get(name)
    if name == "containerPort":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) or (name == "protocol" and value is None)


def _spec_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from _fixed_problems(spec, _FIXED_IN_POD, "spec")
    if spec.get("containers", ()) is None:
        yield "spec.containers: a pod needs its runner"
    for volume in _items(spec, "volumes"):
        if volume["name"] == _OWN_VOLUME:
            yield f"spec.volumes.{_OWN_VOLUME}: it is the volume of the load profile"
        sources = {name for name, source in volume.items() if source is not None}
        if volume["name"] == _REPORT_VOLUME and not sources <= _OF_ONE_POD:
            yield (
                f"spec.volumes.{_REPORT_VOLUME}: it must be an emptyDir or ephemeral, because "
                "pods that share it would overwrite each other's reports"
            )
    if spec.get("volumes", ()) is None:
        yield "spec.volumes: a pod needs the volume of its load profile"
    for position, container in enumerate(_items(spec, "containers")):
        if container["name"] != CONTAINER and not container.get("image"):
            yield (
                f"spec.containers[{position}]: it has no image; the runner's container has the "
                f"name {CONTAINER}"
            )
    runner, path = runner_of(spec), f"spec.containers.{CONTAINER}"
    yield from _fixed_problems(runner, _FIXED_IN_RUNNER, path)
    for position, variable in enumerate(_items(runner, "env")):
        if variable["name"].startswith(_OWN_ENV):
            own = next(own for own in _OWN_ENV if variable["name"].startswith(own))
            yield f"{path}.env[{position}]: what begins with {own} is set for the runner"
    for position, mount in enumerate(_items(runner, "volumeMounts")):
        place = "/" + posixpath.normpath(mount["mountPath"]).strip("/")
        for own in _OWN_MOUNTS:
            if place == own or place.startswith(f"{own}/"):
                yield f"{path}.volumeMounts[{position}]: mrunners mounts {own} itself"
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
