"""Follows a flow run on a Prefect server and reports its end as a run in this process would."""

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

from mrunners.errors import ExitCode, NextStep
from mrunners.hints import command
from mrunners.plan.options import RunOptions
from mrunners_cli.console import LINE_SECONDS, Console, print_error, print_line
from mrunners_cli.exits import Terminated
from mrunners_flows.policy import RunPolicy
from mrunners_flows.states import exit_code_of_state

__all__ = ["follow"]

T = TypeVar("T")

POLL_SECONDS = 2.0

# As long as the core retries for an API server that has answered once.
OUTAGE_SECONDS = 600.0

# A run cannot end in these states without a report, and so not without a tracker. TimedOut proves
# nothing: the flow may have waited for an earlier run.
_STATES_WITH_REPORT = frozenset({"Completed", "Incomplete", "SloViolated", "InDoubt"})

# Prefect records the end of a task a little after it, and maybe after the end of its flow run.
RECORD_SECONDS = 10.0


def follow(
    client: SyncPrefectClient, run: FlowRun, options: RunOptions, console: Console, *, wait: bool
) -> int:
    """Report what becomes of a flow run until it has ended, and return the exit code.

    Args:
        client: Of the server that has it.
        run: Just triggered.
        options: Of the run.
        console: Prints the tracker's name once the tracker exists.
        wait: Whether to follow it to its end; otherwise only until the tracker exists.

    Raises:
        httpx.HTTPError: The server does not answer any more.
        PrefectException: The server answers with an error.
    """
    try:
        return _until_ended(client, run, options, console, wait=wait)
    except (KeyboardInterrupt, Terminated):
        console.info(
            f"the flow run continues on its worker; cancel it with: prefect flow-run cancel "
            f"{run.id}"
        )
        raise


def _until_ended(
    client: SyncPrefectClient, run: FlowRun, options: RunOptions, console: Console, *, wait: bool
) -> int:
    reported_state = reported_progress = ""
    reported_at = time.monotonic()
    while True:
        state, has_tracker = _with_retries(lambda: _read(client, run), console)
        if state.name != reported_state:
            reported_state = state.name or ""
            console.info(f"flow run is {reported_state}")
        if state.is_final() and not has_tracker:
            has_tracker = state.name in _STATES_WITH_REPORT or _recorded_later(
                client, run, state, console
            )
        if has_tracker:
            console.tracker_created(options.ref.tracker)
        if state.is_final():
            _report_end(run, state, options, console, has_tracker=has_tracker)
            return ExitCode.REFUSED if _was_dropped(state) else exit_code_of_state(state)
        if has_tracker and not wait:
            return ExitCode.DONE
        progress = _with_retries(lambda: _progress(client, run), console)
        facts, now = progress.partition(", about ")[0], time.monotonic()
        if facts != reported_progress or (progress and now - reported_at >= LINE_SECONDS):
            reported_progress, reported_at = facts, now
            console.info(progress)
        time.sleep(POLL_SECONDS)


def _recorded_later(
    client: SyncPrefectClient, run: FlowRun, state: State[Any], console: Console
) -> bool:
    """Whether a run that timed out turns out to have had its tracker."""
    if state.name != "TimedOut":
        return False
    deadline = time.monotonic() + RECORD_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        if _with_retries(lambda: _read(client, run), console)[1]:
            return True
    return False


def _read(client: SyncPrefectClient, run: FlowRun) -> tuple[State[Any], bool]:
    """Return the flow run's state, and whether its tracker is known to exist."""
    steps = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(name=TaskRunFilterName(like_="create-tracker")),
    )
    state = client.read_flow_run(run.id).state
    assert state is not None
    return state, any(step.state is not None and step.state.is_completed() for step in steps)


def _progress(client: SyncPrefectClient, run: FlowRun) -> str:
    """Return what the latest progress artifact says; empty when there is none yet."""
    artifacts = client.read_artifacts(
        artifact_filter=ArtifactFilter(type=ArtifactFilterType(any_=["progress"])),
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        limit=1,
        sort=ArtifactSort.CREATED_DESC,
    )
    return artifacts[0].description or "" if artifacts else ""


def _was_dropped(state: State[Any]) -> bool:
    """Whether the deployment's own limit kept the flow run from starting, by its message."""
    return state.is_cancelled() and "concurrency limit" in (state.message or "")


def _report_end(
    run: FlowRun, state: State[Any], options: RunOptions, console: Console, *, has_tracker: bool
) -> None:
    if _was_dropped(state):
        print_line(
            "error: the deployment already has as many flow runs as its concurrency limit allows "
            f"({state.message}); wait for them, or raise the limit"
        )
    elif state.is_cancelled():
        print_line("error: the flow run was cancelled")
    elif state.name == "Invalid":
        for line in (state.message or "").splitlines():
            print_line(f"error: {line}")
    elif not state.is_completed():
        print_error(state.message or state.name or "")
    elif state.message:
        # The verdict comes last, behind the warnings, which are printed even when quiet.
        verdict, *findings = state.message.splitlines()
        for line in findings:
            print_line(line)
        console.info(verdict)
    ref = options.ref
    if has_tracker and (state.is_cancelled() or state.is_crashed()):
        console.info(
            "what it deployed continues, unless its policy deletes it; resume it with: "
            f"{command(NextStep.RESUME, ref)}; delete it with: "
            f"{command(NextStep.FORCE_DELETE, ref)}"
        )
    if options.wait and state.name in _STATES_WITH_REPORT:
        policy = RunPolicy.model_validate(run.parameters.get("policy") or {})
        places = []
        if policy.save:
            places.append(f"among the flow run's artifacts: {url_for(run) or run.id}")
        if policy.cleanup == "keep":
            places.append(f"with: {command(NextStep.RESULT, ref)}")
        if places:
            console.info(f"get the report {', or '.join(places)}")


def _with_retries(read: Callable[[], T], console: Console) -> T:
    """Read from the Prefect server, and retry while it is away: it has answered before.

    Raises:
        httpx.HTTPError: It does not answer any more.
    """
    started = time.monotonic()
    reported = False
    while True:
        try:
            answer = read()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            if time.monotonic() - started > OUTAGE_SECONDS or not _is_transient(error):
                raise
            if not reported:
                reported = True
                console.warn(f"the Prefect server does not answer ({error}); retrying")
            time.sleep(POLL_SECONDS)
        else:
            if reported:
                console.warn("the Prefect server answers again")
            return answer


def _is_transient(error: httpx.TransportError | PrefectHTTPStatusError) -> bool:
    return not isinstance(error, PrefectHTTPStatusError) or error.response.status_code >= 500
