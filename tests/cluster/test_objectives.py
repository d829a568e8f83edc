"""Objectives are judged by a real run's report, and told by exit code, stderr and every format."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.cluster.env import Env
from tests.cluster.whole_run import WholeRun

LISTS = "LIST namespaces"
TOO_FAST = "max < 0.001ms"


def test_an_unmet_objective_fails_the_run_with_its_report(env: Env) -> None:
    objectives = env.folder / "slo.txt"
    objectives.write_text(f"# of the team\n{LISTS}: max < 1m\n{TOO_FAST}\n")
    options = ["--wait", "--slo", "coverage = 100%", "--slo-file", str(objectives)]
    run = env.run(env.quick(2), options=options)
    assert run.code == 8, run.stderr
    assert run.stdout == "mrunners\n"
    assert "2 of 2 reports merged; 1 of 3 objectives not met" in run.stderr
    (unmet,) = [line for line in run.stderr.splitlines() if f"{TOO_FAST}: violated" in line]
    assert "100 samples" in unmet

    result = env.mrunners("result", env.namespace)
    assert result.code == 8
    assert [(slo["objective"], slo["status"]) for slo in result.report["objectives"]] == [
        ("coverage = 100%", "met"),
        (f"{LISTS}: max < 1m", "met"),
        (TOO_FAST, "violated"),
    ]
    (resource,) = [r for r in result.report["resources"] if r["verb"] == "LIST"]
    assert (resource["resource"], resource["scope"]) == ("namespaces", "cluster")
    listed = result.report["objectives"][1]
    assert [listed["samples"], listed["value"]] == [
        resource["samples"],
        dict(resource["percentileLatencies"])[1],
    ]

    unknown = env.mrunners("result", env.namespace, "--slo", "GET configmaps: p99 < 10s")
    assert unknown.code == 8
    objective = unknown.report["objectives"][-1]
    assert (objective["status"], objective["samples"] < 100) == ("not-enough-data", True)
    assert "and it takes 100" in unknown.stderr

    failed = {}
    for case in ET.fromstring(env.mrunners("result", env.namespace, "-o", "junit").stdout).iter(
        "testcase"
    ):
        failed[case.attrib["name"]] = case.find("failure") is not None
    assert failed.pop(TOO_FAST)
    assert failed == {
        "all runners succeeded": False,
        "all reports are merged": False,
        "no finding fails the run": False,
        "coverage = 100%": False,
        f"{LISTS}: max < 1m": False,
    }


def test_result_judges_objectives_that_the_run_did_not_have(whole: WholeRun) -> None:
    env = whole.env
    met = env.mrunners("result", env.namespace, "--slo", "coverage = 100%", "--slo", "p50 < 10s")
    assert (met.code, met.report["objectives"][0]["value"]) == (0, 1.0), met.stderr
    assert [slo["status"] for slo in met.report["objectives"]] == ["met", "met"]
    assert whole.result.report["objectives"] == []


def test_the_objectives_of_kubernetes_are_those_of_the_requests_that_ran(whole: WholeRun) -> None:
    result = whole.env.mrunners("result", whole.env.namespace, "--slo", "kubernetes")
    judged = {slo["objective"]: slo["status"] for slo in result.report["objectives"]}
    assert judged["LIST namespaces cluster: p99 <= 30s"] == "met"
    assert judged["GET configmaps resource: p99 <= 1s"] == "met"


def test_a_report_goes_to_ci_and_to_prometheus(whole: WholeRun) -> None:
    env, report = whole.env, whole.result.report
    markdown = env.mrunners("result", env.namespace, "-o", "markdown").stdout
    assert markdown.startswith("# 6 of 6 reports merged\n")
    assert "data:image" not in markdown
    metrics = env.mrunners("result", env.namespace, "-o", "openmetrics").stdout
    (successes,) = [line for line in metrics.splitlines() if line.startswith("mrunners_successes{")]
    assert f'run="{report["run"]}"' in successes
    assert float(successes.split()[-1]) == report["total"]
    assert metrics.endswith("# EOF\n")


def test_what_is_no_objective_is_refused_before_anything_is_created(env: Env) -> None:
    objectives = env.folder / "slo.txt"
    objectives.write_text("p99 < 1s\nfast\n")
    run = env.run(env.quick(), options=["--wait", "--slo", "p98 < 1s"])
    assert run.code == 2
    assert "'p98' is not a metric" in run.stderr
    run = env.run(env.quick(), options=["--wait", "--slo-file", str(objectives)])
    assert run.code == 2
    assert f"{objectives}, line 2: 'fast' is not an objective" in run.stderr
    assert env.kubectl.names("configmaps") == {"kube-root-ca.crt"}
