import httpx
import pytest

from mrunners.errors import ExitCode, RefusedError, UnreachableError
from mrunners_cli.prefect_setup import prefect_errors

AWAY = [
    httpx.ConnectError("All connection attempts failed"),
    RuntimeError("Failed to reach API at http://127.0.0.1:9/api"),
    RuntimeError("Cannot create flow run. Failed to reach API at http://127.0.0.1:9/api/."),
    RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."),
]
OTHERS = [RuntimeError("a defect"), RefusedError("theirs", namespace="load"), KeyError("a defect")]


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_a_prefect_server_that_does_not_answer_is_unreachable(error: Exception) -> None:
    with pytest.raises(UnreachableError) as told, prefect_errors():
        raise error
    assert told.value.exit_code == ExitCode.CLUSTER
    assert str(told.value) == (
        f"the Prefect server does not answer: {error}; check PREFECT_API_URL, or unset it to run "
        "with a server of its own"
    )


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_any_other_error_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as same, prefect_errors():
        raise error
    assert same.value is error
