from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled

from mrunners.connection import Connection
from mrunners.errors import RunCancelledError
from mrunners.run.observer import LoggingObserver
from mrunners.run.report_store import ReportStore
from mrunners_flows import finish
from mrunners_flows.finish import cancelled_state, delete_when_cancelled
from mrunners_flows.new_run import multirunners
from mrunners_flows.policy import CleanupPolicy, RunPolicy
from tests.fakes import FakeClock, FakeCluster
from tests.unit.env import deploy, options, planned

FLOW_RUN = UUID(int=1)
Hook = Callable[..., str]


class Lines:
    """A logger that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Calls the hook for a cancelled flow run and returns the line that it logs."""
    log = Lines()
    monkeypatch.setattr(finish, "flow_run_logger", lambda flow_run, flow: log)

    def call(on_cancel: CleanupPolicy, **changes: object) -> str:
        parameters = {
            "options": options(**changes).model_dump(mode="json"),
            "policy": {"on_cancel": on_cancel},
        }
        flow_run = FlowRun(id=FLOW_RUN, flow_id=UUID(int=2), parameters=parameters)
        delete_when_cancelled(multirunners, flow_run, Cancelled())
        (line,) = log.lines
        return line

    return call


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCluster:
    clock = FakeClock()
    monkeypatch.setattr("mrunners.run.delete.time", clock)
    monkeypatch.setattr("mrunners_flows.finish.time", clock)
    cluster = FakeCluster(clock)
    clock.then(cluster.collect_garbage)
    connection = Connection(cluster, LoggingObserver(), ReportStore(tmp_path))
    monkeypatch.setattr(finish, "connection_to", lambda _: connection)
    return cluster


@pytest.mark.parametrize(
    ("on_cancel", "start"),
    [
        ("keep", "tracker load/mrunners stays, and its run can be resumed"),
        ("delete", "tracker load/mrunners could not be deleted: kubeconfig /none: "),
    ],
)
def test_the_log_says_what_became_of_a_cancelled_run_even_without_a_cluster(
    on_cancel: CleanupPolicy, start: str, hook: Hook
) -> None:
    assert hook(on_cancel, kubeconfig="/none").startswith(start)


def test_a_cancelled_run_is_deleted_if_its_policy_says_so(cluster: FakeCluster, hook: Hook) -> None:
    deploy(cluster, planned(key=str(FLOW_RUN)))
    assert hook("delete") == "tracker load/mrunners was deleted"
    assert cluster.names("ConfigMap") == []


def test_one_wrong_404_does_not_keep_a_cancelled_run(cluster: FakeCluster, hook: Hook) -> None:
    deploy(cluster, planned(key=str(FLOW_RUN)))
    cluster.clock.then(cluster.collect_garbage)
    cluster.answer_gone("get_config_map")
    assert hook("delete") == "tracker load/mrunners was deleted"


def test_another_run_under_the_same_tracker_is_never_deleted(
    cluster: FakeCluster, hook: Hook
) -> None:
    deploy(cluster, planned(key="another key"))
    assert hook("delete") == "tracker load/mrunners of this run does not exist"
    assert cluster.names("ConfigMap") == ["mrunners"]


def test_parameters_that_were_refused_are_ignored() -> None:
    flow_run = FlowRun(flow_id=UUID(int=2), parameters={"options": {"namespace": 5}})
    delete_when_cancelled(multirunners, flow_run, Cancelled())


def test_a_flow_that_notices_its_cancellation_says_what_became_of_the_run() -> None:
    error = RunCancelledError("the flow run was cancelled while it waited")
    state = cancelled_state(options(), RunPolicy(), "key", error)
    assert state.is_cancelled()
    assert state.message == f"{error}; tracker load/mrunners stays, and its run can be resumed"
    assert (type(state.data), str(state.data)) == (RunCancelledError, state.message)
