"""Runs that cannot go on by themselves: what is said about them, and how the wait ends.

They are waited for side by side, since a diagnosis takes its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.cluster.commands import Finished, Started, until
from tests.cluster.env import KPERF, Env, NewEnv

START_TIMEOUT = ["--start-timeout", "5s"]


@dataclass(frozen=True)
class Stuck:
    """A run that does not start or end, after `wait` and `result`."""

    env: Env
    wait: Finished
    result: Finished
    run: Finished | None = None


def _no_pods_allowed(env: Env) -> None:
    metadata = {"name": "none", "namespace": env.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}}
    env.kubectl.apply({**quota, "metadata": metadata})
    quota_status = ["resourcequota", "none", "--output=jsonpath={.status.hard.pods}"]
    until("the quota holds", lambda: env.kubectl("get", *quota_status) == "0")


@pytest.fixture(scope="module")
def stuck(new_env: NewEnv) -> Iterator[dict[str, Stuck]]:
    """Runs by what keeps them."""
    with ExitStack() as stack:
        grounds = {
            name: stack.enter_context(new_env(f"stuck-{name}"))
            for name in ("image", "quota", "hosts", "suspended", "slow")
        }
        _no_pods_allowed(grounds["quota"])
        started = {
            "image": grounds["image"].start_run(
                grounds["image"].quick(2), options=START_TIMEOUT, image=f"{KPERF}9"
            ),
            "quota": grounds["quota"].start_run(grounds["quota"].quick(), options=START_TIMEOUT),
            "hosts": grounds["hosts"].start_run(
                grounds["hosts"].slow(4),
                grounds["hosts"].slow(2),
                options=["--spread", "require", *START_TIMEOUT],
            ),
            "suspended": grounds["suspended"].start_run(
                grounds["suspended"].slow(2), options=START_TIMEOUT
            ),
            "slow": grounds["slow"].start_run(
                grounds["slow"].slow(), options=["--wait", "--timeout", "2s"]
            ),
        }
        runs = {name: started[name].finish() for name in ("image", "quota", "hosts", "suspended")}
        assert {run.code for run in runs.values()} == {0}
        _suspend(grounds["suspended"])
        waits: dict[str, Started] = {
            name: grounds[name].mrunners.start("wait", grounds[name].namespace)
            for name in ("image", "quota")
        }
        for name in ("hosts", "suspended"):
            waits[name] = grounds[name].mrunners.start(
                "wait", grounds[name].namespace, "--timeout", "35s"
            )
        waits["slow"] = started["slow"]
        ended = {name: wait.finish() for name, wait in waits.items()}
        yield {
            name: Stuck(of, ended[name], of.mrunners("result", of.namespace), runs.get(name))
            for name, of in grounds.items()
        }


def _suspend(env: Env) -> None:
    env.kubectl("patch", "job", "mrunners-0", '--patch={"spec":{"suspend":true}}')
    until("its pods are gone", lambda: not env.kubectl.names("pods"))


def test_a_wrong_image_is_named_with_host_and_advice_and_the_wait_ends_with_5(
    stuck: dict[str, Stuck],
) -> None:
    wait = stuck["image"].wait
    assert (wait.code, wait.stdout) == (5, "")
    last = wait.stderr.splitlines()[-1]
    nodes = r"host-\d(, host-\d)?"
    assert re.match(
        rf"error: job.batch/mrunners-0: 2 of 2 pods on {nodes} did not start in time: ", last
    )
    assert "ImagePullBackOff: " in last or "ErrImagePull: " in last
    assert f"{KPERF}9" in last
    assert " on host-" in last
    assert last.endswith("; check the runner image")


def test_a_pod_that_never_started_is_in_the_report_with_the_reason(stuck: dict[str, Stuck]) -> None:
    result = stuck["image"].result
    assert result.code == 5
    missing = result.report["coverage"]["missing"]
    assert [(pod["index"], pod["reason"]) for pod in missing] == [
        (0, "not-started"),
        (1, "not-started"),
    ]
    assert all("ImagePull" in pod["detail"] for pod in missing)


def test_a_quota_that_allows_no_pod_is_diagnosed_from_the_event(stuck: dict[str, Stuck]) -> None:
    run = stuck["quota"]
    assert (run.wait.code, run.result.code) == (5, 5)
    assert run.env.kubectl.names("pods") == set()
    last = run.wait.stderr.splitlines()[-1]
    assert "job.batch/mrunners-0: 1 of 1 pods did not start in time: FailedCreate: " in last
    assert "exceeded quota: none" in last
    assert "check the namespace's quotas" in last


def test_spread_require_puts_one_pod_on_a_host_and_names_those_without_one(
    stuck: dict[str, Stuck],
) -> None:
    run = stuck["hosts"]
    # Four pods run, so there is hope; the wait tells of the other two as soon as it knows.
    assert (run.wait.code, run.result.code) == (6, 4)
    assert "Unschedulable: 0/4 nodes are available" in run.wait.stderr
    assert "add nodes, free resources, or relax the spread" in run.wait.stderr
    status = run.env.mrunners("status", run.env.namespace, "-o", "json")
    assert any(": Unschedulable: 0/4 nodes" in problem for problem in status.report["problems"])


def test_too_few_nodes_are_known_before_the_start(stuck: dict[str, Stuck]) -> None:
    text = "the run has 6 pods, spread require allows one per node, and only 4 nodes can take one"
    run = stuck["hosts"].run
    assert run is not None
    assert text in run.stderr


def test_late_pods_are_kept_from_starting_and_those_that_run_are_not_disturbed(
    stuck: dict[str, Stuck],
) -> None:
    run = stuck["hosts"]
    pods = run.env.kubectl.objects("pods")
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == [f"host-{n}" for n in range(1, 5)]
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    jobs = run.env.kubectl.objects("jobs")
    assert sum(job["status"].get("active", 0) for job in jobs) == 4
    notes = [
        json.loads(job["metadata"]["annotations"].get("mrunners.dev/not-started", "[]"))
        for job in jobs
    ]
    assert {note["reason"] for of_job in notes for note in of_job} == {"Unschedulable"}


def test_a_job_that_a_quota_keeps_from_making_pods_is_stopped(stuck: dict[str, Stuck]) -> None:
    run = stuck["quota"]
    (job,) = run.env.kubectl.objects("jobs")
    assert job["spec"]["suspend"] is True
    run.env.kubectl("delete", "resourcequota", "none")
    again = run.env.mrunners("wait", run.env.namespace)
    assert (again.code, run.env.kubectl.names("pods")) == (5, set())
    assert "1 of 1 pods did not start in time: FailedCreate: " in again.stderr
    assert run.env.mrunners("delete", run.env.namespace).code == 0


def test_a_suspended_job_waits_on_purpose_and_is_never_counted_as_not_started(
    stuck: dict[str, Stuck],
) -> None:
    run = stuck["suspended"]
    assert run.wait.code == 6
    assert run.result.code == 4
    assert "mrunners-0: 0 of 2 pods ended (suspended)" in run.result.stderr
    status = run.env.mrunners("status", run.env.namespace, "-o", "json", "--exit-code")
    assert (status.code, status.report["problems"]) == (4, [])


def test_a_timeout_ends_with_6_and_the_run_goes_on(stuck: dict[str, Stuck]) -> None:
    run = stuck["slow"]
    assert (run.wait.code, run.wait.stdout) == (6, "mrunners\n")
    assert "Jobs left: 1 of 1: mrunners-0" in run.wait.stderr
    assert "Traceback" not in run.wait.stderr
    assert run.result.code == 4
    (job,) = run.env.kubectl.objects("jobs")
    assert job["status"]["active"] == 1
