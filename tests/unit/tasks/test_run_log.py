import logging
from dataclasses import replace
from uuid import UUID

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from mrunners.status.run_state import ObservedPods, RunState
from mrunners.status.time_left import TimeLeft
from mrunners_tasks import _context, _prefect
from mrunners_tasks._context import observer, observing
from mrunners_tasks._prefect import ARTIFACT_SECONDS, RunLog
from tests.fakes import FakeClock, FakeCluster, RecordingObserver
from tests.unit.cli.test_console import THREE_PODS
from tests.unit.env import deploy, planned

ARTIFACT = UUID(int=7)


@pytest.mark.parametrize(("count", "more"), [(1, ""), (10, ""), (12, "; and 2 more")])
def test_fetched_reports_are_one_line_that_names_the_first_ten(
    count: int, more: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_prefect, "get_run_logger", lambda: logging.getLogger("run"))
    pods = [f"mrunners-0 index {index}, pod x on node-0" for index in range(count)]
    with caplog.at_level(logging.INFO):
        RunLog().reports_fetched(pods)
    assert caplog.messages == [f"reports fetched: {'; '.join(pods[:10])}{more}"]


def state(*, started: int, ended: int) -> RunState:
    """A Job of three pods, so many of which have started and ended."""
    deployed = deploy(FakeCluster(), planned(3)).state
    pods = ObservedPods(frozenset(range(started)), frozenset(range(ended)))
    return replace(deployed, jobs=tuple(replace(job, pods=pods) for job in deployed.jobs))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """What the progress artifact of a run shows, one after the other."""
    shown: list[tuple[float, str]] = []

    def create(percent: float, *, description: str) -> UUID:
        shown.append((percent, description))
        return ARTIFACT

    def update(artifact: UUID, percent: float, *, description: str) -> None:
        assert artifact == ARTIFACT
        shown.append((percent, description))

    monkeypatch.setattr(_prefect, "get_run_logger", lambda: logging.getLogger("run"))
    monkeypatch.setattr(_prefect, "create_progress_artifact", create)
    monkeypatch.setattr(_prefect, "update_progress_artifact", update)
    return shown


def test_the_progress_artifact_shows_pods_that_have_started_though_none_has_ended(
    written: list[tuple[float, str]],
) -> None:
    clock = FakeClock()
    log = RunLog(clock.monotonic)
    log.progress(state(started=0, ended=0), 0, None)
    clock.sleep(ARTIFACT_SECONDS)
    for _ in range(2):
        log.progress(state(started=2, ended=0), 0, None)
    assert written == [
        (0.0, "0 of 3 pods ended, 3 starting, 0 reports"),
        (0.0, "0 of 3 pods ended, 2 running, 1 starting, 0 reports"),
    ]


def test_what_changed_too_early_for_the_artifact_is_written_with_the_next_look(
    written: list[tuple[float, str]], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    log = RunLog(clock.monotonic)
    with caplog.at_level(logging.INFO):
        log.progress(state(started=0, ended=0), 0, None)
        log.progress(state(started=3, ended=0), 0, None)
        clock.sleep(ARTIFACT_SECONDS)
        log.progress(state(started=3, ended=0), 0, None)
    assert [text for _, text in written] == caplog.messages
    assert written[-1] == (0.0, "0 of 3 pods ended, 3 running, 0 reports")


def test_the_end_is_written_at_once(written: list[tuple[float, str]]) -> None:
    log = RunLog(FakeClock().monotonic)
    log.progress(state(started=3, ended=2), 2, None)
    log.progress(state(started=3, ended=3), 3, None)
    assert written[-1] == (100.0, "3 of 3 pods ended, 3 reports")


@pytest.mark.parametrize(("server", "logged"), [("http://127.0.0.1:1/api", True), ("", False)])
def test_a_run_of_the_command_line_is_in_the_log_of_a_server_that_stays(
    server: str, logged: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (_context, _prefect):
        monkeypatch.setattr(module, "get_run_logger", lambda: logging.getLogger("run"))
    console = RecordingObserver()
    with (
        temporary_settings({PREFECT_API_URL: server}),
        observing(console),
        caplog.at_level(logging.INFO),
    ):
        observer().info("collecting")
        observer().warn("slow")
    assert (console.infos, console.warnings) == (["collecting"], ["slow"])
    assert caplog.messages == (["collecting", "slow"] if logged else [])


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
