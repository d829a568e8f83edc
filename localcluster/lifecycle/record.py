"""What `up` has started and written, in one file. Processes in it may have ended: check /proc."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localcluster.paths import ClusterFolder
from localcluster.processes.identity import Identity

__all__ = ["Record", "identity_from", "load_record", "save_record", "write_atomically"]


@dataclass(frozen=True)
class Record:
    """The state of a cluster between two commands."""

    # Whether an `up` has succeeded. If not, the cluster is incomplete.
    complete: bool = False
    # The agent of each process host, by the name of its node.
    agents: dict[str, Identity] = field(default_factory=dict)
    # A digest of the agents' sources, so that a newer checkout restarts them.
    agent_sources: str = ""
    components: dict[str, Identity] = field(default_factory=dict)
    # Files outside the folder that `down` deletes.
    kubeconfigs: tuple[str, ...] = ()
    bin_folder: str = ""


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that neither a reader nor a crash ever sees a part of it."""
    temp_file = path.with_name(f".{path.name}-{os.getpid()}")
    handle = os.open(temp_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    temp_file.replace(path)


def identity_from(raw: dict[str, Any] | None) -> Identity | None:
    """Return an identity that was written as JSON.

    Args:
        raw: Its fields, or None.
    """
    return None if raw is None else Identity(raw["pid"], raw["started_ticks"], raw["boot"])


def _identities(raw: dict[str, dict[str, Any]]) -> dict[str, Identity]:
    identities = {name: identity_from(entry) for name, entry in raw.items()}
    return {name: identity for name, identity in identities.items() if identity}


def load_record(folder: ClusterFolder) -> Record:
    """Return the record of a cluster; an empty one when there is no readable record."""
    try:
        raw = json.loads(folder.record.read_text())
        return Record(
            complete=raw["complete"],
            agents=_identities(raw["agents"]),
            agent_sources=raw["agent_sources"],
            components=_identities(raw["components"]),
            kubeconfigs=tuple(raw["kubeconfigs"]),
            bin_folder=raw["bin_folder"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def save_record(folder: ClusterFolder, record: Record) -> None:
    """Write the record of a cluster."""
    write_atomically(folder.record, json.dumps(asdict(record), indent=1))
