"""What fits a run's pods to a cluster: checked as texts, stored in the plan, applied to Jobs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, Self

from pydantic import JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from mrunners.durations import parse_duration
from mrunners.names import dns_subdomain_problem, label_key_problem, label_value_problem
from mrunners.plan.metadata import CONTAINER
from mrunners.plan.pod_option_rows import CPU_PATTERN, MAX_UID, PLATFORM, POD_ROWS
from mrunners.plan.pod_template import (
    PodTemplate,
    own_key_problem,
    runner_of,
    template_problems,
)
from mrunners.profiles.images import split_image
from mrunners.quantities import parse_bytes
from mrunners.records import Record
from mrunners.text import printable, quoted

__all__ = [
    "PodSettings",
    "pod_option_problems",
    "pod_settings",
    "pod_warnings",
]

# kperf's releases are built with a plain `docker build` on amd64, and no other architecture is
# published. Of other images only that they are Linux's is known: the Job runs a POSIX shell.
_KPERF_IMAGE: Final = "ghcr.io/azure/kperf"
_OS: Final = "kubernetes.io/os"
_ARCH: Final = "kubernetes.io/arch"

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_CPU: Final = re.compile(CPU_PATTERN)
_UID: Final = re.compile("[1-9][0-9]{0,9}")


class PodSettings(Record):
    """How a run's pods fit its cluster, beside what every runner's pod has.

    The texts are as a user gives them. An empty one changes nothing: the Jobs of a plan without
    settings, as earlier releases wrote it, stay what they were.

    Attributes:
        template: A pod's `metadata` and `spec`, which are merged onto the runner's pod.
        platform: Labels that nodes must have for the image to run there; what a user says about
            the same labels counts instead.
    """

    node_selector: tuple[str, ...] = ()
    toleration: tuple[str, ...] = ()
    unreachable_timeout: str = ""
    cpu: str = ""
    cpu_limit: str = ""
    memory: str = ""
    memory_limit: str = ""
    image_pull_secret: tuple[str, ...] = ()
    image_pull_policy: str = ""
    label: tuple[str, ...] = ()
    annotation: tuple[str, ...] = ()
    priority_class: str = ""
    run_as_user: str = ""
    template: dict[str, JsonValue] | None = None
    platform: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _require_validity(self) -> Self:
        """Refuse what no planner writes: everyone who may write ConfigMaps can edit a tracker."""
        problems = [f"{name}: {problem}" for name, problem in pod_option_problems(self)]
        problems += template_problems(self.template or {})
        if problems:
            raise ValueError(problems[0])
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out of the stored plan what nobody has set."""
        return {name: value for name, value in serialize(self).items() if value}

    @property
    def unreachable_seconds(self) -> int | None:
        """How long a pod stays on a node that does not answer; None leaves it to the cluster."""
        if not self.unreachable_timeout:
            return None
        return math.ceil(parse_duration(self.unreachable_timeout))

    @property
    def tolerates(self) -> bool:
        """Whether the pods may be on tainted nodes."""
        spec: Any = (self.template or {}).get("spec") or {}
        return bool(self.toleration or spec.get("tolerations"))

    def differences(self, requested: PodSettings) -> list[str]:
        """Return how the settings of an existing run differ, one line per difference.

        The platform is not compared: it follows from the image, and earlier releases did not store
        it.
        """
        lines = []
        for name in PodSettings.model_fields:
            old, new = getattr(self, name), getattr(requested, name)
            if old == new or name == "platform":
                continue
            if name == "template":
                lines.append("pod_template: differs from that of the existing run")
            else:
                lines.append(f"{name}: {_shown(old)} in the existing run, {_shown(new)} requested")
        return lines

    def described(self) -> Iterator[str]:
        """Yield each setting of a user, such as `cpu-limit 2`, in the order of the options."""
        for row in POD_ROWS:
            value = getattr(self, row.name, None)
            for text in (value,) if isinstance(value, str) else (value or ()):
                if text:
                    yield f"{row.name.replace('_', '-')} {printable(text, 120)}"
        if self.template:
            yield "pod-template"


def _shown(value: str | tuple[str, ...]) -> str:
    texts = (value,) if isinstance(value, str) else value
    return ", ".join(text for text in texts if text) or "none"


def pod_settings(options: object, image: str, template: PodTemplate | None) -> PodSettings:
    """Return the settings of a run.

    Args:
        options: A record with the fields of the options, without `pod_option_problems`.
        image: The runner image.
        template: What `read_pod_template` has returned; None without one.
    """
    texts = {row.name: getattr(options, row.name) for row in POD_ROWS if row.name != "pod_template"}
    platform = [(_OS, "linux")]
    if split_image(image)[0] == _KPERF_IMAGE:
        platform.append((_ARCH, "amd64"))
    return PodSettings(**texts, template=template or None, platform=tuple(platform))


