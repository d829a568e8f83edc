"""Steps as Prefect runs them: in a flow run, on a temporary Prefect server."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from prefect import flow, get_client, task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import (
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_LEVEL,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    temporary_settings,
)
from prefect.states import Completed
from prefect.testing.utilities import prefect_test_harness

from mrunners.errors import RefusedError, UnreachableError
from mrunners_tasks._step import step
from mrunners_tasks.jobs import seconds_since_first_attempt

# Prefect records the end of a task a little after it.
RECORD_SECONDS = 60.0

_key_arguments: list[Mapping[str, Any]] = []
_calls: list[str] = []


@dataclass(frozen=True)
class Box:
    """A record; Prefect would replace a state in it by the state's result."""

    content: object


@pytest.fixture(scope="module", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("prefect")
    updates = {
        PREFECT_HOME: home,
        PREFECT_LOCAL_STORAGE_PATH: home / "storage",
        PREFECT_LOGGING_LEVEL: "CRITICAL",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with temporary_settings(updates), prefect_test_harness(server_startup_timeout=240):
        yield


def _key(context: TaskRunContext, arguments: Mapping[str, Any]) -> str:
    del context
    _key_arguments.append(arguments)
    return f"key of {arguments['label']} and {len(arguments['boxes'])} boxes"


def _contents(boxes: Sequence[Box]) -> list[object]:
    return [box.content for box in boxes]


@step("fill-boxes", run_name="fill {label}")
def fill_boxes(contents: Sequence[object], label: str, *, twice: bool = False) -> list[Box]:
    """Put each content into a box."""
    _calls.append(label)
    return [Box(content) for content in contents] * (2 if twice else 1)


@step("open-boxes", run_name="open {label}", cache=CachePolicy.from_cache_key_fn(_key))
def open_boxes(boxes: Sequence[Box], label: str) -> list[str]:
    """Name the type of each content."""
    _calls.append(label)
    return [type(content).__name__ for content in _contents(boxes)]


@step("refuse")
def refuse(boxes: Sequence[Box]) -> None:
    """Raise an error that is not transient."""
    _calls.append("refuse")
    raise RefusedError("theirs", namespace="load", tracker=str(boxes[0].content))


_started_at: list[object] = []


@step("fail-once")
def fail_once() -> float:
    """Fail in the first attempt; return how long the step has been running."""
    context = TaskRunContext.get()
    assert context is not None
    _started_at.append(context.task_run.start_time)
    if len(_started_at) == 1:
        raise UnreachableError("gone")
    return seconds_since_first_attempt()


@task
def open_as_task(boxes: Sequence[Box]) -> list[str]:
    """Do what `open_boxes` does, as a task of Prefect's own."""
    return [type(content).__name__ for content in _contents(boxes)]


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    _calls.clear()
    _key_arguments.clear()


def run_in_flow(*steps: Any) -> tuple[list[Any], str]:
    """Call the functions in one flow run; return what they return, and the flow run's ID."""

    @flow(name="steps", validate_parameters=False)
    def steps_in_flow() -> tuple[list[Any], str]:
        context = FlowRunContext.get()
        assert context is not None
        assert context.flow_run is not None
        return [call() for call in steps], str(context.flow_run.id)

    return steps_in_flow()


def _started(run: TaskRun) -> float:
    assert run.start_time is not None
    return run.start_time.timestamp()


def task_runs(flow_run: str, count: int) -> list[TaskRun]:
    """The task runs of a flow run, as recorded by the server, once they all have ended."""
    deadline = time.monotonic() + RECORD_SECONDS
    runs: list[TaskRun] = []
    while time.monotonic() < deadline:
        with get_client(sync_client=True) as client:
            chosen = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
            runs = client.read_task_runs(flow_run_filter=chosen)
        if len(runs) == count and all(run.state and run.state.is_final() for run in runs):
            return sorted(runs, key=_started)
        time.sleep(0.2)
    raise AssertionError(runs)


def test_a_step_gets_plain_values_and_its_task_run_has_the_label_in_its_name() -> None:
    results, flow_run = run_in_flow(
        lambda: fill_boxes([1, "a"], "by position"),
        lambda: fill_boxes(contents=[None], label="by name", twice=True),
    )
    assert results == [[Box(1), Box("a")], [Box(None), Box(None)]]
    runs = task_runs(flow_run, 2)
    assert [run.name for run in runs] == ["fill by position", "fill by name"]


def test_a_cache_key_is_computed_of_plain_values_and_a_cached_result_is_returned() -> None:
    boxes = [Box(1), Box("a")]
    results, flow_run = run_in_flow(
        lambda: open_boxes(boxes, "first"),
        lambda: open_boxes(boxes=boxes, label="first"),
        lambda: open_boxes(boxes[:1], "first"),
    )
    assert results == [["int", "str"], ["int", "str"], ["int"]]
    assert _calls == ["first", "first"]
    assert _key_arguments[0] == {"boxes": boxes, "label": "first"}
    assert all(type(given["boxes"]) is list for given in _key_arguments)
    states = [run.state.name for run in task_runs(flow_run, 3) if run.state is not None]
    assert states == ["Completed", "Cached", "Completed"]


def test_records_are_not_searched_for_states_and_futures() -> None:
    boxes = [Box(Completed(data=1))]
    results, _ = run_in_flow(lambda: open_boxes(boxes, "state"), lambda: open_as_task(boxes))
    assert results == [[State.__name__], ["int"]]


def test_the_graph_of_a_flow_run_shows_which_step_a_value_is_from() -> None:
    filled: list[list[Box]] = []
    _, flow_run = run_in_flow(
        lambda: filled.append(fill_boxes([1, 2, 3], "source")),
        lambda: open_boxes(filled[0], "target"),
    )
    source, target = task_runs(flow_run, 2)
    assert [given.id for given in target.task_inputs["boxes"]] == [source.id]  # type: ignore[union-attr]


def test_prefects_own_arguments_are_passed_on() -> None:
    futures: list[Any] = []
    call: Any = open_boxes
    results, flow_run = run_in_flow(
        lambda: futures.append(fill_boxes.submit([1], "submitted")),
        lambda: call([Box(1)], "waits", wait_for=futures).pop(),
        lambda: call([Box("a")] * 4, "state", return_state=True).name,
    )
    assert results == [None, "int", "Completed"]
    waiting = next(run for run in task_runs(flow_run, 3) if run.name == "open waits")
    assert len(waiting.task_inputs["wait_for"]) == 1


def test_the_time_of_a_step_counts_from_its_first_attempt() -> None:
    at_once = fail_once.with_options(retry_delay_seconds=0)
    ((seconds,), _) = run_in_flow(at_once)
    first, second = _started_at
    assert first == second
    assert first is not None
    assert seconds > 0


def test_outside_of_a_task_no_time_has_passed() -> None:
    assert seconds_since_first_attempt() == 0.0


def test_an_error_that_is_not_transient_is_raised_with_its_facts_and_not_retried() -> None:
    with pytest.raises(RefusedError, match="theirs") as caught:
        run_in_flow(lambda: refuse([Box("nightly")]))
    assert caught.value.tracker == "nightly"
    assert _calls == ["refuse"]
