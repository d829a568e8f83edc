"""What `up` started and wrote, kept in one file; it must not be believed without /proc."""

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

    # Set when `up` has reached its end once; without it the cluster is a half-made one.
    complete: bool = False
    agent: Identity | None = None
    # Of the agent's sources, so that a newer checkout restarts it.
    agent_sources: str = ""
    components: dict[str, Identity] = field(default_factory=dict)
    # Files outside the folder that `down` has to remove.
    kubeconfigs: tuple[str, ...] = ()
    programs: str = ""


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader, or a crash, never sees half of it.

    Args:
        path: the file.
        text: its content.
        mode: its permissions.
    """
    scratch = path.with_name(f".{path.name}-{os.getpid()}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    scratch.replace(path)


def identity_from(raw: dict[str, Any] | None) -> Identity | None:
    """An identity as it was written to JSON.

    Args:
        raw: its fields, or None.
    """
    return None if raw is None else Identity(raw["pid"], raw["started_ticks"], raw["boot"])


def load_record(folder: ClusterFolder) -> Record:
    """The record, or an empty one when nothing (readable) was recorded.

    Args:
        folder: of the cluster.
    """
    try:
        raw = json.loads(folder.record.read_text())
        components = {name: identity_from(one) for name, one in raw["components"].items()}
        return Record(
            complete=raw["complete"],
            agent=identity_from(raw["agent"]),
            agent_sources=raw["agent_sources"],
            components={name: one for name, one in components.items() if one},
            kubeconfigs=tuple(raw["kubeconfigs"]),
            programs=raw["programs"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def save_record(folder: ClusterFolder, record: Record) -> None:
    """Write the record.

    Args:
        folder: of the cluster.
        record: all of it.
    """
    write_atomically(folder.record, json.dumps(asdict(record), indent=1))
