"""`mrunners run --deployment`: triggers a deployment and follows its flow run.

It must not touch the cluster or the paths in the options: both are the worker's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
import httpx
from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterName,
)
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectException, PrefectHTTPStatusError
from prefect.settings import get_current_settings
from prefect.utilities.schema_tools.validation import validate
from prefect.utilities.urls import url_for
from pydantic import ValidationError

from mrunners.errors import ExitCode, InvalidInputError, UnreachableError
from mrunners.inputs.loading import parse_runners
from mrunners.plan.options import RunOptions, check_options
from mrunners_cli.speaking import Speaker
from mrunners_flows.conduct import Conduct, Keeping
from mrunners_flows.outcome import exit_code_of_state
from mrunners_tasks.credentials import kubeconfig_problem

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import DeploymentResponse

__all__ = ["run_remotely"]

T = TypeVar("T")

POLL_SECONDS = 2.0

# As long as the core is patient with an API server that has answered once.
PATIENCE_SECONDS = 600.0

# A run cannot end in these states without a report, and so not without a tracker. TimedOut is no
# proof of one: an earlier run may have been waited for.
_WITH_REPORT = frozenset({"Completed", "Incomplete"})

# Prefect writes down what a step came to a little after it ended, and maybe after its flow run.
RECORD_SECONDS = 10.0


def run_remotely(
    deployment: str, asked: RunOptions, given: Collection[str], speaker: Speaker
) -> int:
    """Trigger a deployment of the flow `multirunners`.

    Args:
        deployment: its name, or `flow/name`.
        asked: the command line's options; paths in them are the worker's.
        given: which of them stood on the command line; the others are the deployment's.
        speaker: prints the tracker's name once the tracker stands.
    Returns: the exit code that a run in this process would end with; without `asked.wait`, 0 as
        soon as the tracker stands.
    Raises:
        InvalidInputError: there is no such deployment, or it does not take these options.
        UnreachableError: the Prefect server does not answer.
    """
    if asked.runners:
        parse_runners(asked.runners)
    if get_current_settings().api.url is None:
        raise InvalidInputError(
            "--deployment needs a Prefect server: set PREFECT_API_URL, such as "
            "http://127.0.0.1:4200/api"
        )
    name = deployment if "/" in deployment else f"multirunners/{deployment}"
    try:
        with get_client(sync_client=True) as client:
            found = _deployment(client, name)
            parameters, options = _parameters(found, _options_given(asked, given))
            run = run_deployment(found.id, parameters=parameters, timeout=0, as_subflow=False)
            assert not hasattr(run, "__await__")
            speaker.note(f"flow run {run.name}: {url_for(run) or run.id}")
            speaker.note("paths and kubeconfig in the options are those of the worker's machine")
            return _follow(client, run, options, speaker, wait=asked.wait)
    except (httpx.HTTPError, PrefectException) as error:
        raise UnreachableError(
            f"the Prefect server does not answer as expected: {error}; check PREFECT_API_URL"
        ) from error


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(name)
    except (ObjectNotFound, ValueError) as error:
        raise InvalidInputError(
            f"--deployment: there is no deployment {name} on {client.api_url}; list them with: "
            "prefect deployment ls"
        ) from error


def _options_given(asked: RunOptions, given: Collection[str]) -> dict[str, Any]:
    """Only what stood on the command line, in the form in which the flow takes it."""
    options = asked.model_dump(mode="json")
    advanced = options.pop("advanced")
    chosen = {*given} | ({"existing"} if {"resume", "replace"} & {*given} else set())
    kept = {name: value for name, value in options.items() if name in chosen}
    kept_advanced = {name: value for name, value in advanced.items() if name in chosen}
    return {**kept, "advanced": kept_advanced} if kept_advanced else kept


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings; where both have a value, the one above, and mappings key by key."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[name] = _laid_over(under, value)
        else:
            merged[name] = value
    return merged


def _parameters(
    deployment: DeploymentResponse, given: Mapping[str, Any]
) -> tuple[dict[str, Any], RunOptions]:
    """The flow's parameters: the deployment's own, with what was given over them.

    Raises: InvalidInputError: one line per value that the deployment's schema does not take, or
        that the flow would refuse.
    """
    parameters = _laid_over(deployment.parameters or {}, {"options": given})
    try:
        options = RunOptions.model_validate(parameters["options"])
    except ValidationError as error:
        raise InvalidInputError(
            f"--deployment {deployment.name}: its own options are not those of a run: "
            + "; ".join(str(one["msg"]) for one in error.errors(include_url=False))
        ) from error
    # Before the schema, which knows the same bounds without a reason.
    check_options(options)
    if (problem := kubeconfig_problem(options.kubeconfig)) is not None:
        raise InvalidInputError(problem)
    if options.runners:
        parse_runners(options.runners)
    problems = [
        f"--deployment {deployment.name}: it does not take {error.json_path}: {error.message}"
        for error in validate(parameters, deployment.parameter_openapi_schema or {})
    ]
    if problems:
        raise InvalidInputError(problems)
    return parameters, options


def _follow(
    client: SyncPrefectClient, run: FlowRun, options: RunOptions, speaker: Speaker, *, wait: bool
) -> int:
    said = ""
    while True:
        state, stands = _patiently(lambda: _look(client, run), speaker)
        if state.name != said:
            said = state.name or ""
            speaker.note(f"flow run is {said}")
        if state.is_final() and not stands:
            stands = state.name in _WITH_REPORT or _recorded(client, run, state, speaker)
        if stands:
            speaker.tracker(options.advanced.tracker)
        if state.is_final():
            _tell_ending(run, state, options, speaker)
            return exit_code_of_state(state)
        if stands and not wait:
            return ExitCode.DONE
        time.sleep(POLL_SECONDS)


def _recorded(client: SyncPrefectClient, run: FlowRun, state: State[Any], speaker: Speaker) -> bool:
    """Whether a run that timed out turns out to have had its tracker."""
    if state.name != "TimedOut":
        return False
    deadline = time.monotonic() + RECORD_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        if _patiently(lambda: _look(client, run), speaker)[1]:
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


def _tell_ending(run: FlowRun, state: State[Any], options: RunOptions, speaker: Speaker) -> None:
    if not state.is_completed():
        click.echo(f"error: {state.message or state.name}", err=True)
    elif state.message:
        speaker.note(state.message)
    if options.wait and state.name in _WITH_REPORT:
        conduct = Conduct.model_validate(run.parameters.get("conduct") or {})
        places = []
        if conduct.save:
            places.append(f"among the flow run's artifacts: {url_for(run) or run.id}")
        if conduct.cleanup is Keeping.KEEP:
            where = f"{options.namespace} --tracker {options.advanced.tracker}"
            places.append(f"with: mrunners result {where}")
        if places:
            speaker.note(f"see the report {', or '.join(places)}")


def _patiently(read: Callable[[], T], speaker: Speaker) -> T:
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
                speaker.warn(f"the Prefect server does not answer ({error}); trying again")
            time.sleep(POLL_SECONDS)
        else:
            if said:
                speaker.warn("the Prefect server answers again")
            return given


def _may_pass(error: httpx.TransportError | PrefectHTTPStatusError) -> bool:
    return not isinstance(error, PrefectHTTPStatusError) or error.response.status_code >= 500
