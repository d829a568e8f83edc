"""The control groups of kubelet hosts: one folder per cluster, in every hierarchy.

Version 1 has a hierarchy per controller, version 2 one for all.
"""

import hashlib
import os
import signal
import time
from pathlib import Path

from localcluster.errors import PlaneError
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import identity_of
from localcluster.processes.signals import end_processes

__all__ = [
    "control_group",
    "create_control_group",
    "delete_control_groups",
    "try_control_group",
]

_ROOT = Path("/sys/fs/cgroup")


def control_group(folder: ClusterFolder, host: str = "") -> str:
    """Return the path of a cluster's or a host's control group within each hierarchy.

    Args:
        folder: The cluster's folder; there may be a cluster of the same name in another one.
        host: The name of the host; without it, the group that has all of the cluster.
    """
    digest = hashlib.sha256(str(folder.path.resolve()).encode()).hexdigest()[:8]
    return f"/localcluster-{folder.name}-{digest}/{host}".removesuffix("/")


def create_control_group(folder: ClusterFolder, host: str) -> None:
    """Create the group that a kubelet has as its root; a kubelet does not create it.

    Args:
        folder: The cluster's folder.
        host: The name of the host.

    Raises:
        PlaneError: The kernel refuses it.
    """
    try:
        _create(control_group(folder, host))
    except OSError as error:
        raise PlaneError(f"no control group can be created for {host}: {error}") from error


def try_control_group() -> None:
    """Create a group in each hierarchy, and delete it again.

    Raises:
        OSError: The kernel refuses it.
    """
    name = f"localcluster-{os.getpid()}"
    try:
        _create(name)
    finally:
        for hierarchy in _hierarchies():
            if (group := hierarchy / name).exists():
                group.rmdir()


def _create(path: str) -> None:
    for hierarchy in _hierarchies():
        parent = hierarchy
        for name in path.strip("/").split("/"):
            _pass_controllers_on(parent)
            group = parent / name
            group.mkdir(exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems"):
                # Version 1 lets no process into a cpuset that has neither.
                if hierarchy != _ROOT and (parent / file).exists():
                    (group / file).write_text((parent / file).read_text())
            parent = group
        _pass_controllers_on(parent)


def delete_control_groups(folder: ClusterFolder) -> None:
    """End what runs in the groups of a cluster, and delete them.

    Args:
        folder: The cluster's folder.
    """
    for hierarchy in _hierarchies():
        top = hierarchy / control_group(folder).strip("/")
        while processes := _members(top):
            found = (identity_of(pid) for pid in processes)
            end_processes([one for one in found if one is not None], signal.SIGKILL, 0.0)
            time.sleep(0.02)
        for group in sorted(top.rglob("*/"), reverse=True):
            group.rmdir()
        if top.exists():
            top.rmdir()


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [path for path in sorted(_ROOT.iterdir()) if (path / "cgroup.procs").exists()]


def _pass_controllers_on(group: Path) -> None:
    """Let children of a group have its controllers.

    Version 1 has no such file.
    """
    control = group / "cgroup.subtree_control"
    names = (group / "cgroup.controllers").read_text().split() if control.exists() else []
    if names:
        control.write_text(" ".join(f"+{name}" for name in names))


def _members(top: Path) -> set[int]:
    files = top.rglob("cgroup.procs") if top.exists() else ()
    return {int(pid) for file in files for pid in file.read_text().split()}
