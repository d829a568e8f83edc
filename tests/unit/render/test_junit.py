"""A CI system reads the verdict as tests."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mrunners.render.junit import render_junit
from mrunners.reports.conclusion import FailOn
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.slo_results import with_slo_results
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod
from tests.unit.render.test_run_details import facts
from tests.unit.render.test_run_details import report as report_with_facts


def cases(report: MergedReport, **verdict: Any) -> dict[str, str | None]:
    """Return each case's name with the message of its failure, if it has failed."""
    suite = ET.fromstring(render_junit(report, **verdict)).find("testsuite")
    assert suite is not None
    found = {}
    for case in suite.findall("testcase"):
        failure = case.find("failure")
        found[case.attrib["name"]] = None if failure is None else failure.attrib["message"]
    assert suite.attrib["tests"] == str(len(found))
    assert suite.attrib["failures"] == str(sum(text is not None for text in found.values()))
    return found


def test_a_complete_run_has_cases_that_pass() -> None:
    report = with_slo_results(merge(RUN, RUN_ID, [merged_pod(0, 0, flat())]), ["coverage = 100%"])
    assert cases(report) == {
        "all runners succeeded": None,
        "all reports are merged": None,
        "no finding fails the run": None,
        "coverage = 100%": None,
    }


def test_what_is_missing_violated_or_not_known_fails() -> None:
    pods = [merged_pod(0, 0, flat()), missing_pod(0, 1, MissingReason.TRUNCATED)]
    objectives = ["coverage = 100%", "LIST secrets: p99 < 1s", "errors = 0"]
    found = cases(with_slo_results(merge(RUN, RUN_ID, pods), objectives))
    assert found["errors = 0"] is None
    assert (found["all reports are merged"] or "").startswith("1 of 2 reports merged; 1 missing")
    assert found["coverage = 100%"] == "coverage = 100%: violated: 50% (1 of 2 reports)"
    assert "not enough data" in (found["LIST secrets: p99 < 1s"] or "")


def test_a_finding_that_puts_the_figures_in_doubt_fails_with_its_advice() -> None:
    report = merge(
        RUN, RUN_ID, [merged_pod(0, index, flat(), second=20 * index) for index in range(2)]
    )
    assert report.in_doubt
    message = cases(report)["no finding fails the run"]
    assert message is not None
    assert message.startswith("error: pods started within 20s")
    assert cases(report, fail_on=FailOn.NEVER)["no finding fails the run"] is None


def test_what_makes_the_command_fail_fails_a_case() -> None:
    report = merge(
        RUN, RUN_ID, [merged_pod(0, index, flat(), second=3 * index) for index in (0, 1)]
    )
    found = cases(report, failures=["job.batch/mrunners-0 was deleted"], fail_on=FailOn.WARNING)
    assert found["all runners succeeded"] == "job.batch/mrunners-0 was deleted"
    assert (found["no finding fails the run"] or "").startswith("warning: pods started within 3s")
    assert cases(report)["no finding fails the run"] is None


def test_the_suite_has_the_run_its_times_and_what_was_run() -> None:
    suite = ET.fromstring(render_junit(report_with_facts(facts()))).find("testsuite")
    assert suite is not None
    assert suite.attrib["time"] == "10.000"
    assert suite.attrib["timestamp"] == "2026-01-02T03:04:05+00:00"
    properties = {item.attrib["name"]: item.attrib["value"] for item in suite.iter("property")}
    assert properties["run"] == RUN_ID
    assert properties["Image"] == "ghcr.io/azure/kperf:0.3.5"
    assert properties["Labels"] == "team=sre, tier=1"


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "<&>\"']]>", "\ud800", "\n</testsuite>"])
def test_hostile_text_stays_text(text: str) -> None:
    merged = merge(RUN, RUN_ID, [merged_pod(0, 0, flat())])
    report = with_slo_results(merged, [f"GET /{text}: max < 1ms"])
    document = ET.fromstring(render_junit(report.model_copy(update={"tracker": text})))
    assert len(document.findall("testsuite")) == 1
