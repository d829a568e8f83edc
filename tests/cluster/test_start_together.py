"""`--start-delay`: all pods begin their load at one moment, and none waits for another."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import yaml

from tests.cluster.commands import until
from tests.cluster.env import Env, profile_text

# What a pod takes to begin once its moment has come, on a machine that has other work.
SECONDS = 1.0
# The time of a file is that of the kernel's last tick.
TICK = 0.01


def test_all_loads_begin_at_the_moment_that_is_told(env: Env) -> None:
    load = env.file("load", profile_text(rate=10, total=30), 5)
    run = env.run(load, load, options=["--wait", "--start-delay", "12s"])
    assert run.code == 0, run.stderr
    assert "10 of 10 reports merged" in run.stderr
    report = env.mrunners("result", env.namespace).report
    moment = _moment(report)
    assert f"all pods begin their load at {moment:%H:%M:%S} UTC" in run.stderr
    starts = _starts(report)
    assert len(starts) == 10
    assert all(-TICK < (start - moment).total_seconds() < SECONDS for start in starts), starts
    assert report["startSkewSeconds"] == (max(starts) - min(starts)).total_seconds()
    assert report["provenance"]["options"]["start-delay"] == "12s"


def test_a_pod_that_comes_too_late_begins_at_once_and_is_named(env: Env) -> None:
    template = env.folder / "held.yaml"
    gate = [{"name": "example.test/held"}]
    template.write_text(yaml.safe_dump({"kind": "Pod", "spec": {"schedulingGates": gate}}))
    load = env.file("load", profile_text(rate=10, total=100), 2)
    options = ["--wait", "--start-delay", "8s", "--pod-template", str(template)]
    run = env.start_run(load, options=options)
    until("both pods exist", lambda: len(env.kubectl.objects("pods")) == 2)
    first, second = sorted(pod["metadata"]["name"] for pod in env.kubectl.objects("pods"))
    _let_go(env, first)
    (line,) = [text for text in run.stderr_lines() if "all pods begin their load at" in text]
    hours, minutes, seconds = line.split(" at ")[1].removesuffix(" UTC").split(":")
    moment = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    until("the moment is 3 s ago", lambda: 3 < (time.time() - moment) % 86_400 < 3600)
    _let_go(env, second)
    finished = run.finish()
    assert finished.code in {0, 9}, finished.stderr
    report = env.mrunners("result", env.namespace, "--fail-on", "never").report
    assert report["coverage"]["merged"] == 2
    (late,) = [
        finding["text"]
        for finding in report["findings"]
        if "after the common start" in finding["text"]
    ]
    assert late.startswith("1 of 2 pods began after the common start at ")
    assert "mrunners-0 index 1" in late
    early = (min(_starts(report)) - _moment(report)).total_seconds()
    assert -TICK < early < SECONDS


def test_a_run_that_waits_for_its_moment_can_be_deleted(env: Env) -> None:
    assert env.run(env.quick(2), options=["--start-delay", "30m"]).code == 0
    until("both pods run", lambda: len(_running(env)) == 2)
    deleted = env.mrunners("delete", env.namespace, "--force")
    assert deleted.code == 0, deleted.stderr
    assert env.kubectl.objects("pods") == []


def _running(env: Env) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in env.kubectl.objects("pods")
        if pod["status"]["phase"] == "Running"
    ]


def _let_go(env: Env, pod: str) -> None:
    env.kubectl(
        "patch", "pod", pod, "--type=json",
        "--patch", '[{"op": "remove", "path": "/spec/schedulingGates"}]',
    )  # fmt: skip


def _moment(report: Any) -> datetime:
    return datetime.fromisoformat(report["provenance"]["startAt"])


def _starts(report: Any) -> list[datetime]:
    pods = (pod for runner in report["runners"] for pod in runner["pods"])
    return [datetime.fromisoformat(pod["startedAt"]) for pod in pods]
