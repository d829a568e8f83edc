import httpx
import pytest
from prefect import Task, task
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
from mrunners_tasks._step import ATTEMPTS, LAST_STEP, STEP, may_pass


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
    UnauthorizedError("who"),
    ForbiddenError("no", verb="get", resource="pods", namespace="load"),
    ApiStatusError("bad", status=422),
    KeyError("a defect"),
    status(404),
]


@task(**STEP)
def step() -> None:
    """Anything."""


@task(**LAST_STEP)
def last_step() -> None:
    """The end of hours of load."""


def again(error: Exception, *, attempt: int = 1, of: Task[[], None] = step) -> bool:
    task_run = TaskRun(task_key="step", dynamic_key="0", run_count=attempt)
    return may_pass(of, task_run, Failed(data=error))


def test_the_last_step_is_tried_for_some_five_minutes() -> None:
    attempts = [again(TRANSIENT[0], attempt=n, of=last_step) for n in range(1, 9)]
    assert attempts == [True] * 6 + [False] * 2
    delays = LAST_STEP["retry_delay_seconds"](LAST_STEP["retries"])
    assert sum(delays[:6]) == 315


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_tried_again_until_the_attempts_are_used_up(error: Exception) -> None:
    assert [again(error, attempt=n) for n in range(1, ATTEMPTS + 2)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: type(error).__name__)
def test_what_cannot_pass_is_tried_once(error: Exception) -> None:
    assert not again(error)


def test_prefect_itself_would_try_longer_so_that_the_condition_ends_it() -> None:
    assert STEP["retries"] >= ATTEMPTS
    assert STEP["retry_condition_fn"] is may_pass
