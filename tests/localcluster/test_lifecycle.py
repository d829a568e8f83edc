import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.localcluster.env import LocalCluster, script_pod, terminated_state, wait_for


def _node_names(cluster: LocalCluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.get("nodes")["items"]]


def _cluster_uid(cluster: LocalCluster) -> str:
    return str(cluster.get("namespace", "kube-system")["metadata"]["uid"])


def test_a_second_up_changes_only_what_its_options_change(
    fresh: LocalCluster, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere" / "config"
    assert fresh.up("--process-hosts", "2", "--kubeconfig", str(target)) == f"{target}\n"
    assert target.stat().st_mode & 0o777 == 0o600
    uid_before = _cluster_uid(fresh)
    fresh.apply(script_pod("on-two", "trap 'exit 0' TERM; sleep 600 & wait", nodeName="host-2"))
    fresh.wait_for_phase("on-two", "Running")

    target.unlink()
    fresh.up("--process-hosts", "3", "--kwok-hosts", "2", "--kubeconfig", str(target))
    assert target.exists()
    assert _node_names(fresh) == ["host-1", "host-2", "host-3", "kwok-000000", "kwok-000001"]
    selector = {"nodeSelector": {"type": "kwok"}}
    fresh.apply(script_pod("played", "exit 0", **selector))
    fresh.wait_for_phase("played", "Running")

    fresh.up("--process-hosts", "1")
    assert _node_names(fresh) == ["host-1"]
    assert "NotFound" in fresh.kubectl("get", "pod", "on-two", code=1)
    assert not any("sleep 600" in line for line in fresh.processes())
    assert _cluster_uid(fresh) == uid_before
    fresh.down()
    target.parent.rmdir()  # the file in it went with the cluster


def test_two_clusters_started_at_once_run_side_by_side(tmp_path: Path) -> None:
    pair = [LocalCluster(tmp_path, name) for name in ("left", "right")]
    started = [
        cluster.start("up", "--name", cluster.name, "--process-hosts", "1") for cluster in pair
    ]
    try:
        for process in started:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert _cluster_uid(pair[0]) != _cluster_uid(pair[1])
        pair[0].down()
        assert pair[0].processes() == []
        assert _node_names(pair[1]) == ["host-1"]
    finally:
        for cluster in pair:
            cluster.down()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_up_cleans_up(fresh: LocalCluster, number: signal.Signals) -> None:
    process = fresh.start("up", "--name", fresh.name)
    wait_for(fresh.processes, lambda processes: "etcd" in str(processes))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    wait_for(fresh.processes, lambda processes: not processes, 5)
    assert not fresh.folder.exists()


def test_after_a_killed_up_the_next_command_cleans_up(fresh: LocalCluster) -> None:
    process = fresh.start("up", "--name", fresh.name)
    wait_for(fresh.processes, lambda processes: "etcd" in str(processes))
    process.kill()
    process.communicate(timeout=60)
    fresh.up("--process-hosts", "1")
    assert _node_names(fresh) == ["host-1"]


def test_up_restarts_what_was_killed_and_pods_keep_running(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "1")
    uid_before = _cluster_uid(fresh)
    record = json.loads((fresh.folder / "record.json").read_text())
    fresh.apply(
        script_pod("survivor", "sleep 4; echo through; exit 5"),
        script_pod("lost", "sleep 600"),
    )
    fresh.wait_for_phase("survivor", "Running")
    uid = fresh.wait_for_phase("lost", "Running")["metadata"]["uid"]
    os.kill(record["agents"]["host-1"]["pid"], signal.SIGKILL)
    os.kill(record["components"]["kube-apiserver"]["pid"], signal.SIGKILL)
    lost = (
        fresh.folder / "hosts" / "host-1" / "pods" / uid / "containers" / "main" / "0" / "shim.json"
    )
    os.kill(json.loads(lost.read_text())["pid"], signal.SIGKILL)

    fresh.up("--process-hosts", "1")
    assert _cluster_uid(fresh) == uid_before
    end = terminated_state(fresh.wait_for_phase("lost", "Failed"))
    assert (end["exitCode"], end["reason"]) == (137, "ContainerStatusUnknown")
    assert terminated_state(fresh.wait_for_phase("survivor", "Failed"))["exitCode"] == 5
    assert fresh.kubectl("logs", "survivor") == "through\n"


def _agents(cluster: LocalCluster) -> dict[str, int]:
    record = json.loads((cluster.folder / "record.json").read_text())
    return {name: agent["pid"] for name, agent in record["agents"].items()}


def test_one_host_is_lost_while_the_others_run_on_and_only_its_agent_starts_again(
    fresh: LocalCluster,
) -> None:
    fresh.up("--process-hosts", "2")
    before = _agents(fresh)
    fresh.apply(script_pod("on-lost", "sleep 3; echo through", nodeName="host-2"))
    fresh.wait_for_phase("on-lost", "Running")
    os.kill(before["host-2"], signal.SIGKILL)
    fresh.apply(
        script_pod("on-other", "echo here", nodeName="host-1"),
        script_pod("waits", "echo later", nodeName="host-2"),
    )
    fresh.wait_for_phase("on-other", "Succeeded")
    assert fresh.kubectl("logs", "on-other") == "here\n"
    assert "containerStatuses" not in fresh.pod("waits")["status"]

    fresh.up("--process-hosts", "2")
    after = _agents(fresh)
    assert after["host-1"] == before["host-1"]
    assert after["host-2"] != before["host-2"]
    for name, log in (("on-lost", "through\n"), ("waits", "later\n")):
        fresh.wait_for_phase(name, "Succeeded")
        assert fresh.kubectl("logs", name) == log


def test_a_deleted_node_stays_away_until_the_next_up(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "2")
    before = _agents(fresh)
    fresh.kubectl("delete", "node", "host-2")
    log = fresh.folder / "hosts" / "host-2" / "agent.log"
    wait_for(log.read_text, lambda text: "host-2 was deleted" in text)
    assert _node_names(fresh) == ["host-1"]
    fresh.up("--process-hosts", "2")
    assert _node_names(fresh) == ["host-1", "host-2"]
    after = _agents(fresh)
    assert (after["host-1"] == before["host-1"], after["host-2"] == before["host-2"]) == (
        True,
        False,
    )


def test_a_host_whose_agent_is_lost_can_be_removed_with_its_pods(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "2")
    fresh.apply(script_pod("on-lost", "sleep 600", nodeName="host-2"))
    fresh.wait_for_phase("on-lost", "Running")
    os.kill(_agents(fresh)["host-2"], signal.SIGKILL)
    fresh.up("--process-hosts", "1")
    assert _node_names(fresh) == ["host-1"]
    assert "NotFound" in fresh.kubectl("get", "pod", "on-lost", code=1)
    assert not any("sleep 600" in line for line in fresh.processes())
    assert [path.name for path in (fresh.folder / "hosts").iterdir()] == ["host-1"]


def test_a_full_log_is_rotated_and_the_newest_file_is_served(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "1", "--log-limit", "20000")
    fresh.apply(script_pod("much", "seq 1 2000"))
    fresh.wait_for_phase("much", "Succeeded")
    lines = fresh.kubectl("logs", "much").splitlines()
    assert lines[-1] == "2000"
    assert 0 < len(lines) < 500


def test_a_pod_can_use_an_image_of_the_image_option(fresh: LocalCluster, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho tool says $1\n")
    tool.chmod(0o755)
    fresh.up("--process-hosts", "1", "--image", f"example.test/tool:1=/tool:{tool}")
    pod = script_pod("tooled", "")
    pod["spec"]["containers"][0] |= {
        "image": "example.test/tool:1",
        "command": ["/tool"],
        "args": ["hello"],
    }
    fresh.apply(pod)
    fresh.wait_for_phase("tooled", "Succeeded")
    assert fresh.kubectl("logs", "tooled") == "tool says hello\n"
    fresh.down()
    tool.unlink()


def test_a_kubeconfig_of_another_cluster_is_not_changed(
    fresh: LocalCluster, tmp_path: Path
) -> None:
    own = tmp_path / "config"
    text = yaml.safe_dump({"kind": "Config", "clusters": [{"name": "production"}]})
    own.write_text(text)
    message = fresh.command("up", "--name", fresh.name, "--kubeconfig", str(own), code=2)
    assert "was not written by localcluster" in message
    assert own.read_text() == text
    own.unlink()


def test_down_succeeds_when_the_cluster_does_not_exist(fresh: LocalCluster) -> None:
    started = time.monotonic()
    fresh.down()
    with contextlib.suppress(FileNotFoundError):
        fresh.folder.rmdir()
    assert time.monotonic() - started < 30
