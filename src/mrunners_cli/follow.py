"""Follows a flow run on a Prefect server, and tells its end as a run in this process would.

It must not trigger or end anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterType,
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterName,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.urls import url_for

from mrunners.errors import ExitCode
from mrunners.plan.options import RunOptions
from mrunners_cli.console import Console, print_line
from mrunners_cli.exits import Terminated
from mrunners_flows.policy import CleanupPolicy, RunPolicy
from mrunners_flows.states import exit_code_of_state

__all__ = ["follow"]

T = TypeVar("T")

POLL_SECONDS = 2.0

# As long as the core is patient with an API server that has answered once.
PATIENCE_SECONDS = 600.0

# A run cannot end in these states without a report, and so not without a tracker. TimedOut is no
# proof of one: an earlier run may have been waited for.
_WITH_REPORT = frozenset({"Completed", "Incomplete"})

# Prefect writes down what a step came to a little after it ended, and maybe after its flow run.
RECORD_SECONDS = 10.0


def follow(
    client: SyncPrefectClient, run: FlowRun, options: RunOptions, console: Console, *, wait: bool
) -> int:
    """Tell what becomes of a flow run, until it has ended.

    Args:
        client: of the server that has it.
        run: just triggered.
        options: of the run.
        console: prints the tracker's name once the tracker stands.
        wait: otherwise only until then.
    Returns: the exit code.
    Raises: httpx.HTTPError, PrefectException: the server stays away.
    """
    try:
        return _until_ended(client, run, options, console, wait=wait)
    except (KeyboardInterrupt, Terminated):
        console.info(
            f"the flow run goes on at its worker; end it with: prefect flow-run cancel {run.id}"
        )
        raise


def _until_ended(
    client: SyncPrefectClient, run: FlowRun, options: RunOptions, console: Console, *, wait: bool
) -> int:
    said = told = ""
    while True:
        state, stands = _patiently(lambda: _look(client, run), console)
        if state.name != said:
            said = state.name or ""
            console.info(f"flow run is {said}")
        if state.is_final() and not stands:
            stands = state.name in _WITH_REPORT or _recorded(client, run, state, console)
        if stands:
            console.tracker(options.advanced.tracker)
        if state.is_final():
            _tell_ending(run, state, options, console, stands=stands)
            return ExitCode.REFUSED if _dropped(state) else exit_code_of_state(state)
        if stands and not wait:
            return ExitCode.DONE
        if (progress := _patiently(lambda: _progress(client, run), console)) != told:
            told = progress
            console.info(told)
        time.sleep(POLL_SECONDS)


def _recorded(client: SyncPrefectClient, run: FlowRun, state: State[Any], console: Console) -> bool:
    """Whether a run that timed out turns out to have had its tracker."""
    if state.name != "TimedOut":
        return False
    deadline = time.monotonic() + RECORD_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        if _patiently(lambda: _look(client, run), console)[1]:
            return True
    return False


def _look(client: SyncPrefectClient, run: FlowRun) -> tuple[State[Any], bool]:
    """The flow run's state, and whether its tracker is known to stand."""
    steps = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(name=TaskRunFilterName(like_="create-tracker")),
    )
    state = client.read_flow_run(run.id).state
    assert state is not None
    return state, any(step.state is not None and step.state.is_completed() for step in steps)


def _progress(client: SyncPrefectClient, run: FlowRun) -> str:
    """What the latest progress artifact says; empty when there is none yet."""
    shown = client.read_artifacts(
        artifact_filter=ArtifactFilter(type=ArtifactFilterType(any_=["progress"])),
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        limit=1,
        sort=ArtifactSort.CREATED_DESC,
    )
    return shown[0].description or "" if shown else ""


def _dropped(state: State[Any]) -> bool:
    """Whether the deployment's own limit kept the flow run from starting, by its words."""
    return state.is_cancelled() and "concurrency limit" in (state.message or "")


def _tell_ending(
    run: FlowRun, state: State[Any], options: RunOptions, console: Console, *, stands: bool
) -> None:
    where = f"{options.namespace} --tracker {options.advanced.tracker}"
    if _dropped(state):
        print_line(
            f"error: as many runs of this deployment as may are under way ({state.message}); wait "
            "for them, or raise its concurrency limit"
        )
    elif state.is_cancelled():
        print_line("error: the flow run was cancelled")
    elif not state.is_completed():
        print_line(f"error: {state.message or state.name}")
    elif state.message:
        console.info(state.message)
    if stands and (state.is_cancelled() or state.is_crashed()):
        console.info(
            f"what it had deployed goes on unless it was told to remove it: see mrunners status "
            f"{where}; resume it with: mrunners run --namespace {where} --resume; remove it with: "
            f"mrunners delete {where} --force"
        )
    if options.wait and state.name in _WITH_REPORT:
        policy = RunPolicy.model_validate(run.parameters.get("policy") or {})
        places = []
        if policy.save:
            places.append(f"among the flow run's artifacts: {url_for(run) or run.id}")
        if policy.cleanup is CleanupPolicy.KEEP:
            places.append(f"with: mrunners result {where}")
        if places:
            console.info(f"see the report {', or '.join(places)}")


def _patiently(read: Callable[[], T], console: Console) -> T:
    """Read from the Prefect server, and bear that it is away for a while: it has answered before.

    Raises: httpx.HTTPError: it stays away.
    """
    began = time.monotonic()
    said = False
    while True:
        try:
            given = read()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            if time.monotonic() - began > PATIENCE_SECONDS or not _may_pass(error):
                raise
            if not said:
                said = True
                console.warn(f"the Prefect server does not answer ({error}); trying again")
            time.sleep(POLL_SECONDS)
        else:
            if said:
                console.warn("the Prefect server answers again")
            return given


def _may_pass(error: httpx.TransportError | PrefectHTTPStatusError) -> bool:
    return not isinstance(error, PrefectHTTPStatusError) or error.response.status_code >= 500
