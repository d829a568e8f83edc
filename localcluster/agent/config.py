"""The configuration of the agents, as `up` wrote it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["DEFAULT_LOG_LIMIT_BYTES", "AgentConfig", "dump_config", "load_config"]

# The kubelet's containerLogMaxSize.
DEFAULT_LOG_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class AgentConfig:
    """Everything that the agent of any host needs to know.

    Attributes:
        cluster: The name of the cluster.
        server: The URL of the apiserver.
        ca_certificate: A file, like the next two.
        client_certificate: The administrator's certificate.
        client_key: The administrator's key.
        bin_folder: The built binaries.
        log_limit_bytes: The size at which a container's log is rotated. This and the images may
            change while an agent runs.
        images: Further images, each as NAME=PATH:FILE.
    """

    cluster: str
    server: str
    ca_certificate: str
    client_certificate: str
    client_key: str
    bin_folder: str
    log_limit_bytes: int = DEFAULT_LOG_LIMIT_BYTES
    images: tuple[str, ...] = ()


def dump_config(config: AgentConfig) -> str:
    """Return the configuration as JSON."""
    return json.dumps(asdict(config), indent=1)


def load_config(path: Path) -> AgentConfig:
    """Read a configuration that `dump_config` wrote."""
    raw = json.loads(path.read_text())
    return AgentConfig(**(raw | {"images": tuple(raw["images"])}))
