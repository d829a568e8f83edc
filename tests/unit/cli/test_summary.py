"""`run --wait` ends with the report's table on stderr, and then says only what is not in there."""

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from prefect import settings

from mrunners.errors import NextStep
from mrunners.plan.options import RunOptions
from mrunners.refs import RunRef
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.finding import lines_of
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners_cli import prefect_setup
from mrunners_cli.commands import run as run_module
from mrunners_cli.commands.run import _below_its_report, _run_flow
from mrunners_cli.console import Console
from mrunners_cli.output import render, render_for_stderr
from mrunners_flows import new_run
from mrunners_flows.policy import RunPolicy
from mrunners_flows.states import RunIncompleteError, RunInDoubtError, RunOutcome
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod
from tests.unit.cli.test_console import TerminalStderr
from tests.unit.env import options

REPORT = merge(
    RUN,
    RUN_ID,
    [merged_pod(0, 0, flat()), missing_pod(0, 1, MissingReason.NOT_STARTED, "FailedCreate: quota")],
)
FAILURE = (
    "job.batch/mrunners-0: 1 of 2 pods did not start in time: FailedCreate: quota; check quotas"
)


class DescribedStderr(TerminalStderr):
    """A terminal that is not stdout's."""

    def fileno(self) -> int:
        return 2


def test_in_a_log_the_table_breaks_no_line_and_has_no_color(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Console(quiet=False) as console:
        assert console.summary(REPORT)
    assert capsys.readouterr() == ("", render_table(REPORT, width=None))


@pytest.mark.parametrize(("columns", "width"), [(200, 200), (80, 80), (40, 40), (0, None)])
@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_the_table_is_as_wide_as_stderr(
    columns: int, width: int | None, no_color: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = DescribedStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((columns, 9)))
    for name, value in {"COLUMNS": "", "TERM": "xterm", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    with Console(quiet=False) as console:
        assert console.summary(REPORT)
    assert stderr.getvalue() == render_table(REPORT, width=width, color=not no_color)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_dumb_terminal_gets_no_colors_on_either_stream(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, name, DescribedStderr())
    monkeypatch.setenv("TERM", "dumb")
    shown = (
        render_for_stderr(REPORT) if name == "stderr" else render(REPORT, "table", to_file=False)
    )
    assert "\x1b" not in shown


def test_quietly_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(quiet=True) as console:
        assert not console.summary(REPORT)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("failures", "text"), [((FAILURE,), FAILURE), ((), REPORT.verdict)], ids=["failed", "missing"]
)
def test_the_last_error_does_not_repeat_the_table_above_it(
    failures: tuple[str, ...], text: str
) -> None:
    outcome = RunOutcome(
        namespace="load",
        tracker="nightly",
        run_id=RUN_ID,
        merged_report=REPORT,
        failures=failures,
    )
    error = RunIncompleteError("\n".join((REPORT.verdict, *failures)), outcome)
    ref = RunRef("load", "nightly")
    below = _below_its_report(error.suggest(ref, NextStep.RESUME))
    assert (type(below), str(below), below.outcome) == (RunIncompleteError, text, outcome)
    assert (below.run, below.next_steps) == (ref, (NextStep.RESUME,))


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Callable[[RunOutcome | Exception], None]:
    """Let `run` call a flow that returns an outcome or raises an error, and no Prefect server."""

    def ends_with(end: RunOutcome | Exception) -> None:
        def multirunners(run_options: RunOptions, policy: RunPolicy) -> RunOutcome:
            if isinstance(end, Exception):
                raise end
            return end

        monkeypatch.setattr(new_run, "multirunners", multirunners)

    monkeypatch.setattr(run_module, "_prepared_server", lambda console: None)
    no_server = SimpleNamespace(wait=lambda: None)
    monkeypatch.setattr(prefect_setup, "EphemeralServer", lambda: no_server)
    monkeypatch.setattr(settings, "PREFECT_API_URL", SimpleNamespace(value=lambda: None))
    return ends_with


def outcome_of(report: MergedReport, *failures: str) -> RunOutcome:
    return RunOutcome(
        namespace="load",
        tracker="mrunners",
        run_id=RUN_ID,
        merged_report=report,
        failures=failures,
    )


STARTING = (
    "starting the flow on a temporary Prefect server (10 to 40 seconds; set PREFECT_API_URL to use "
    "a running one)\n"
)
SEE_REPORT = "get the report with: mrunners result load --tracker mrunners\n"
COMPLETE = merge(RUN, RUN_ID, [merged_pod(0, 0, flat())])


def test_a_run_that_was_waited_for_ends_with_its_table(
    flow: Callable[[RunOutcome | Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    flow(outcome_of(COMPLETE))
    with Console(quiet=False) as console:
        _run_flow(options(), "here", console)
    assert capsys.readouterr() == ("", STARTING + render_table(COMPLETE, width=None) + SEE_REPORT)


def test_the_server_of_a_profile_is_named(
    flow: Callable[[RunOutcome | Exception], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "http://user:secret@prefect.example:4200/api"
    monkeypatch.setattr(settings, "PREFECT_API_URL", SimpleNamespace(value=lambda: url))
    flow(RunOutcome(namespace="load", tracker="mrunners", run_id=RUN_ID))
    with Console(quiet=False) as console:
        _run_flow(options(), "here", console)
    assert capsys.readouterr().err == (
        "starting the flow on the Prefect server http://prefect.example:4200/api of your profile\n"
        "wait for it with: mrunners wait load --tracker mrunners\n"
    )


def test_quietly_a_run_that_was_waited_for_ends_with_the_findings_alone(
    flow: Callable[[RunOutcome | Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    flow(outcome_of(REPORT))
    with Console(quiet=True) as console:
        _run_flow(options(), "here", console)
    assert capsys.readouterr().err.splitlines() == lines_of(REPORT.findings)


@pytest.mark.parametrize("quiet", [True, False])
def test_a_run_with_a_pod_that_did_not_start_ends_with_the_reason_once(
    quiet: bool,
    flow: Callable[[RunOutcome | Exception], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = RunIncompleteError("\n".join((REPORT.verdict, FAILURE)), outcome_of(REPORT, FAILURE))
    flow(whole)
    with Console(quiet=quiet) as console, pytest.raises(RunIncompleteError) as caught:
        _run_flow(options(), "here", console)
    table = "" if quiet else STARTING + render_table(REPORT, width=None) + SEE_REPORT
    assert (str(caught.value), capsys.readouterr().err) == (
        str(whole) if quiet else FAILURE,
        table,
    )


@pytest.mark.parametrize("quiet", [True, False])
def test_a_run_in_doubt_says_once_what_was_found(
    quiet: bool,
    flow: Callable[[RunOutcome | Exception], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({"LIST /pods": [0.1] * 9}, errors=91))])
    found = "\n".join((report.verdict, *lines_of(report.findings)))
    assert report.in_doubt
    flow(RunInDoubtError(found, outcome_of(report)))
    with Console(quiet=quiet) as console, pytest.raises(RunInDoubtError) as caught:
        _run_flow(options(), "here", console)
    table = "" if quiet else STARTING + render_table(report, width=None) + SEE_REPORT
    assert (str(caught.value), capsys.readouterr().err) == (
        found if quiet else "the figures are in doubt: see the findings of the report",
        table,
    )
