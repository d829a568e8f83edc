"""What runs in and around the namespaces of a cluster, in one file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from localcluster.lifecycle.record import identity_from, write_atomically
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import Identity, is_alive

__all__ = ["KubeletRecord", "load_kubelets", "save_kubelets"]


@dataclass(frozen=True)
class KubeletRecord:
    """The state of a cluster's kubelet hosts between two commands.

    Attributes:
        hosts: How many there are.
        holder: The process that keeps the namespaces.
        registry_port: Where the registry listens.
        daemons: By name, such as `registry`, `relay`, `kubelet-1` and `containerd-1`.
    """

    hosts: int
    holder: Identity
    registry_port: int
    daemons: dict[str, Identity] = field(default_factory=dict)

    def runs(self, daemon: str) -> bool:
        """Return whether a daemon that was started still runs."""
        return daemon in self.daemons and is_alive(self.daemons[daemon])


def _file(folder: ClusterFolder) -> Path:
    return folder.kubelets / "record.json"


def load_kubelets(folder: ClusterFolder) -> KubeletRecord | None:
    """Return the record of a cluster's kubelet hosts, if it has any."""
    try:
        raw = json.loads(_file(folder).read_text())
        holder = identity_from(raw["holder"])
        found = {name: identity_from(entry) for name, entry in raw["daemons"].items()}
        if holder is None:
            return None
        daemons = {name: identity for name, identity in found.items() if identity}
        return KubeletRecord(raw["hosts"], holder, raw["registry_port"], daemons)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save_kubelets(folder: ClusterFolder, record: KubeletRecord) -> None:
    """Write the record of a cluster's kubelet hosts."""
    folder.kubelets.mkdir(parents=True, exist_ok=True)
    write_atomically(_file(folder), json.dumps(asdict(record), indent=1))
