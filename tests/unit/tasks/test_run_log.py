import logging

import pytest

from mrunners.status.time_left import TimeLeft
from mrunners_tasks import _prefect
from mrunners_tasks._prefect import RunLog
from tests.unit.cli.test_console import THREE_PODS


@pytest.mark.parametrize(("count", "more"), [(1, ""), (10, ""), (12, "; and 2 more")])
def test_fetched_reports_are_one_line_that_names_the_first_ten(
    count: int, more: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_prefect, "get_run_logger", lambda: logging.getLogger("run"))
    pods = [f"mrunners-0 index {index}, pod x on node-0" for index in range(count)]
    with caplog.at_level(logging.INFO):
        RunLog().reports_fetched(pods)
    assert caplog.messages == [f"reports fetched: {'; '.join(pods[:10])}{more}"]


def test_what_is_left_keeps_the_artifact_true_and_adds_no_lines_to_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = []
    monkeypatch.setattr(_prefect, "get_run_logger", lambda: logging.getLogger("run"))
    monkeypatch.setattr(_prefect, "ARTIFACT_SECONDS", 0.0)
    log = RunLog()
    monkeypatch.setattr(log, "_write", lambda percent, line: written.append((percent, line)))
    with caplog.at_level(logging.INFO):
        for reports, seconds in ((0, 250), (0, 240), (0, 240), (1, 190)):
            log.progress(THREE_PODS, reports, TimeLeft(seconds, 300))
    assert caplog.messages == [
        "0 of 3 pods ended, 3 running, 0 reports, about 4m10s left",
        "1 of 3 pods ended, 2 running, 1 report, about 3m10s left",
    ]
    assert written == [
        (0.0, "0 of 3 pods ended, 3 running, 0 reports, about 4m10s left"),
        (0.0, "0 of 3 pods ended, 3 running, 0 reports, about 4m left"),
        (100.0 / 3, "1 of 3 pods ended, 2 running, 1 report, about 3m10s left"),
    ]
