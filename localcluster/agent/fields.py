"""The values of fieldRef and resourceFieldRef, for environment variables and volumes."""

import math
import re
from collections.abc import Mapping
from typing import Any

from localcluster.agent.container_errors import ConfigError

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
    """Return the value of a fieldRef.

    Args:
        pod: The pod.
        path: A field path such as metadata.name or metadata.labels['x'].
        addresses: The podIP and hostIP, which the status may not have yet.

    Returns:
        The empty string for an absent label, as the kubelet does.

    Raises:
        ConfigError: There is no such field.
    """
    metadata = pod["metadata"]
    if match := _KEYED.fullmatch(path):
        return str((metadata.get(match[1]) or {}).get(match[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        pairs = metadata.get(path.partition(".")[2]) or {}
        # The format of a downward API file: one key="value" per line, quoted as in Go.
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
    match = _QUANTITY.fullmatch(quantity)
    if not match or match[2] not in _UNITS:
        raise ConfigError(f"unsupported quantity: {quantity}")
    return float(match[1]) * _UNITS[match[2]]


def resource_value(
    container: Mapping[str, Any], resource: str, divisor: str, capacity: Mapping[str, str]
) -> str:
    """Return the value of a resourceFieldRef, rounded up; an absent limit is the node's capacity.

    Args:
        container: The container as in the pod's spec.
        resource: A resource such as limits.cpu.
        divisor: A quantity; 0 means 1.
        capacity: The capacity of the node.

    Raises:
        ConfigError: A quantity has an unknown unit.
    """
    kind, _, name = resource.partition(".")
    quantity = ((container.get("resources") or {}).get(kind) or {}).get(name)
    if quantity is None:
        quantity = "0" if kind == "requests" else capacity.get(name, "0")
    unit = _amount(divisor or "1") or 1.0
    return str(math.ceil(_amount(str(quantity)) / unit))
