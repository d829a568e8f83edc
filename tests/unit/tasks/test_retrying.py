import httpx
import pytest
from prefect import task
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
from mrunners_tasks.retrying import ATTEMPTS, STEP, may_pass

PASSING = [
    UnreachableError("gone"),
    OSError(28, "No space left on device"),
    ConnectionResetError(104, "Connection reset by peer"),
    httpx.ConnectError("All connection attempts failed"),
]
LASTING = [
    InvalidInputError("bad"),
    RefusedError("theirs", namespace="load"),
    StillRunningError("wait", jobs=()),
    IncompleteError("half"),
    WaitTimeoutError("late", seconds=1),
    UnauthorizedError("who"),
    ForbiddenError("no", verb="get", resource="pods", namespace="load"),
    ApiStatusError("bad", status=422),
    KeyError("a defect"),
]


@task
def step() -> None:
    """Anything."""


def again(error: Exception, *, attempt: int = 1) -> bool:
    task_run = TaskRun(task_key="step", dynamic_key="0", run_count=attempt)
    return may_pass(step, task_run, Failed(data=error))


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_tried_again_until_the_attempts_are_used_up(error: Exception) -> None:
    assert [again(error, attempt=n) for n in range(1, ATTEMPTS + 2)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_cannot_pass_is_tried_once(error: Exception) -> None:
    assert not again(error)


def test_prefect_itself_would_try_longer_so_that_the_condition_ends_it() -> None:
    assert STEP["retries"] >= ATTEMPTS
    assert STEP["retry_condition_fn"] is may_pass
