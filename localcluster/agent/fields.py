"""Fields of a pod and resources of a container, for variables and files; no lookups elsewhere."""

import math
import re
from collections.abc import Mapping
from typing import Any

from localcluster.agent.problems import ConfigError

__all__ = ["field_value", "resource_value"]

_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_UNITS = {
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def field_value(pod: Mapping[str, Any], path: str, addresses: Mapping[str, str]) -> str:
    """What a fieldRef means.

    Args:
        pod: the pod.
        path: such as metadata.name or metadata.labels['x'].
        addresses: of the status, which the agent itself is about to write.
    Returns: the empty string for a label that is not there, as the kubelet does.
    Raises: ConfigError: no such field.
    """
    metadata = pod["metadata"]
    if found := _KEYED.fullmatch(path):
        return str((metadata.get(found[1]) or {}).get(found[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        pairs = metadata.get(path.partition(".")[2]) or {}
        # The form of a downward API file: one key="value" a line, quoted as in Go.
        return "\n".join(f'{key}="{pairs[key]}"' for key in sorted(pairs))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.podIP": addresses["podIP"],
        "status.podIPs": addresses["podIP"],
        "status.hostIP": addresses["hostIP"],
        "status.hostIPs": addresses["hostIP"],
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])


def _amount(quantity: str) -> float:
    found = _QUANTITY.fullmatch(quantity)
    if not found or found[2] not in _UNITS:
        raise ConfigError(f"unsupported quantity: {quantity}")
    return float(found[1]) * _UNITS[found[2]]


def resource_value(
    container: Mapping[str, Any], resource: str, divisor: str, capacity: Mapping[str, str]
) -> str:
    """What a resourceFieldRef means: rounded up, a missing limit being the host's capacity.

    Args:
        container: as in the pod's spec.
        resource: such as limits.cpu.
        divisor: a quantity, 0 meaning 1.
        capacity: of the host.
    Raises: ConfigError: no such resource.
    """
    side, _, name = resource.partition(".")
    listed = ((container.get("resources") or {}).get(side) or {}).get(name)
    if listed is None:
        listed = "0" if side == "requests" else capacity.get(name, "0")
    unit = _amount(divisor or "1") or 1.0
    return str(math.ceil(_amount(str(listed)) / unit))
