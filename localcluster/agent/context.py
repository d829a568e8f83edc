"""What every pod of this agent stands on; it must not hold a pod's own state."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from localcluster.agent.api import Api
from localcluster.agent.events import EventTeller
from localcluster.agent.images import ImageTable

__all__ = ["CAPACITY", "Ground"]

# A host of its own for the scheduler, whatever this machine is: what it says decides only how
# many pods fit, and the demo must fit on a laptop with two cores.
CAPACITY: Mapping[str, str] = MappingProxyType(
    {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
)


@dataclass
class Ground:
    """Shared by all hosts; images and the log limit change with new orders."""

    api: Api
    events: EventTeller
    images: ImageTable
    pods: Path
    log_limit_bytes: int

    @property
    def apiserver(self) -> tuple[str, str]:
        """Host and port, as pods are told them."""
        parts = urlsplit(self.api.server)
        return parts.hostname or "", str(parts.port)
