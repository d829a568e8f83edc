import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.localcluster.env import LocalCluster, ended, script, wait_for


def _names(cluster: LocalCluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.get("nodes")["items"]]


def _identity(cluster: LocalCluster) -> str:
    return str(cluster.get("namespace", "kube-system")["metadata"]["uid"])


def test_a_second_up_changes_what_was_asked_and_nothing_else(
    fresh: LocalCluster, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere" / "config"
    assert fresh.up("--process-hosts", "2", "--kubeconfig", str(target)) == f"{target}\n"
    assert target.stat().st_mode & 0o777 == 0o600
    identity = _identity(fresh)
    fresh.apply(script("on-two", "trap 'exit 0' TERM; sleep 600 & wait", nodeName="host-2"))
    fresh.phase("on-two", "Running")

    target.unlink()
    fresh.up("--process-hosts", "3", "--kwok-hosts", "2", "--kubeconfig", str(target))
    assert target.exists()
    assert _names(fresh) == ["host-1", "host-2", "host-3", "kwok-000000", "kwok-000001"]
    selector = {"nodeSelector": {"type": "kwok"}}
    fresh.apply(script("played", "exit 0", **selector))
    fresh.phase("played", "Running")

    fresh.up("--process-hosts", "1")
    assert _names(fresh) == ["host-1"]
    assert "NotFound" in fresh.kubectl("get", "pod", "on-two", code=1)
    assert not [one for one in fresh.processes() if "sleep 600" in one]
    assert _identity(fresh) == identity
    fresh.down()
    target.parent.rmdir()  # the file in it went with the cluster


def test_two_clusters_started_at_once_run_side_by_side(tmp_path: Path) -> None:
    pair = [LocalCluster(tmp_path, name) for name in ("left", "right")]
    begun = [one.start("up", "--name", one.name, "--process-hosts", "1") for one in pair]
    try:
        for process in begun:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert _identity(pair[0]) != _identity(pair[1])
        pair[0].down()
        assert pair[0].processes() == []
        assert _names(pair[1]) == ["host-1"]
    finally:
        for one in pair:
            one.down()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_up_cleans_up(fresh: LocalCluster, number: signal.Signals) -> None:
    process = fresh.start("up", "--name", fresh.name)
    wait_for(lambda: {"seen": fresh.processes()}, lambda seen: "etcd" in str(seen["seen"]))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    wait_for(lambda: {"left": fresh.processes()}, lambda seen: not seen["left"], 5)
    assert not fresh.folder.exists()


def test_an_up_that_was_killed_is_cleaned_up_by_the_next_command(fresh: LocalCluster) -> None:
    process = fresh.start("up", "--name", fresh.name)
    wait_for(lambda: {"seen": fresh.processes()}, lambda seen: "etcd" in str(seen["seen"]))
    process.kill()
    process.communicate(timeout=60)
    fresh.up("--process-hosts", "1")
    assert _names(fresh) == ["host-1"]


def test_what_died_is_started_again_and_pods_live_on(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "1")
    identity = _identity(fresh)
    record = json.loads((fresh.folder / "record.json").read_text())
    fresh.apply(
        script("survivor", "sleep 4; echo through; exit 5"),
        script("lost", "sleep 600"),
    )
    fresh.phase("survivor", "Running")
    uid = fresh.phase("lost", "Running")["metadata"]["uid"]
    os.kill(record["agent"]["pid"], signal.SIGKILL)
    os.kill(record["components"]["kube-apiserver"]["pid"], signal.SIGKILL)
    lost = fresh.folder / "pods" / uid / "containers" / "main" / "0" / "shim.json"
    os.kill(json.loads(lost.read_text())["pid"], signal.SIGKILL)

    fresh.up("--process-hosts", "1")
    assert _identity(fresh) == identity
    end = ended(fresh.phase("lost", "Failed"))
    assert (end["exitCode"], end["reason"]) == (137, "ContainerStatusUnknown")
    assert ended(fresh.phase("survivor", "Failed"))["exitCode"] == 5
    assert fresh.kubectl("logs", "survivor") == "through\n"


def test_a_full_log_moves_aside_and_the_newest_is_served(fresh: LocalCluster) -> None:
    fresh.up("--process-hosts", "1", "--log-limit", "20000")
    fresh.apply(script("much", "seq 1 2000"))
    fresh.phase("much", "Succeeded")
    lines = fresh.kubectl("logs", "much").splitlines()
    assert lines[-1] == "2000"
    assert 0 < len(lines) < 500


def test_an_image_of_the_users_own_is_known(fresh: LocalCluster, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho tool says $1\n")
    tool.chmod(0o755)
    fresh.up("--process-hosts", "1", "--image", f"example.test/tool:1=/tool:{tool}")
    pod = script("tooled", "")
    pod["spec"]["containers"][0] |= {
        "image": "example.test/tool:1",
        "command": ["/tool"],
        "args": ["hello"],
    }
    fresh.apply(pod)
    fresh.phase("tooled", "Succeeded")
    assert fresh.kubectl("logs", "tooled") == "tool says hello\n"
    fresh.down()
    tool.unlink()


def test_a_kubeconfig_of_somebody_else_is_left_alone(fresh: LocalCluster, tmp_path: Path) -> None:
    own = tmp_path / "config"
    text = yaml.safe_dump({"kind": "Config", "clusters": [{"name": "production"}]})
    own.write_text(text)
    said = fresh.command("up", "--name", fresh.name, "--kubeconfig", str(own), code=2)
    assert "was not written by localcluster" in said
    assert own.read_text() == text
    own.unlink()


def test_down_is_harmless_where_nothing_is(fresh: LocalCluster) -> None:
    begun = time.monotonic()
    fresh.down()
    with contextlib.suppress(FileNotFoundError):
        fresh.folder.rmdir()
    assert time.monotonic() - begun < 30
