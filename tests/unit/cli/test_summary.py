"""`run --wait` ends with the report's table on stderr, and then says only what is not in there."""

import os
import sys

import pytest

from mrunners.errors import NextStep
from mrunners.refs import RunRef
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from mrunners_cli.commands.run import _below_its_report
from mrunners_cli.console import Console
from mrunners_flows.states import RunIncompleteError, RunOutcome
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod
from tests.unit.cli.test_console import TerminalStderr

REPORT = merge(
    RUN,
    RUN_ID,
    [merged_pod(0, 0, flat()), missing_pod(0, 1, MissingReason.NOT_STARTED, "FailedCreate: quota")],
)
FAILURE = "job mrunners-0: 1 of 2 pods did not start in time: FailedCreate: quota; check quotas"


class DescribedStderr(TerminalStderr):
    """A terminal that is not stdout's."""

    def fileno(self) -> int:
        return 2


def test_in_a_log_the_table_has_80_columns_and_no_color(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Console(quiet=False) as console:
        assert console.summary(REPORT)
    assert capsys.readouterr() == ("", render_table(REPORT))


@pytest.mark.parametrize(
    ("columns", "width"), [(200, 160), (120, 120), (80, 80), (40, 40), (0, 80)]
)
@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_the_table_is_as_wide_as_stderr(
    columns: int, width: int, no_color: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = DescribedStderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((columns, 9)))
    for name, value in {"COLUMNS": "", "TERM": "xterm", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    with Console(quiet=False) as console:
        assert console.summary(REPORT)
    assert stderr.getvalue() == render_table(REPORT, width=width, color=not no_color)


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
