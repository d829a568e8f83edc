import httpx
import pytest

from mrunners.errors import ExitCode, RefusedError, UnreachableError
from mrunners_cli.prefect_setup import prefect_errors

UNREACHABLE = [
    httpx.ConnectError("All connection attempts failed"),
    RuntimeError("Failed to reach API at http://127.0.0.1:9/api"),
    RuntimeError("Cannot create flow run. Failed to reach API at http://127.0.0.1:9/api/."),
    RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."),
]
OTHERS = [RuntimeError("a bug"), RefusedError("theirs", namespace="load"), KeyError("a bug")]


@pytest.mark.parametrize("error", UNREACHABLE, ids=str)
def test_a_prefect_server_that_does_not_answer_is_unreachable(error: Exception) -> None:
    with pytest.raises(UnreachableError) as caught, prefect_errors():
        raise error
    assert caught.value.exit_code == ExitCode.CLUSTER
    assert str(caught.value) == (
        f"the Prefect server does not answer: {error}; check PREFECT_API_URL, or unset it to use "
        "a temporary server"
    )


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_any_other_error_is_raised_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, prefect_errors():
        raise error
    assert caught.value is error
