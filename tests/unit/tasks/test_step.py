from typing import Any

import httpx
import pytest
from prefect import Task
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    IncompleteError,
    InvalidInputError,
    RefusedError,
    StillRunningError,
    UnauthorizedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners_tasks._step import ATTEMPTS, is_transient, step
from mrunners_tasks.reports import save_report


def status(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code))


TRANSIENT = [
    UnreachableError("gone"),
    OSError(28, "No space left on device"),
    ConnectionResetError(104, "Connection reset by peer"),
    httpx.ConnectError("All connection attempts failed"),
    status(503),
]
PERMANENT = [
    InvalidInputError("bad"),
    RefusedError("theirs", namespace="load"),
    StillRunningError("wait", jobs=()),
    IncompleteError("half"),
    WaitTimeoutError("late", seconds=1),
    UnauthorizedError("no token"),
    ForbiddenError("no", verb="get", resource="pods", namespace="load"),
    ApiStatusError("bad", status=422),
    KeyError("a bug"),
    status(404),
]


@step("any-step")
def any_step() -> None:
    """Do nothing."""


def is_retried(error: Exception, *, attempt: int = 1, of: Task[..., Any] = any_step) -> bool:
    task_run = TaskRun(task_key="step", dynamic_key="0", run_count=attempt)
    return is_transient(of, task_run, Failed(data=error))


def test_saving_the_report_is_retried_for_some_five_minutes() -> None:
    retried = [is_retried(TRANSIENT[0], attempt=n, of=save_report) for n in range(1, 9)]
    assert retried == [True] * 6 + [False] * 2
    delays = save_report.retry_delay_seconds
    assert isinstance(delays, list)
    assert sum(delays[:6]) == 315


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_a_transient_failure_is_retried_until_the_attempts_are_used_up(error: Exception) -> None:
    assert [is_retried(error, attempt=n) for n in range(1, ATTEMPTS + 2)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: type(error).__name__)
def test_a_permanent_failure_is_not_retried(error: Exception) -> None:
    assert not is_retried(error)


def test_prefect_would_retry_longer_so_that_the_condition_ends_the_retries() -> None:
    assert any_step.retries >= ATTEMPTS
    assert any_step.retry_condition_fn is is_transient
