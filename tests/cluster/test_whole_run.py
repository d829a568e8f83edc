"""From `run` to `result`: what each command says and ends with."""

from __future__ import annotations

import re

from tests.cluster.commands import until
from tests.cluster.env import Env
from tests.cluster.whole_run import WholeRun


def test_run_prints_one_line_on_stdout_the_trackers_name(whole: WholeRun) -> None:
    assert (whole.run.code, whole.run.stdout) == (0, "mrunners\n")


def test_result_at_once_ends_with_4_and_names_the_running_jobs(whole: WholeRun) -> None:
    assert (whole.early_result.code, whole.early_result.stdout) == (4, "")
    assert re.search(r"mrunners-0: \d of 2 pods ended \(", whole.early_result.stderr)
    assert f"mrunners wait {whole.env.namespace} --tracker" in whole.early_result.stderr


def test_a_running_run_is_4_for_status_and_for_a_partial_result_that_says_what_is_missing(
    env: Env,
) -> None:
    assert env.run(env.quick(1), env.slow(2)).code == 0
    until("the quick Job is complete", lambda: _ended(env, "mrunners-0"))
    status = env.mrunners("status", env.namespace, "--exit-code")
    assert status.code == 4
    assert "(running, created " in status.stdout
    assert "1 of 3 pods ended)" in status.stdout
    partial = env.mrunners("result", env.namespace, "--partial")
    assert partial.code == 4
    coverage = partial.report["coverage"]
    assert (coverage["expected"], coverage["merged"]) == (3, 1)
    assert [(pod["job"], pod["index"], pod["reason"]) for pod in coverage["missing"]] == [
        ("mrunners-1", 0, "still-running"),
        ("mrunners-1", 1, "still-running"),
    ]
    assert partial.report["total"] == 50
    # What is partial was not collected.
    later = env.mrunners("status", env.namespace, "-o", "json")
    assert later.report["collected"] is False


def _ended(env: Env, job: str) -> bool:
    (seen,) = [j for j in env.kubectl.objects("jobs") if j["metadata"]["name"] == job]
    return any(c["type"] == "Complete" for c in seen["status"].get("conditions", ()))


def test_wait_ends_with_0_and_says_how_to_get_the_report(whole: WholeRun) -> None:
    assert (whole.wait.code, whole.wait.stdout) == (0, "")
    assert f"mrunners result {whole.env.namespace} --tracker mrunners" in whole.wait.stderr


def test_status_of_a_complete_run_ends_with_0(whole: WholeRun) -> None:
    assert whole.late_status.code == 0
    assert "(finished, created " in whole.late_status.stdout
    assert "its report was not" in whole.late_status.stdout


def test_result_ends_with_0_and_covers_six_of_six(whole: WholeRun) -> None:
    assert whole.result.code == 0
    verdict, *findings = whole.result.stderr.splitlines()
    assert verdict == "6 of 6 reports merged"
    # On a busy machine there may be others besides.
    (warning,) = [line for line in findings if "all with http/404" in line]
    assert warning.startswith("warning: ")
    assert whole.result.report["coverage"] == {
        "expected": 6,
        "merged": 6,
        "missing": [],
        "nothingSucceeded": [],
    }


def test_the_pods_of_a_run_are_spread_over_the_hosts(whole: WholeRun) -> None:
    reported = {
        pod["name"]: pod["node"]
        for runner in whole.result.report["runners"]
        for pod in runner["pods"]
    }
    assert reported == whole.nodes
    assert set(reported.values()) == {"host-1", "host-2", "host-3", "host-4"}


def test_deleting_the_tracker_with_kubectl_removes_every_job_and_pod(env: Env) -> None:
    started = env.run(env.quick(2), env.slow(2))
    assert started.code == 0
    assert set(env.jobs()) == {"mrunners-0", "mrunners-1"}
    env.kubectl("delete", "configmap", "mrunners")
    until("every Job is gone", lambda: not env.jobs())
    until("every pod is gone", lambda: not env.kubectl.names("pods"))


def test_a_wait_whose_run_is_deleted_meanwhile_ends_with_3(env: Env) -> None:
    assert env.run(env.slow()).code == 0
    waiting = env.mrunners.start("wait", env.namespace, "--interval", "500ms")
    until("the wait has begun", lambda: waiting.stderr_contains("0 of 1 pods ended"))
    env.kubectl("delete", "configmap", "mrunners")
    done = waiting.finish(30)
    assert (done.code, done.stdout) == (3, "")
    assert "was deleted or replaced, and its Jobs with it" in done.stderr
