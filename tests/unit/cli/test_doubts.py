"""`result` and `wait` of a run in which most requests failed: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mrunners import connection
from mrunners.connection import Connection
from mrunners.reports.analysis.finding import lines_of
from mrunners.reports.merged import MergedReport
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners_cli.commands import result as result_module
from mrunners_cli.exits import exit_code_of
from mrunners_cli.main import cli
from tests.factories import flat, printed
from tests.fakes import FakeCluster
from tests.unit.env import deploy, finish, log_of, planned

SUCCESSES = {"LIST https://api/pods": [0.001] * 34}
MOSTLY_FORBIDDEN = printed(flat(SUCCESSES, errors=266))
SOME_FORBIDDEN = printed(flat({"LIST https://api/pods": [0.001] * 290}, errors=10))
IN_DOUBT = "2 of 2 reports merged; the figures are in doubt"
FORMATS = ["json", "table", "html"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCluster:
    """A cluster that every command connects to."""
    cluster = FakeCluster()

    def connect(
        kubeconfig: str, *, context: str, max_qps: str, observer: RunObserver
    ) -> Connection:
        return Connection(cluster, observer, ReportStore(tmp_path / "store"))

    monkeypatch.setattr(connection, "connect", connect)
    return cluster


def finished(cluster: FakeCluster, report: bytes) -> None:
    """Let a run of two pods finish, each with this report."""
    plan = planned(2).plan
    deploy(cluster, planned(2))
    finish(
        cluster, plan, {("mrunners-0", i): log_of(plan, "mrunners-0", i, report) for i in (0, 1)}
    )


def mrunners(*args: str) -> int:
    return exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False))


def found(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The errors and warnings in the report, as lines."""
    assert mrunners("result", "load", "--quiet") in {0, 5, 9}
    return lines_of(MergedReport.model_validate_json(capsys.readouterr().out).findings)


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
@pytest.mark.parametrize("name", FORMATS)
def test_a_result_in_doubt_ends_with_9_and_says_why_on_stderr_in_any_format(
    name: str, quiet: list[str], cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(cluster, MOSTLY_FORBIDDEN)
    lines = found(capsys)
    assert lines[0].startswith("error: 532 of 600 requests failed (89%)")
    assert mrunners("result", "load", "-o", name, *quiet) == 9
    verdict = [IN_DOUBT] if name != "table" and not quiet else []
    assert capsys.readouterr().err.splitlines() == verdict + lines


def test_a_table_on_the_terminal_of_stderr_says_it_only_once(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(cluster, MOSTLY_FORBIDDEN)
    monkeypatch.setattr(result_module, "_on_one_terminal", lambda: True)
    assert mrunners("result", "load", "-o", "table") == 9
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines()[0] == IN_DOUBT
    assert shown.out.count("532 of 600 requests failed") == 1


def test_a_table_in_a_file_and_its_findings_on_the_terminal(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finished(cluster, MOSTLY_FORBIDDEN)
    lines = found(capsys)
    monkeypatch.setattr(result_module, "_on_one_terminal", lambda: True)
    assert mrunners("result", "load", "-o", "table", "--output-file", str(tmp_path / "t.txt")) == 9
    assert capsys.readouterr().err.splitlines() == [IN_DOUBT, *lines]


@pytest.mark.parametrize(
    ("report", "fail_on", "code"),
    [
        (MOSTLY_FORBIDDEN, "error", 9),
        (MOSTLY_FORBIDDEN, "warning", 9),
        (MOSTLY_FORBIDDEN, "never", 0),
        (SOME_FORBIDDEN, "error", 0),
        (SOME_FORBIDDEN, "warning", 9),
        (SOME_FORBIDDEN, "never", 0),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_fail_on_says_which_findings_fail_and_all_are_printed_anyway(
    report: bytes,
    fail_on: str,
    code: int,
    cluster: FakeCluster,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finished(cluster, report)
    lines = found(capsys)
    assert mrunners("result", "load", "--fail-on", fail_on, "--quiet") == code
    printed_now = capsys.readouterr()
    why = ["  warnings are a failure because of --fail-on warning"]
    only_warnings = (report, fail_on) == (SOME_FORBIDDEN, "warning")
    assert printed_now.err.splitlines() == lines + (why if only_warnings else [])
    assert json.loads(printed_now.out)["findings"][0]["severity"] == lines[0].partition(":")[0]


@pytest.mark.parametrize("fail_on", ["error", "warning", "never"])
def test_missing_reports_matter_more_than_what_the_others_say(
    fail_on: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(cluster, MOSTLY_FORBIDDEN)
    cluster.logs["mrunners-0-1-abcde"] = b""
    assert mrunners("result", "load", "--fail-on", fail_on) == 5
    assert "error: 266 of 300 requests failed (89%)" in capsys.readouterr().err


def test_a_run_that_can_still_finish_is_no_more_than_that(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(2).plan
    deploy(cluster, planned(2))
    cluster.end_pod("mrunners-0", 0, log=log_of(plan, "mrunners-0", 0, MOSTLY_FORBIDDEN))
    cluster.start_pod("mrunners-0", 1)
    assert mrunners("result", "load", "--partial") == 4
    assert "error: 266 of 300 requests failed (89%)" in capsys.readouterr().err


def test_wait_ends_with_the_findings_and_judges_only_jobs(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(cluster, MOSTLY_FORBIDDEN)
    assert mrunners("wait", "load", "--quiet") == 0
    silent = capsys.readouterr().err.splitlines()
    reads = cluster.calls.count("read_log")
    assert silent == found(capsys)
    assert mrunners("wait", "load") == 0
    *_, last = lines = capsys.readouterr().err.splitlines()
    assert lines[-1 - len(silent) : -1] == silent
    assert last == (
        "1 Job complete, but the figures are in doubt; get the report with: "
        "mrunners result load --tracker mrunners"
    )
    assert cluster.calls.count("read_log") == reads == 2


def test_wait_says_what_was_found_also_when_a_job_failed(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(2).plan
    deploy(cluster, planned(2))
    cluster.end_pod("mrunners-0", 0, log=log_of(plan, "mrunners-0", 0, MOSTLY_FORBIDDEN))
    cluster.end_pod("mrunners-0", 1, exit_code=1)
    cluster.finish_job("mrunners-0")
    assert mrunners("wait", "load", "--quiet") == 5
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: job.batch/mrunners-0: 1 of 2 pods failed")
    assert any(line.startswith("error: 266 of 300 requests failed (89%)") for line in lines)
    reads = cluster.calls.count("read_log")
    assert mrunners("wait", "load", "--quiet") == 5
    assert cluster.calls.count("read_log") == reads + 1  # by the wait itself, for the failed pod


def test_a_run_without_findings_says_nothing_of_them(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(cluster, printed(flat({"LIST https://api/pods": [0.001] * 300})))
    assert mrunners("wait", "load", "--quiet") == 0
    assert mrunners("result", "load") == 0
    assert capsys.readouterr().err == "2 of 2 reports merged\n"
