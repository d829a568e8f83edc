from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext

from mrunners.errors import (
    ExitCode,
    InvalidOptionsError,
)
from mrunners.refs import ClusterRef
from mrunners_flows import RunTarget, delete, multirunners, result, wait
from mrunners_flows.parameters import flow_run_name, form_label, in_form_words, validate_target
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
        ("files.folder", "Folder"),
        ("policy.cleanup", "After the report is saved"),
        ("pods", "pods"),
    ],
)
def test_a_field_is_spelled_as_its_label_in_the_form(field: str, label: str) -> None:
    assert form_label(field) == label


RUN_ID = UUID("01a21617-a9cd-709c-8000-0123456789ab")
NIGHT = datetime(2026, 11, 27, 3, 0, tzinfo=timezone(timedelta(hours=1)))


def in_flow_run(flow_run: FlowRun, parameters: dict[str, Any]) -> FlowRunContext:
    """What surrounds a flow run that is about to begin, as far as its name needs it."""
    known: Any = FlowRunContext
    context: FlowRunContext = known.model_construct(flow_run=flow_run, parameters=parameters)
    return context


def name_of(flow: Any, *, name: str = "calm-otter", night: datetime | None = None) -> str:
    """The name that a flow run gets whose parameters are those of a run and of a target."""
    flow_run = FlowRun(
        id=RUN_ID,
        name=name,
        flow_id=RUN_ID,
        auto_scheduled=night is not None,
        expected_start_time=night or NIGHT,
    )
    parameters: dict[str, Any] = (
        {"options": options(tracker="nightly")}
        if flow is multirunners
        else {"run": RunTarget(namespace="load", tracker="nightly")}
    )
    with in_flow_run(flow_run, parameters):
        return str(flow.flow_run_name())


@pytest.mark.parametrize(
    ("flow", "name"),
    [
        (multirunners, "load/nightly 456789ab"),
        (wait, "wait load/nightly 456789ab"),
        (result, "result load/nightly 456789ab"),
        (delete, "delete load/nightly 456789ab"),
    ],
    ids=lambda value: str(getattr(value, "name", "")),
)
def test_a_flow_runs_name_says_what_it_is_about_and_which_of_several_it_is(
    flow: Any, name: str
) -> None:
    assert name_of(flow) == name


@pytest.mark.parametrize(
    "generated",
    [
        "calm-otter",
        "Incredible-Nutria",
        "Small-Vicuña",
        "psi3-watt",
        "alpha357-canis-majoris-nebula",
        "rho--vector",
    ],
)
def test_a_name_that_prefect_or_its_form_has_generated_is_replaced(generated: str) -> None:
    assert name_of(multirunners, name=generated) == "load/nightly 456789ab"


@pytest.mark.parametrize(
    ("start", "time"),
    [
        (NIGHT, "2026-11-27 02:00 UTC"),
        (NIGHT + timedelta(days=1), "2026-11-28 02:00 UTC"),
        (NIGHT + timedelta(seconds=45), "2026-11-27 02:00:45 UTC"),
    ],
)
def test_scheduled_runs_are_told_apart_by_their_time(start: datetime, time: str) -> None:
    assert name_of(multirunners, night=start) == f"load/nightly {time}"


@pytest.mark.parametrize(
    "chosen",
    [
        "my-own-name",
        "load/nightly 2026-11-27 02:00 UTC",
        "Before",
        "beta",
        "nightly-2",
        "v1-2026",
        "before_upgrade-10",
    ],
)
def test_a_name_that_somebody_chose_and_that_of_a_retry_stay(chosen: str) -> None:
    assert name_of(multirunners, name=chosen) == chosen


def test_a_target_without_a_tracker_is_named_by_its_namespace() -> None:
    flow_run = FlowRun(id=RUN_ID, name="calm-otter", flow_id=RUN_ID)
    parameters = {"run": RunTarget(namespace="load")}
    with in_flow_run(flow_run, parameters):
        assert flow_run_name("wait")() == "wait load 456789ab"


def test_fields_in_a_text_are_spelled_as_their_labels() -> None:
    text = "requires files.folder; see https://files.example and policy.save"
    assert in_form_words(text) == (
        'requires "Folder"; see https://files.example and "Save artifacts"'
    )


@pytest.mark.parametrize(
    "text",
    [
        "/etc/policy.save: no such file",
        "file://files.url?numbers=2",
        "my-files.folder",
        "policy.save.yaml",
        "files.folder/x",
        "files.folder-2",
    ],
)
def test_a_text_of_the_user_that_resembles_a_field_stays(text: str) -> None:
    assert in_form_words(text) == text


def test_a_field_at_the_end_of_a_sentence_or_in_quotes_is_spelled_as_its_label() -> None:
    assert in_form_words("set 'files.url', (policy.save).") == (
        'set \'"URL of the folder"\', ("Save artifacts").'
    )
