"""Sets of objectives that a name stands for, such as the official ones of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mrunners.reports.api_request import ApiRequest, Scope, parse_api_request

__all__ = ["MAX_CHARACTERS", "PRESETS", "preset_objectives"]

# Of an objective; a tracker can have any text.
MAX_CHARACTERS: Final = 1_000

KUBERNETES: Final = "kubernetes"
PRESETS: Final = (KUBERNETES,)

# https://github.com/kubernetes/community/blob/master/sig-scalability/slos/api_call_latency.md
_OF_ONE_OBJECT: Final = "p99 <= 1s"
_OF_MANY_OBJECTS: Final = "p99 <= 30s"

# The SLOs leave out custom, aggregated and virtual resources: https://kubernetes.io/docs/reference/
# kubernetes-api/ lists the others. Virtual ones are answered without a store.
_BUILT_IN_GROUPS: Final = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
_VIRTUAL: Final = frozenset({"componentstatuses"})


def preset_objectives(preset: str, requests: Iterable[str]) -> list[str]:
    """Return the objectives of a preset for the requests of a report, sorted.

    Args:
        preset: One of `PRESETS`.
        requests: As the report names them.
    """
    assert preset == KUBERNETES
    found = (parse_api_request(request) for request in requests)
    return sorted({_of_kubernetes(request) for request in found if request and _official(request)})


def _official(request: ApiRequest) -> bool:
    """Whether an SLO of Kubernetes is about a request: changes of one object, and reads."""
    built_in = request.group in _BUILT_IN_GROUPS and request.resource not in _VIRTUAL
    of_many = request.changes and request.scope is not Scope.RESOURCE
    return built_in and not request.streams and not of_many


def _of_kubernetes(request: ApiRequest) -> str:
    one = request.scope is Scope.RESOURCE
    return f"{request.scoped}: {_OF_ONE_OBJECT if one else _OF_MANY_OBJECTS}"
