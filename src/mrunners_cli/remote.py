"""`mrunners run --deployment`: triggers a deployment and follows its flow run.

It must not touch the cluster or the paths in the options: both are the worker's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import httpx
from prefect import get_client
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import get_current_settings
from prefect.utilities.schema_tools.validation import validate
from prefect.utilities.urls import url_for
from pydantic import ValidationError

from mrunners.errors import InvalidInputError, UnreachableError
from mrunners.plan.options import RunOptions, validate_options
from mrunners.profiles.loading import parse_runners
from mrunners_cli.console import Console
from mrunners_cli.follow import follow
from mrunners_tasks.credentials import kubeconfig_problem

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

__all__ = ["run_remotely"]


def run_remotely(
    deployment: str, asked: RunOptions, given: Collection[str], console: Console
) -> int:
    """Trigger a deployment of the flow `multirunners`.

    Args:
        deployment: its name, or `flow/name`.
        asked: the command line's options; paths in them are the worker's.
        given: which of them stood on the command line; the others are the deployment's.
        console: prints the tracker's name once the tracker stands.
    Returns: the exit code that a run in this process would end with; without `asked.wait`, 0 as
        soon as the tracker stands.
    Raises:
        InvalidInputError: there is no such deployment, or it does not take these options.
        UnreachableError: the Prefect server does not answer.
    """
    if asked.runners:
        parse_runners(asked.runners)
    if not get_current_settings().api.url:
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
            console.info(f"flow run {run.name}: {url_for(run) or run.id}")
            console.info("paths and kubeconfig in the options are those of the worker's machine")
            return follow(client, run, options, console, wait=asked.wait)
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
            "prefect deployment ls, and name one of another flow as FLOW/NAME"
        ) from error


def _options_given(asked: RunOptions, given: Collection[str]) -> dict[str, Any]:
    """Only what stood on the command line, in the form in which the flow takes it."""
    options = asked.model_dump(mode="json")
    advanced = options.pop("advanced")
    chosen = {*given} | ({"if_exists"} if {"resume", "replace"} & {*given} else set())
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
    if "options" not in (deployment.parameter_openapi_schema or {}).get("properties", {}):
        raise InvalidInputError(
            f"--deployment {deployment.name}: its flow takes no options of a run; choose one of "
            "the flow multirunners: prefect deployment ls"
        )
    parameters = _laid_over(deployment.parameters or {}, {"options": given})
    try:
        options = RunOptions.model_validate(parameters["options"])
    except ValidationError as error:
        raise InvalidInputError(
            f"--deployment {deployment.name}: its own options are not those of a run: "
            + "; ".join(str(one["msg"]) for one in error.errors(include_url=False))
        ) from error
    # Before the schema, which knows the same bounds without a reason.
    validate_options(options)
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
