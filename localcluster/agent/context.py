"""What all pods of an agent share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from localcluster.agent.api import ApiClient
from localcluster.agent.events import EventRecorder
from localcluster.agent.images import ImageTable

__all__ = ["CAPACITY", "AgentContext"]

# The same for every node, whatever this machine has. It only limits how many pods the scheduler
# places, and the demo must fit on a laptop with two cores.
CAPACITY: Mapping[str, str] = MappingProxyType(
    {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
)


@dataclass
class AgentContext:
    """Shared by the pods of a node. `images` and `log_limit_bytes` change with the configuration.

    Attributes:
        api: The client of the apiserver.
        events: The recorder of events.
        images: The known images, by name.
        pods: The folder with one folder per pod.
        log_limit_bytes: The size at which a container's log is rotated.
    """

    api: ApiClient
    events: EventRecorder
    images: ImageTable
    pods: Path
    log_limit_bytes: int

    @property
    def apiserver(self) -> tuple[str, str]:
        """The apiserver's host and port, as pods get them in their environment."""
        parts = urlsplit(self.api.server)
        return parts.hostname or "", str(parts.port)
