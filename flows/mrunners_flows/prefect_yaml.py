"""Checks a prefect.yaml more strictly than `prefect deploy` does.

Prefect silently accepts misspelled keys, unknown parameters and entrypoints that cannot be
imported. No Prefect server is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

# Private, but there is no public list of the keys of a prefect.yaml, and one of our own would fall
# behind Prefect's. pyproject.toml keeps Prefect below 3.10, and tests/prefect notices a change.
from prefect.cli.deploy._models import (
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    RawScheduleConfig,
    WorkPoolConfig,
)
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.exceptions import ParameterTypeError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.schema_tools.validation import validate
from prefect.workers.base import BaseWorker
from pydantic import BaseModel, ValidationError

from mrunners.errors import InvalidInputError, InvalidOptionsError
from mrunners.plan.options import RunOptions, validate_options
from mrunners.profiles.loading import parse_runners
from mrunners.text import did_you_mean
from mrunners_flows.parameters import RunTarget
from mrunners_flows.policy import RunPolicy, validate_policy
from mrunners_tasks.credentials import kubeconfig_problem

__all__ = ["validate_deployments"]

# Where YAML anchors are kept; Prefect ignores it.
_ANCHORS = "definitions"

# What a schema refuses by these, `validate_options` refuses with a reason.
_BOUNDS = frozenset({"pattern", "minLength", "maxLength", "maxItems"})


def validate_deployments(path: Path) -> list[str]:
    """Check every deployment of a prefect.yaml and return the deployments' names.

    Raises:
        InvalidInputError: One line per problem.
    """
    document = _read(path)
    deployments = document.get("deployments") or []
    if not isinstance(deployments, list):
        raise InvalidInputError(f"{path}: deployments: must be a list")
    problems = [
        *_unknown_keys(document, PrefectYamlModel, "", also={_ANCHORS}),
        *_pull_problems(document),
    ]
    names: list[str] = []
    for place, deployment in enumerate(deployments):
        if not isinstance(deployment, dict):
            problems.append(f"deployments[{place}]: must be a mapping")
            continue
        name = str(deployment.get("name") or f"deployments[{place}]")
        if name in names:
            problems.append(f"{name}: another deployment has the same name")
        names.append(name)
        problems += [f"{name}: {problem}" for problem in _deployment_problems(deployment)]
    if not deployments:
        problems.append("there are no deployments")
    if problems:
        raise InvalidInputError([f"{path}: {problem}" for problem in problems])
    return names


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: not valid UTF-8") from error
    except yaml.MarkedYAMLError as error:
        # Its own text quotes the lines of the file.
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InvalidInputError(f"{path}: {where}not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInputError(f"{path}: not valid YAML") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"{path}: must be a mapping")
    return document


def _pull_problems(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("pull") is None:
        yield (
            "pull: missing; write `pull: []`, or `prefect deploy` stores the current folder as a "
            "step of every run"
        )


def _deployment_problems(deployment: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(deployment, DeploymentConfig, "")
    if not deployment.get("name"):
        yield "name: missing"
    pool = deployment.get("work_pool") or {}
    yield from _unknown_keys(pool, WorkPoolConfig, "work_pool.")
    if isinstance(pool, dict):
        if not pool.get("name"):
            yield "work_pool.name: missing"
        variables = pool.get("job_variables") or {}
        if isinstance(variables, dict):
            yield from _job_variable_problems(variables)
        else:
            yield "work_pool.job_variables: must be a mapping"
    yield from _limit_problems(deployment.get("concurrency_limit"))
    schedules = deployment.get("schedules") or []
    if not isinstance(schedules, list):
        yield "schedules: must be a list"
        schedules = []
    if deployment.get("schedule"):
        schedules = [deployment["schedule"], *schedules]
    for place, schedule in enumerate(schedules):
        yield from _schedule_problems(schedule, f"schedules[{place}]")
    yield from _entrypoint_problems(deployment, schedules)


def _limit_problems(limit: object) -> Iterator[str]:
    if isinstance(limit, dict):
        yield from _unknown_keys(limit, ConcurrencyLimitSpec, "concurrency_limit.")
        strategy = limit.get("collision_strategy", ConcurrencyLimitStrategy.ENQUEUE.value)
        known = [strategy.value for strategy in ConcurrencyLimitStrategy]
        if strategy not in known:
            hint = did_you_mean(str(strategy), known)
            yield f"concurrency_limit.collision_strategy: unknown: {strategy!r}{hint}"
        limit = limit.get("limit")
    if limit is not None and (type(limit) is not int or limit < 1):
        yield f"concurrency_limit: {limit!r} must be a positive integer"


def _schedule_problems(schedule: object, where: str) -> Iterator[str]:
    yield from _unknown_keys(schedule, RawScheduleConfig, f"{where}.")
    if not isinstance(schedule, dict):
        return
    kinds: list[tuple[str, Callable[..., object]]] = [
        ("cron", CronSchedule),
        ("interval", IntervalSchedule),
        ("rrule", RRuleSchedule),
    ]
    given = [(name, kind) for name, kind in kinds if schedule.get(name) is not None]
    if len(given) != 1:
        yield f"{where}: give exactly one of cron, interval and rrule"
        return
    name, kind = given[0]
    zone = {"timezone": schedule["timezone"]} if schedule.get("timezone") else {}
    try:
        kind(**{name: schedule[name]}, **zone)
    except (ValidationError, TypeError, ValueError) as error:
        yield f"{where}: {_in_one_line(error)}"


def _job_variable_problems(variables: Mapping[str, Any]) -> Iterator[str]:
    """Find variables that no installed worker type has."""
    known: set[str] = set()
    for kind in BaseWorker.get_all_available_worker_types():
        worker = BaseWorker.get_worker_class_from_type(kind)
        if worker is not None:
            known |= set(worker.get_default_base_job_template()["variables"]["properties"])
    for name in variables:
        if name not in known:
            yield (
                f"work_pool.job_variables.{name}: no installed worker type has it"
                f"{did_you_mean(str(name), known)}"
            )


def _entrypoint_problems(
    deployment: Mapping[str, Any], schedules: Sequence[object]
) -> Iterator[str]:
    entrypoint = deployment.get("entrypoint")
    if not isinstance(entrypoint, str):
        yield "entrypoint: missing"
        return
    try:
        flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    except SystemExit as error:
        yield f"entrypoint {entrypoint}: cannot be loaded: it calls sys.exit({error.code!r})"
        return
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        yield f"entrypoint {entrypoint}: cannot be loaded: {_in_one_line(error)}"
        return
    given = deployment.get("parameters") or {}
    if not isinstance(given, dict):
        yield "parameters: must be a mapping"
        return
    yield from _parameter_problems(flow, given, "parameters")
    for place, schedule in enumerate(schedules):
        own = schedule.get("parameters") if isinstance(schedule, dict) else None
        if not own:
            continue
        where = f"schedules[{place}].parameters"
        if not isinstance(own, dict):
            yield f"{where}: must be a mapping"
            continue
        # As Prefect's scheduler merges them: one level deep.
        for problem in _parameter_problems(flow, {**given, **own}, where, scheduled=True):
            lacks = problem.endswith("is a required property")
            yield problem + ("; it replaces all of the deployment's" if lacks else "")


def _parameter_problems(
    flow: Flow[..., Any], given: Mapping[str, Any], where: str, *, scheduled: bool = False
) -> Iterator[str]:
    """Find parameters that the flow does not take.

    Args:
        flow: The flow.
        given: The parameters in the file.
        where: Their place in the file.
        scheduled: Whether nobody gives what is missing when a run is started.
    """
    known = flow.parameters.properties
    for name in given:
        if name not in known:
            yield f"{where}.{name}: unknown{did_you_mean(str(name), known)}"
    given = {name: value for name, value in given.items() if name in known}
    # What is in the file must be valid, whether or not more is required.
    errors = validate(dict(given), flow.parameters.model_dump(), ignore_required=not scheduled)
    problems: list[str] = []
    if set(flow.parameters.required) <= set(given) and all(
        error.validator in _BOUNDS for error in errors
    ):
        problems = list(_value_problems(flow, given, where, scheduled=scheduled))
    yield from problems
    if not problems:
        for refused in errors:
            yield f"{where}{refused.json_path.removeprefix('$')}: {refused.message}"


def _value_problems(
    flow: Flow[..., Any], given: Mapping[str, Any], where: str, *, scheduled: bool
) -> Iterator[str]:
    try:
        values = flow.validate_parameters(dict(given))
    except (ParameterTypeError, ValidationError) as error:
        yield f"{where}: {_in_one_line(error)}"
        return
    for name, value in values.items():
        if isinstance(value, RunPolicy):
            yield from _problems(validate_policy, value, name, where)
        if isinstance(value, RunOptions | RunTarget) and (
            problem := kubeconfig_problem(value.kubeconfig)
        ):
            yield f"{where}: {problem}"
        if isinstance(value, RunOptions) and (value.runners or scheduled):
            yield from _problems(validate_options, value, name, where)
            yield from _problems(parse_runners, value.runners, name, where)


def _problems(
    check: Callable[[Any], object], value: object, name: str, where: str
) -> Iterator[str]:
    try:
        check(value)
    except InvalidOptionsError as error:
        yield from error.spelled(lambda field: f"{where}.{name}.{field.removeprefix(f'{name}.')}")
    except InvalidInputError as error:
        yield from (f"{where}: {problem}" for problem in error.problems)


def _in_one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
    return " ".join(str(error).split())


def _unknown_keys(
    given: object,
    model: type[BaseModel],
    prefix: str,
    *,
    also: frozenset[str] | set[str] = frozenset(),
) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{prefix.rstrip('.') or 'file'}: must be a mapping"
        return
    known = {field.alias or name for name, field in model.model_fields.items()} | {*also}
    for key in given:
        if key not in known:
            yield f"{prefix}{key}: unknown key{did_you_mean(str(key), known)}"
