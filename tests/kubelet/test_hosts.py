"""The kubelet hosts themselves: nothing of them is left, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.kubelets.control_groups import control_group
from localcluster.kubelets.namespaces import processes_in
from localcluster.kubelets.record import load_kubelets
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import is_alive
from tests.cluster.commands import until
from tests.localcluster.env import KPERF, LocalCluster

# What a kubelet sets for the whole machine if it can.
SETTINGS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
FOLDERS = ("/opt/containerd", "/usr/libexec/kubernetes", "/var/lib/cni", "/var/lib/kubelet")


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
        "folders": [folder for folder in FOLDERS if Path(folder).exists()],
        "settings": {name: Path("/proc/sys", name).read_text() for name in SETTINGS},
    }


@pytest.fixture
def another_setting() -> Iterator[None]:
    """A kernel setting that no kubelet wants, until the test is over."""
    file = Path("/proc/sys/kernel/panic")
    before = file.read_text()
    file.write_text("7")
    yield
    file.write_text(before)


def assert_nothing_left(cluster: LocalCluster, state: Path) -> None:
    assert list(state.iterdir()) == []
    assert cluster.processes() == []
    assert processes_in(cluster.folder / "kubelets") == []
    group = control_group(ClusterFolder("gone", cluster.folder)).strip("/")
    assert list(Path("/sys/fs/cgroup").glob(f"**/{group}")) == []


@pytest.mark.usefixtures("another_setting")
def test_nothing_is_left_of_a_cluster_that_was_deleted(tmp_path: Path) -> None:
    before = machine_state()
    cluster = LocalCluster(tmp_path, "gone")
    cluster.up("--kubelet-hosts", "1")
    record = load_kubelets(ClusterFolder("gone", cluster.folder))
    assert record is not None
    cluster.kubectl("run", "pod", f"--image=ghcr.io/{KPERF.partition('/')[2]}", "--", "sleep", "60")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/pod", "--timeout=60s")
    refused = cluster.command("up", "--name", "gone", "--kubelet-hosts", "2", code=2)
    assert "has 1 kubelet hosts, which cannot be changed" in refused
    # A kubelet does not register again by itself.
    cluster.kubectl("delete", "node", "kubelet-1")
    cluster.up("--kubelet-hosts", "1")
    assert "kubelet-1" in cluster.kubectl("get", "nodes")
    # The data outlive the process that keeps the namespaces.
    cluster.kubectl("create", "configmap", "kept")
    os.kill(record.holder.pid, signal.SIGKILL)
    cluster.up("--kubelet-hosts", "1")
    assert "kept" in cluster.kubectl("get", "configmaps")
    cluster.down()
    assert_nothing_left(cluster, tmp_path)
    assert not any(is_alive(one) for one in (record.holder, *record.daemons.values()))
    assert machine_state() == before


def test_nothing_is_left_of_an_up_that_was_killed(tmp_path: Path) -> None:
    before = machine_state()
    cluster = LocalCluster(tmp_path, "gone")
    up = cluster.start("up", "--name", "gone", "--kubelet-hosts", "1")
    log = cluster.folder / "kubelets" / "1" / "containerd.log"
    until("containerd has started", log.exists, 60)
    os.kill(up.pid, signal.SIGKILL)
    up.communicate()
    assert processes_in(cluster.folder / "kubelets") != []
    cluster.down()
    assert_nothing_left(cluster, tmp_path)
    assert machine_state() == before
