from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from mrunners.errors import (
    ExitCode,
    InvalidOptionsError,
)
from mrunners.refs import ClusterRef
from mrunners_flows import RunTarget, delete, parameters, result, wait
from mrunners_flows.parameters import flow_run_name, form_label, validate_target
from mrunners_flows.states import exit_code_of_state
from tests.unit.env import options

WRONG = RunTarget(namespace="../kube-system", tracker="a/b")


def test_a_target_is_checked_before_it_becomes_part_of_a_request() -> None:
    with pytest.raises(InvalidOptionsError) as caught:
        validate_target(WRONG, timeout="soon")
    assert [problem.field for problem in caught.value.fields] == ["namespace", "tracker", "timeout"]


def test_a_valid_target_passes_with_and_without_optional_values() -> None:
    validate_target(RunTarget(namespace="load"))
    validate_target(RunTarget(namespace="load", tracker="nightly"), timeout="2h")


def test_a_target_names_its_cluster() -> None:
    target = RunTarget(namespace="load", kubeconfig="/etc/kubeconfig", context="prod")
    assert target.cluster == ClusterRef("/etc/kubeconfig", "prod")


@pytest.mark.parametrize("flow", [wait, result, delete], ids=lambda flow: str(flow.name))
def test_each_flow_about_a_run_first_checks_its_target(flow: Any) -> None:
    state: State[Any] = flow.fn(WRONG)
    assert (state.name, exit_code_of_state(state)) == ("Invalid", ExitCode.INVALID)
    assert [line.partition(":")[0] for line in (state.message or "").splitlines()] == [
        "Namespace",
        "Tracker",
    ]


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("namespace", "Namespace"),
        ("advanced.start_timeout", "Start timeout"),
        ("files.folder", "files.folder"),
    ],
)
def test_a_field_is_spelled_as_its_label_in_the_form(field: str, label: str) -> None:
    assert form_label(field) == label


def test_a_flow_runs_name_says_which_run_it_is_and_which_of_several_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow_run = SimpleNamespace(
        id="1a2b3c4d-0000-0000-0000-000000000000",
        parameters={"options": options(tracker="nightly")},
    )
    monkeypatch.setattr(parameters, "runtime", SimpleNamespace(flow_run=flow_run))
    assert flow_run_name() == "load/nightly 1a2b3c4d"
