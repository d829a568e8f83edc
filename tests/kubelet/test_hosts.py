"""The kubelet hosts themselves: nothing of them is left."""

from __future__ import annotations

import subprocess
from pathlib import Path

from localcluster.kubelets.control_groups import control_group
from tests.localcluster.env import LocalCluster


def machine_state() -> dict[str, object]:
    """Return what a cluster could leave on this machine."""
    commands = {"links": ["ip", "-brief", "link"], "rules": ["nft", "list", "ruleset"]}
    printed = {
        name: subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for name, command in commands.items()
    }
    return {
        **printed,
        "mounts": Path("/proc/self/mounts").read_text(),
        "namespaces": sorted(Path("/run/netns").glob("*")),
    }


def test_nothing_is_left_of_a_cluster_that_was_deleted(tmp_path: Path) -> None:
    before = machine_state()
    cluster = LocalCluster(tmp_path, "gone")
    cluster.up("--kubelet-hosts", "1")
    assert "kubelet-1" in cluster.kubectl("get", "nodes")
    refused = cluster.command("up", "--name", "gone", "--kubelet-hosts", "2", code=2)
    assert "has 1 kubelet hosts, which cannot be changed" in refused
    cluster.down()
    assert machine_state() == before
    assert list(tmp_path.iterdir()) == []
    assert cluster.processes() == []
    group = control_group("gone").strip("/")
    assert list(Path("/sys/fs/cgroup").glob(f"**/{group}")) == []
