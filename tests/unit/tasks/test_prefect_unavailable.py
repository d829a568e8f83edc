from contextlib import AbstractContextManager

import httpx
import pytest
from prefect.exceptions import ObjectNotFound

from mrunners_tasks import _prefect
from mrunners_tasks._prefect import CancellableSleep, RunLog
from tests.fakes import FakeCluster
from tests.unit.env import deploy, planned

UNAVAILABLE = [
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    RuntimeError("Failed to reach API at http://127.0.0.1:4200/api"),
    ObjectNotFound(KeyError("gone")),
    ConnectionResetError(104, "reset"),
]


class Lines:
    """A logger that keeps its warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def info(self, text: str) -> None:
        pass

    def warning(self, text: str, error: Exception) -> None:
        self.warnings.append(text % error)


@pytest.mark.parametrize("error", UNAVAILABLE, ids=lambda error: type(error).__name__)
def test_a_prefect_server_that_does_not_answer_does_not_end_the_wait(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def get_client(*, sync_client: bool) -> AbstractContextManager[None]:
        calls.append(sync_client)
        raise error

    monkeypatch.setattr(_prefect, "get_client", get_client)
    monkeypatch.setattr(_prefect, "CHECK_SECONDS", 0.0)
    CancellableSleep()(0.001)
    assert calls


@pytest.mark.parametrize("error", UNAVAILABLE, ids=lambda error: type(error).__name__)
def test_a_progress_artifact_that_cannot_be_written_is_a_warning(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(percent: float, *, description: str) -> None:
        raise error

    lines = Lines()
    monkeypatch.setattr(_prefect, "get_run_logger", lambda: lines)
    monkeypatch.setattr(_prefect, "create_progress_artifact", create)
    RunLog().progress(deploy(FakeCluster(), planned(1)).state, 0, None)
    assert lines.warnings == [f"the progress artifact could not be written: {error}"]
