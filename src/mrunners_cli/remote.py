"""`mrunners run --deployment`: triggers a deployment and follows its flow run.

It must not touch the cluster or the paths in the options: both are the worker's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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

from mrunners.errors import ExitCode, InvalidInputError, UnreachableError
from mrunners.inputs.loading import parse_runners
from mrunners_cli.speaking import Speaker
from mrunners_flows.conduct import Conduct, Keeping
from mrunners_flows.outcome import exit_code_of_state

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import DeploymentResponse

    from mrunners.plan.options import RunOptions

__all__ = ["run_remotely"]

T = TypeVar("T")

POLL_SECONDS = 2.0

# As long as the core is patient with an API server that has answered once.
PATIENCE_SECONDS = 600.0

# States that a run cannot end in without a tracker, and without a report.
_WITH_TRACKER = frozenset({"Completed", "Incomplete", "TimedOut"})
_WITH_REPORT = frozenset({"Completed", "Incomplete"})


def run_remotely(deployment: str, options: RunOptions, speaker: Speaker) -> int:
    """Trigger a deployment of the flow `multirunners`.

    Args:
        deployment: its name, or `flow/name`.
        options: checked by `check_options`; paths in them are the worker's.
        speaker: prints the tracker's name once the tracker stands.
    Returns: the exit code that a run in this process would end with; without `options.wait`, 0
        as soon as the tracker stands.
    Raises:
        InvalidInputError: there is no such deployment, or it does not take these options.
        UnreachableError: the Prefect server does not answer.
    """
    if options.runners:
        parse_runners(options.runners)
    if get_current_settings().api.url is None:
        raise InvalidInputError(
            "--deployment needs a Prefect server: set PREFECT_API_URL, such as "
            "http://127.0.0.1:4200/api"
        )
    name = deployment if "/" in deployment else f"multirunners/{deployment}"
    try:
        with get_client(sync_client=True) as client:
            found = _deployment(client, name)
            parameters = _parameters(found, options)
            run = run_deployment(found.id, parameters=parameters, timeout=0, as_subflow=False)
            assert not hasattr(run, "__await__")
            speaker.note(f"flow run {run.name}: {url_for(run) or run.id}")
            speaker.note("paths and kubeconfig in the options are those of the worker's machine")
            return _follow(client, run, options, speaker)
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


def _parameters(deployment: DeploymentResponse, options: RunOptions) -> dict[str, Any]:
    """The flow's parameters: the deployment's own, with these options over them.

    Raises: InvalidInputError: one line per value that the deployment's schema does not take.
    """
    parameters = {
        **(deployment.parameters or {}),
        "options": options.model_dump(mode="json"),
    }
    problems = [
        f"--deployment {deployment.name}: it does not take {error.json_path}: {error.message}"
        for error in validate(parameters, deployment.parameter_openapi_schema or {})
    ]
    if problems:
        raise InvalidInputError(problems)
    return parameters


def _follow(client: SyncPrefectClient, run: FlowRun, options: RunOptions, speaker: Speaker) -> int:
    said = ""
    while True:
        state, stands = _patiently(lambda: _look(client, run), speaker)
        if state.name != said:
            said = state.name or ""
            speaker.note(f"flow run is {said}")
        if stands or state.name in _WITH_TRACKER:
            speaker.tracker(options.advanced.tracker)
        if state.is_final():
            _tell_ending(run, state, options, speaker)
            return exit_code_of_state(state)
        if stands and not options.wait:
            return ExitCode.DONE
        time.sleep(POLL_SECONDS)


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
    while True:
        try:
            given = read()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            elapsed = time.monotonic() - began
            if elapsed > PATIENCE_SECONDS or not _may_pass(error):
                raise
            if elapsed < POLL_SECONDS:
                speaker.warn(f"the Prefect server does not answer ({error}); trying again")
            time.sleep(POLL_SECONDS)
        else:
            return given


def _may_pass(error: httpx.TransportError | PrefectHTTPStatusError) -> bool:
    return not isinstance(error, PrefectHTTPStatusError) or error.response.status_code >= 500
