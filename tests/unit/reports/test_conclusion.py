"""Whether a run can be relied on, and that no output calls it complete when it cannot."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.errors import ExitCode, IncompleteError, InDoubtError
from mrunners.render.html.headline import headline
from mrunners.render.markdown import render_markdown
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity, lines_of
from mrunners.reports.conclusion import Conclusion, FailOn, conclude
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners.run.result import CollectedRun
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod

SUCCESSES = {"LIST https://api/pods": [0.001] * 34}
FORBIDDEN = [merged_pod(0, index, flat(SUCCESSES, errors=266)) for index in range(2)]
MISSING = missing_pod(1, 0, MissingReason.TRUNCATED)


def finding(severity: Severity) -> Finding:
    return Finding(severity=severity, kind=FindingKind.ERRORS, text="found", advice="do it")


def mostly_forbidden() -> MergedReport:
    """A run of which every report is merged, and 532 of 600 requests failed with 403."""
    return merge(RUN, RUN_ID, FORBIDDEN)


def with_findings(*severities: Severity) -> MergedReport:
    report = merge(RUN, RUN_ID, [merged_pod(0, index, flat()) for index in range(2)])
    return report.model_copy(update={"findings": tuple(map(finding, severities))})


@pytest.mark.parametrize(
    ("fail_on", "severity", "expected"),
    [
        (FailOn.ERROR, Severity.ERROR, Conclusion.IN_DOUBT),
        (FailOn.ERROR, Severity.WARNING, Conclusion.COMPLETE),
        (FailOn.ERROR, Severity.INFO, Conclusion.COMPLETE),
        (FailOn.WARNING, Severity.ERROR, Conclusion.IN_DOUBT),
        (FailOn.WARNING, Severity.WARNING, Conclusion.IN_DOUBT),
        (FailOn.WARNING, Severity.INFO, Conclusion.COMPLETE),
        (FailOn.NEVER, Severity.ERROR, Conclusion.COMPLETE),
        (FailOn.NEVER, Severity.WARNING, Conclusion.COMPLETE),
        (FailOn.NEVER, Severity.INFO, Conclusion.COMPLETE),
    ],
)
def test_a_finding_puts_a_complete_run_in_doubt_from_the_chosen_severity_on(
    fail_on: FailOn, severity: Severity, expected: Conclusion
) -> None:
    findings = [finding(severity), finding(Severity.INFO)]
    assert conclude(complete=True, findings=findings, fail_on=fail_on) is expected


@given(st.lists(st.sampled_from(Severity)), st.sampled_from(FailOn), st.booleans())
def test_what_can_still_finish_or_is_missing_matters_more_than_findings(
    severities: list[Severity], fail_on: FailOn, complete: bool
) -> None:
    findings = list(map(finding, severities))
    unfinished = conclude(complete=complete, findings=findings, fail_on=fail_on, finished=False)
    assert unfinished is Conclusion.UNFINISHED
    assert conclude(complete=False, findings=findings, fail_on=fail_on) is Conclusion.INCOMPLETE


@given(st.lists(st.sampled_from(Severity)), st.sampled_from(FailOn), st.booleans(), st.booleans())
def test_an_objective_that_is_not_met_matters_more_than_findings_and_less_than_the_rest(
    severities: list[Severity], fail_on: FailOn, complete: bool, finished: bool
) -> None:
    findings = list(map(finding, severities))
    found = conclude(
        complete=complete,
        findings=findings,
        objectives_met=False,
        fail_on=fail_on,
        finished=finished,
    )
    if complete and finished:
        assert found is Conclusion.SLO_VIOLATED
    else:
        assert found is conclude(complete=complete, findings=[], finished=finished)


def test_each_conclusion_has_an_exit_code_of_its_own() -> None:
    assert {conclusion: conclusion.exit_code for conclusion in Conclusion} == {
        Conclusion.COMPLETE: ExitCode.DONE,
        Conclusion.SLO_VIOLATED: ExitCode.SLO_VIOLATED,
        Conclusion.IN_DOUBT: ExitCode.IN_DOUBT,
        Conclusion.INCOMPLETE: ExitCode.INCOMPLETE,
        Conclusion.UNFINISHED: ExitCode.STILL_RUNNING,
    }
    assert (int(ExitCode.SLO_VIOLATED), int(ExitCode.IN_DOUBT)) == (8, 9)


@pytest.mark.parametrize(
    ("failures", "fail_on", "accept", "expected"),
    [
        ((), FailOn.ERROR, False, Conclusion.IN_DOUBT),
        ((), FailOn.NEVER, False, Conclusion.COMPLETE),
        (("job.batch/mrunners-0: failed",), FailOn.NEVER, False, Conclusion.INCOMPLETE),
        (("job.batch/mrunners-0: failed",), FailOn.NEVER, True, Conclusion.COMPLETE),
        (("job.batch/mrunners-0: failed",), FailOn.ERROR, True, Conclusion.IN_DOUBT),
    ],
)
def test_a_failed_job_makes_a_run_incomplete_unless_that_is_accepted(
    failures: tuple[str, ...], fail_on: FailOn, accept: bool, expected: Conclusion
) -> None:
    collected = CollectedRun(mostly_forbidden(), failures)
    assert collected.conclusion(fail_on, accept_incomplete=accept) is expected
    assert not collected.complete


def test_the_summary_has_the_verdict_the_failures_and_the_errors_and_warnings() -> None:
    report = with_findings(Severity.ERROR, Severity.WARNING, Severity.INFO)
    assert CollectedRun(report, ("job.batch/mrunners-0: failed",)).summary == (
        "2 of 2 reports merged; the figures are in doubt\n"
        "job.batch/mrunners-0: failed\n"
        "error: found\n"
        "  do it\n"
        "warning: found\n"
        "  do it"
    )


def test_a_report_that_can_be_relied_on_passes() -> None:
    with_findings(Severity.WARNING, Severity.INFO).require_complete()
    mostly_forbidden().require_complete(FailOn.NEVER)


@pytest.mark.parametrize(
    ("pods", "kind"), [(FORBIDDEN, InDoubtError), ([*FORBIDDEN, MISSING], IncompleteError)]
)
def test_a_report_that_cannot_be_relied_on_raises_with_what_was_found(
    pods: list[object], kind: type[Exception]
) -> None:
    report = merge(RUN, RUN_ID, pods)  # type: ignore[arg-type]
    with pytest.raises(kind) as caught:
        report.require_complete()
    assert str(caught.value) == "\n".join((report.verdict, *lines_of(report.findings)))


class TestMostRequestsAreForbidden:
    """89% of the requests fail with 403, and every report is there: nothing calls it a success."""

    def test_its_figures_are_in_doubt(self) -> None:
        report = mostly_forbidden()
        assert (report.complete, report.in_doubt, report.conclusion()) == (
            False,
            True,
            Conclusion.IN_DOUBT,
        )
        assert report.verdict == "2 of 2 reports merged; the figures are in doubt"
        assert report.findings[0].text.startswith("532 of 600 requests failed (89%)")

    def test_the_tables_first_line_says_it_in_red(self) -> None:
        text = render_table(mostly_forbidden(), color=True)
        line = "\x1b[1;31m2 of 2 reports merged; the figures are in doubt\x1b[0m"
        assert text.splitlines()[0] == line
        assert "\x1b[1;32m" not in text

    def test_the_page_begins_with_a_red_box(self) -> None:
        top = headline(mostly_forbidden())
        assert (top.conclusion, top.tone) == ("Figures in doubt", "bad")
        assert top.verdict == "2 of 2 reports merged; the figures are in doubt"

    def test_the_artifact_begins_with_it(self) -> None:
        lines = render_markdown(mostly_forbidden()).splitlines()
        heading, _, figures, _, finding, advice = lines[:6]
        assert heading == "# 2 of 2 reports merged; the figures are in doubt"
        assert figures.startswith("**LIST /pods: p50 1.00 ms, p99 1.00 ms; ")
        assert finding.startswith("- **error:** 532 of 600 requests failed (89%)")
        assert advice.startswith("  grant the runners' ServiceAccount")


@pytest.mark.parametrize(
    ("severities", "conclusion", "tone", "color"),
    [
        ((), "Complete", "good", 32),
        ((Severity.INFO,), "Complete", "good", 32),
        ((Severity.WARNING,), "Complete, with warnings", "warn", 33),
        ((Severity.ERROR, Severity.WARNING), "Figures in doubt", "bad", 31),
    ],
)
def test_page_and_table_are_green_only_without_errors_and_warnings(
    severities: tuple[Severity, ...], conclusion: str, tone: str, color: int
) -> None:
    report = with_findings(*severities)
    top = headline(report)
    assert (top.conclusion, top.tone) == (conclusion, tone)
    assert render_table(report, color=True).startswith(f"\x1b[1;{color}m2 of 2 reports merged")


def test_an_incomplete_report_is_incomplete_whatever_was_found() -> None:
    for fail_on, pods in product(FailOn, ([*FORBIDDEN, MISSING], [MISSING])):
        report = merge(RUN, RUN_ID, pods)
        assert report.conclusion(fail_on) is Conclusion.INCOMPLETE
        assert (headline(report).conclusion, headline(report).tone) == ("Incomplete", "bad")


def test_the_table_hides_no_error_and_no_warning() -> None:
    report = with_findings(*[Severity.ERROR] * 4, *[Severity.WARNING] * 4, Severity.INFO)
    lines = render_table(report).splitlines()
    assert lines.count("error: found") == lines.count("warning: found") == 4
    assert "1 more findings: see the JSON report" in lines
