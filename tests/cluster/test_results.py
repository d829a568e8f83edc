"""The forms of a result, and where it comes from when the pods are gone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from tests.cluster.commands import Kubectl, until
from tests.cluster.env import KPERF, Env
from tests.cluster.whole_run import WholeRun


def without_traffic(text: str) -> Any:
    """Return a report without what its own command sent and received: other bytes each time."""
    report = json.loads(text)
    assert report.pop("trafficByUs")["list"]["requests"] > 0
    return report


def test_a_second_result_is_the_same(whole: WholeRun) -> None:
    again = whole.env.mrunners("result", whole.env.namespace)
    assert replace(again, stdout="") == replace(whole.result, stdout="")
    assert without_traffic(again.stdout) == without_traffic(whole.result.stdout)


def test_the_report_says_what_was_run(whole: WholeRun, kubectl: Kubectl) -> None:
    found = whole.result.report["provenance"]
    pods = [pod for runner in whole.result.report["runners"] for pod in runner["pods"]]
    assert found["startedAt"] == min(pod["startedAt"] for pod in pods)
    assert found["finishedAt"] == max(pod["finishedAt"] for pod in pods)
    assert found["nodes"] == sorted(set(whole.nodes.values()))
    assert found["nodeCount"] == len(kubectl.names("nodes"))
    assert (
        found["serverVersion"]
        == json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    )
    assert [image["pods"] for image in found["images"]] == [6]
    assert KPERF in found["images"][0]["imageID"]
    assert (found["image"], found["kperfRelease"]) == (KPERF, "0.3.5")
    assert [profile["jobs"] for profile in found["profiles"]] == [
        ["mrunners-0"],
        ["mrunners-1"],
        ["mrunners-2"],
    ]
    for profile in found["profiles"]:
        assert hashlib.sha256(profile["text"].encode()).hexdigest() == profile["digest"]


def test_output_writes_the_report_into_a_file_and_nothing_to_stdout(whole: WholeRun) -> None:
    path = whole.env.folder / "reports" / "report.json"
    done = whole.env.mrunners("result", whole.env.namespace, "--output-file", path)
    assert (done.code, done.stdout) == (0, "")
    text = path.read_text()
    assert without_traffic(text) == without_traffic(whole.result.stdout)
    assert len(text.splitlines()) == len(whole.result.stdout.splitlines())
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_the_table_begins_with_the_verdict_and_names_every_runner(whole: WholeRun) -> None:
    done = whole.env.mrunners("result", whole.env.namespace, "-o", "table")
    verdict, *findings = whole.result.stderr.splitlines()
    assert (done.code, done.stderr.splitlines()) == (0, findings)
    assert done.stdout.splitlines()[0] == verdict == "6 of 6 reports merged"
    for job in ("mrunners-0", "mrunners-1", "mrunners-2"):
        assert job in done.stdout
    assert "\x1b" not in done.stdout


def test_plain_reports_are_merged_too(env: Env) -> None:
    run = env.run(env.quick(2), options=["--report", "plain", "--wait"])
    assert run.code == 0
    result = env.mrunners("result", env.namespace)
    assert (result.code, result.stderr.splitlines()[0]) == (0, "2 of 2 reports merged")
    assert result.report["total"] == 2 * 50


def test_a_result_comes_from_the_store_when_pods_are_gone_and_without_it_says_so(
    env: Env,
) -> None:
    assert env.run(env.quick(3), options=["--wait"]).code == 0
    before = env.mrunners("result", env.namespace)
    env.kubectl("delete", "pods", "--all")
    until("the pods are gone", lambda: not env.kubectl.names("pods"))
    after = env.mrunners("result", env.namespace)
    assert (after.code, after.stderr) == (0, before.stderr)
    assert without_traffic(after.stdout) == without_traffic(before.stdout)
    elsewhere = env.mrunners.with_environ(XDG_STATE_HOME=str(env.folder / "another"))
    lost = elsewhere("result", env.namespace)
    assert lost.code == 5
    reasons = [pod["reason"] for pod in lost.report["coverage"]["missing"]]
    assert reasons == ["pod-gone"] * 3


def test_a_pod_that_was_deleted_while_it_ran_is_missing_with_a_reason(env: Env) -> None:
    assert env.run(env.slow(2), env.quick(1)).code == 0
    until("three pods", lambda: len(env.kubectl.names("pods")) == 3)
    pods = sorted(name for name in env.kubectl.names("pods") if name.startswith("mrunners-0"))
    nodes = {
        pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in env.kubectl.objects("pods")
    }
    env.kubectl("delete", "pod", *pods)
    wait = env.mrunners("wait", env.namespace)
    assert wait.code == 5
    assert "job.batch/mrunners-0: 2 of 2 pods failed" in wait.stderr
    result = env.mrunners("result", env.namespace)
    assert result.code == 5
    coverage = result.report["coverage"]
    assert (coverage["expected"], coverage["merged"]) == (3, 1)
    assert [(pod["job"], pod["index"], pod["pod"], pod["node"]) for pod in coverage["missing"]] == [
        ("mrunners-0", index, pod, nodes[pod]) for index, pod in enumerate(pods)
    ]
    assert result.report["total"] == 50
