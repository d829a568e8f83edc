import pytest

from mrunners_flows import parameters
from tests.unit.env import options


class Runtime:
    """What Prefect knows of the flow run that is about to begin."""

    class flow_run:  # noqa: N801 - as Prefect names it
        id = "1a2b3c4d-0000-0000-0000-000000000000"
        parameters = {"options": options(tracker="nightly")}  # noqa: RUF012


def test_a_flow_runs_name_says_where_it_is_and_which_of_many_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parameters, "runtime", Runtime)
    assert parameters.name_of_run() == "load/nightly 1a2b3c4d"
