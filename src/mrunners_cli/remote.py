"""`mrunners run --deployment`: triggers a deployment and follows its flow run.

The cluster and the paths in the options are the worker's; neither is touched here.
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
from mrunners_cli.prefect_url import check_prefect_url
from mrunners_tasks.credentials import kubeconfig_problem

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

__all__ = ["run_remotely"]


def run_remotely(
    deployment: str, options: RunOptions, given: Collection[str], console: Console
) -> int:
    """Trigger a deployment of the flow `multirunners`.

    Args:
        deployment: Its name, or `flow/name`.
        options: The command line's options; paths in them are the worker's.
        given: The options that were given; the others are the deployment's.
        console: Prints the tracker's name once the tracker exists.

    Returns:
        The exit code that a run in this process would have; unless `options.wait` is given, 0 as
        soon as the tracker exists.

    Raises:
        InvalidInputError: There is no such deployment, or it does not accept these options.
        UnreachableError: The Prefect server does not answer.
    """
    if "runners" in given:
        parse_runners(options.runners)
    server = get_current_settings().api.url
    if not server:
        raise InvalidInputError(
            "--deployment needs a Prefect server: set PREFECT_API_URL, such as "
            "http://127.0.0.1:4200/api"
        )
    check_prefect_url(server)
    name = deployment if "/" in deployment else f"multirunners/{deployment}"
    try:
        with get_client(sync_client=True) as client:
            found = _deployment(client, name)
            parameters, whole = _parameters(found, _given_values(options, given))
            run = run_deployment(found.id, parameters=parameters, timeout=0, as_subflow=False)
            assert not hasattr(run, "__await__")
            # Its name is generated, and the run gets a better one when it begins.
            console.info(f"flow run: {url_for(run) or run.id}")
            console.info("paths and kubeconfig in the options are those of the worker's machine")
            wait = options.wait and "wait" in given
            return follow(client, run, whole, console, wait=wait)
    except (httpx.HTTPError, PrefectException) as error:
        raise UnreachableError(
            f"the Prefect server does not answer as expected: {error}; check PREFECT_API_URL"
        ) from error


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(name)
    except (ObjectNotFound, ValueError) as error:
        raise InvalidInputError(
            f"--deployment: {client.api_url} has no deployment {name}; list them with: prefect "
            "deployment ls, and name one of another flow as FLOW/NAME"
        ) from error


def _given_values(options: RunOptions, given: Collection[str]) -> dict[str, Any]:
    """Return only the options that were given, in the form in which the flow takes them."""
    values = options.model_dump(mode="json")
    advanced = values.pop("advanced")
    chosen = {*given} | ({"if_exists"} if {"resume", "replace"} & {*given} else set())
    kept = {name: value for name, value in values.items() if name in chosen}
    kept_advanced = {name: value for name, value in advanced.items() if name in chosen}
    return {**kept, "advanced": kept_advanced} if kept_advanced else kept


def _overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings as one, key by key; where both have a value, the second wins."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = _overlaid(below, value)
        else:
            merged[name] = value
    return merged


def _parameters(
    deployment: DeploymentResponse, given: Mapping[str, Any]
) -> tuple[dict[str, Any], RunOptions]:
    """Return the flow's parameters: the deployment's own, overlaid with what was given.

    Raises:
        InvalidInputError: One line per value that the deployment's schema or the flow would
            refuse.
    """
    schema = deployment.parameter_openapi_schema or {}
    if "options" not in schema.get("properties", {}):
        raise InvalidInputError(
            f"--deployment {deployment.name}: its flow takes no options of a run; choose a "
            "deployment of the flow multirunners: prefect deployment ls"
        )
    # What the form must ask for, a run that is resumed by its tracker alone does not need.
    asked: dict[str, Any] = {"options": {"runners": [], "runner_image": ""}}
    parameters = _overlaid(_overlaid(asked, deployment.parameters or {}), {"options": given})
    if not parameters["options"].get("namespace"):
        raise InvalidInputError(
            f"--deployment {deployment.name}: it sets no namespace; give one with -n NAME"
        )
    try:
        options = RunOptions.model_validate(parameters["options"])
    except ValidationError as error:
        raise InvalidInputError(
            f"--deployment {deployment.name}: its own options are not those of a run: "
            + "; ".join(str(problem["msg"]) for problem in error.errors(include_url=False))
        ) from error
    # Before the schema, which has the same bounds without a reason.
    validate_options(options)
    if (problem := kubeconfig_problem(options.kubeconfig)) is not None:
        raise InvalidInputError(problem)
    if options.runners:
        parse_runners(options.runners)
    problems = [
        f"--deployment {deployment.name}: it does not accept {error.json_path}: {error.message}"
        for error in validate(parameters, schema)
    ]
    if problems:
        raise InvalidInputError(problems)
    return parameters, options
