from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled

from mrunners_flows import finish
from mrunners_flows.new_run import multirunners
from tests.unit.env import options


class Lines:
    """A logger that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(
    ("on_cancel", "said"),
    [
        ("keep", "tracker mrunners in namespace load stays and can be resumed"),
        ("delete", "tracker mrunners in namespace load could not be removed: kubeconfig /none: "),
    ],
)
def test_the_log_says_what_became_of_a_cancelled_run_even_where_no_cluster_can_be_had(
    on_cancel: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Lines()
    monkeypatch.setattr(finish, "flow_run_logger", lambda flow_run, flow: lines)
    asked = options(kubeconfig="/none").model_dump(mode="json")
    parameters = {"options": asked, "policy": {"on_cancel": on_cancel}}
    flow_run = FlowRun(flow_id=UUID(int=1), parameters=parameters)
    finish.remove_when_cancelled(multirunners, flow_run, Cancelled())
    (line,) = lines.said
    assert line.startswith(said)