def pod_option_problems(options: object) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the options that fit pods to a cluster.

    Args:
        options: A record with the fields of the options.

    Yields:
        The field's name, and the end of a sentence that begins with the option.
    """
    for name, check in _CHECKS.items():
        value = getattr(options, name)
        for text in (value,) if isinstance(value, str) else value:
            if (text or not isinstance(value, str)) and (problem := check(text)) is not None:
                yield name, problem
                break
    for name in ("node_selector", "label", "annotation"):
        keys = [text.partition("=")[0] for text in getattr(options, name)]
        if twice := [key for key in keys if keys.count(key) > 1]:
            yield name, f"{printable(twice[0], 100)} is given {keys.count(twice[0])} times"
    yield from _limit_problems(options)


def _limit_problems(options: object) -> Iterator[tuple[str, str]]:
    sizes: tuple[tuple[str, Callable[[str], Fraction | int]], ...] = (
        ("cpu", _cores),
        ("memory", parse_bytes),
    )
    for name, size in sizes:
        request, limit = getattr(options, name), getattr(options, f"{name}_limit")
        try:
            too_small = bool(request and limit) and size(limit) < size(request)
        except ValueError:
            continue  # it is reported by itself
        if too_small:
            yield f"{name}_limit", f"must not be less than the request of {request}, got {limit}"


def pod_warnings(settings: PodSettings) -> Iterator[str]:
    """Yield what a user should know about the settings before the run starts."""
    spec: Any = (settings.template or {}).get("spec") or {}
    limits = (runner_of(spec).get("resources") or {}).get("limits") or {}
    if limit := settings.cpu_limit or limits.get("cpu"):
        yield (
            f"each runner has a CPU limit of {limit}: a runner at its limit is throttled, and the "
            "latencies that it measures are then not the server's"
        )
    for container in spec.get("containers") or ():
        if container["name"] != CONTAINER:
            yield (
                f"the pods run until container {printable(container['name'], 63)} of the pod "
                "template has ended too; one that never ends belongs under initContainers, with "
                "restartPolicy: Always"
            )
    if seconds := spec.get("activeDeadlineSeconds"):
        yield (
            f"activeDeadlineSeconds {seconds} of the pod template: pods that run longer are killed "
            "and their reports are lost"
        )
    if spec.get("automountServiceAccountToken") is False:
        yield (
            "automountServiceAccountToken false of the pod template: the runners have no token for "
            "the API server, unless the template mounts one"
        )


def _pair_problem(text: str, *more: Callable[[str, str], str | None]) -> str | None:
    key, equals, value = text.partition("=")
    if not equals:
        return f"must have the form key=value, got {quoted(text)}"
    problems = (check(key, value) for check in (_key_problem, *more))
    return next((problem for problem in problems if problem is not None), None)


def _key_problem(key: str, _: str) -> str | None:
    return label_key_problem(key)


def _value_problem(_: str, value: str) -> str | None:
    return label_value_problem(value)


def _own_problem(key: str, _: str) -> str | None:
    return own_key_problem(key)


def _toleration_problem(text: str) -> str | None:
    pair, colon, effect = text.partition(":")
    key, _, value = pair.partition("=")
    if (problem := label_key_problem(key) or label_value_problem(value)) is not None:
        return problem
    if colon and effect not in _EFFECTS:
        return (
            f"the effect must be {', '.join(_EFFECTS[:-1])} or {_EFFECTS[-1]}, got {quoted(effect)}"
        )
    return None


def _cores(text: str) -> Fraction:
    if _CPU.fullmatch(text) is None:
        raise ValueError(f"not a number of CPUs: {quoted(text)}; write it like 200m, 0.5 or 2")
    thousandths = text.endswith("m")
    cores = Fraction(text.removesuffix("m")) / (1000 if thousandths else 1)
    if cores == 0:
        raise ValueError(f"must be more than 0, got {quoted(text)}")
    return cores


def _parse_problem(parse: Callable[[str], object]) -> Callable[[str], str | None]:
    def problem(text: str) -> str | None:
        try:
            parse(text)
        except ValueError as error:
            return str(error)
        return None

    return problem


def _policy_problem(text: str) -> str | None:
    if text in _PULL_POLICIES:
        return None
    return f"must be {', '.join(_PULL_POLICIES[:-1])} or {_PULL_POLICIES[-1]}, got {quoted(text)}"


def _user_problem(text: str) -> str | None:
    if text == PLATFORM or (_UID.fullmatch(text) and int(text) <= MAX_UID):
        return None
    return f"must be a user ID from 1 to {MAX_UID} or {PLATFORM}, got {quoted(text)}"


_CHECKS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "node_selector": lambda text: _pair_problem(text, _value_problem),
    "toleration": _toleration_problem,
    "unreachable_timeout": _parse_problem(parse_duration),
    "cpu": _parse_problem(_cores),
    "cpu_limit": _parse_problem(_cores),
    "memory": _parse_problem(parse_bytes),
    "memory_limit": _parse_problem(parse_bytes),
    "image_pull_secret": dns_subdomain_problem,
    "image_pull_policy": _policy_problem,
    "label": lambda text: _pair_problem(text, _value_problem, _own_problem),
    "annotation": lambda text: _pair_problem(text, _own_problem),
    "priority_class": dns_subdomain_problem,
    "run_as_user": _user_problem,
}
