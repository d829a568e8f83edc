"""The verdict of a merged report as JUnit XML, which CI systems show as tests.

There is no standard but what tools agree on: https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from mrunners.render.run_details import run_details
from mrunners.reports.analysis.finding import lines_of
from mrunners.reports.conclusion import FailOn
from mrunners.reports.merged import MergedReport
from mrunners.reports.slo import SloStatus
from mrunners.text import printable

__all__ = ["render_junit"]

_LINE_CHARACTERS: Final = 1_000


def render_junit(
    report: MergedReport, failures: Sequence[str] = (), fail_on: FailOn = FailOn.ERROR
) -> str:
    """Return one test suite: a case for the Jobs, for coverage, for findings, for each objective.

    Args:
        report: The merged report; its strings may be hostile.
        failures: What went wrong with the Jobs, one line each.
        fail_on: From which severity on a finding fails its case.
    """
    cases = list(_cases(report, failures, fail_on))
    failed = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    name = f"mrunners {report.namespace}/{report.tracker}"
    suites = ET.Element("testsuites", {"name": "mrunners", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": printable(name), **counts})
    if (provenance := report.provenance) is not None and provenance.started_at is not None:
        suite.set("timestamp", provenance.started_at.isoformat(timespec="seconds"))
        if provenance.finished_at is not None:
            lasted = (provenance.finished_at - provenance.started_at).total_seconds()
            suite.set("time", f"{lasted:.3f}")
    properties = ET.SubElement(suite, "properties")
    for key, value in (("run", report.run), *run_details(provenance)):
        ET.SubElement(properties, "property", {"name": key, "value": _line(value)})
    suite.extend(cases)
    output = ET.SubElement(suite, "system-out")
    output.text = "\n".join(_line(line) for line in _lines(report))
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _cases(report: MergedReport, failures: Sequence[str], fail_on: FailOn) -> Iterator[ET.Element]:
    coverage = report.coverage
    yield _case("run", "all runners succeeded", "\n".join(failures))
    yield _case("run", "all reports are merged", "" if coverage.complete else coverage.verdict)
    failing = [finding for finding in report.findings if fail_on.includes(finding.severity)]
    yield _case("run", "no finding fails the run", "\n".join(lines_of(failing)))
    for result in report.objectives:
        text = "" if result.status is SloStatus.MET else result.text
        yield _case("objectives", result.objective, text, kind=result.status.value)


def _case(group: str, name: str, problem: str, *, kind: str = "failed") -> ET.Element:
    attributes = {"classname": f"mrunners.{group}", "name": printable(name, _LINE_CHARACTERS)}
    case = ET.Element("testcase", attributes)
    if problem:
        lines = [_line(line) for line in problem.splitlines()]
        failure = ET.SubElement(case, "failure", {"type": kind, "message": lines[0]})
        failure.text = "\n".join(lines)
    return case


def _lines(report: MergedReport) -> Iterator[str]:
    yield report.verdict
    yield from (f"objective {result.text}" for result in report.objectives)
    yield from lines_of(report.findings)


def _line(text: str) -> str:
    return printable(text, _LINE_CHARACTERS)
