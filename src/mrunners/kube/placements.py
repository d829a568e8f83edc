"""Frozen record of where the scheduler placed a pod, which its event tells also after the pod."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["PLACEMENT_EVENTS", "Placement"]

# Field selector of the scheduler's events about pods that it has bound to a node.
PLACEMENT_EVENTS = "involvedObject.kind=Pod,reason=Scheduled"

# kube-scheduler, pkg/scheduler/schedule_one.go: `Successfully assigned NAMESPACE/POD to NODE`.
_MESSAGE = re.compile(r"Successfully assigned \S+ to (\S+)")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the scheduler placed a pod.

    Attributes:
        pod: The pod's name.
        node: The node; None when the event does not say it as kube-scheduler does.
        at: When the event was created, by the API server's clock.
    """

    pod: str
    node: str | None
    at: datetime

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Placement:
        """Return the placement that a core/v1 Event describes."""
        match = _MESSAGE.fullmatch(raw.get("message") or "")
        return cls(
            pod=(raw.get("involvedObject") or {}).get("name") or "",
            node=None if match is None else match[1],
            at=datetime.fromisoformat(raw["metadata"]["creationTimestamp"]),
        )
