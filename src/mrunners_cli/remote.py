"""`mrunners run --deployment`: triggers a deployment and follows its flow run.

It must not touch the cluster or the paths in the options: both are the worker's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

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
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.utilities.schema_tools.validation import validate
from prefect.utilities.urls import url_for

from mrunners.errors import ExitCode, InvalidInputError, UnreachableError
from mrunners.inputs.loading import parse_runners
from mrunners_cli.speaking import Speaker
from mrunners_flows.outcome import exit_code_of_state

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

    from mrunners.plan.options import RunOptions

__all__ = ["run_remotely"]

POLL_SECONDS = 2.0


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
    parse_runners(options.runners) if options.runners else None
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
    stands = False
    while True:
        state = client.read_flow_run(run.id).state
        assert state is not None
        if state.name != said:
            said = state.name or ""
            speaker.note(f"flow run is {said}")
        if not stands and _tracker_stands(client, run):
            stands = True
            speaker.tracker(options.advanced.tracker)
        if state.is_final():
            if state.message and not state.is_completed():
                click.echo(f"error: {state.message}", err=True)
            return exit_code_of_state(state)
        if stands and not options.wait:
            return ExitCode.DONE
        time.sleep(POLL_SECONDS)


def _tracker_stands(client: SyncPrefectClient, run: FlowRun) -> bool:
    steps = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(name=TaskRunFilterName(like_="create-tracker")),
    )
    return any(step.state is not None and step.state.is_completed() for step in steps)
