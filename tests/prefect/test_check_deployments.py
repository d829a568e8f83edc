"""What `mrunners check-deployments` finds in a prefect.yaml before Prefect swallows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import Flow, load_flow_from_entrypoint

from mrunners.errors import InvalidInputError
from mrunners_flows.prefect_yaml import validate_deployments
from tests.cluster.commands import CHECKOUT

DEPLOYMENTS = CHECKOUT / "prefect.yaml"
NAMES = ["multirunners", "nightly", "mrunners-wait", "mrunners-result", "mrunners-delete"]

Change = Callable[[dict[str, Any]], object]


def _problems(folder: Path, document: object) -> list[str]:
    path = folder / "prefect.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    with pytest.raises(InvalidInputError) as caught:
        validate_deployments(path)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(DEPLOYMENTS.read_text())
    del document["definitions"]
    document["deployments"] = [document["deployments"][1]]
    return document


def test_the_projects_own_deployments_are_good() -> None:
    assert validate_deployments(DEPLOYMENTS) == NAMES


@pytest.mark.parametrize("deployment", yaml.safe_load(DEPLOYMENTS.read_text())["deployments"])
def test_each_entrypoint_is_a_flow_and_no_placeholder(deployment: dict[str, Any]) -> None:
    flow: Flow[..., Any] = load_flow_from_entrypoint(
        deployment["entrypoint"], use_placeholder_flow=False
    )
    name = deployment["entrypoint"].rsplit(".", 1)[1]
    assert flow.name == (name if name == "multirunners" else f"mrunners-{name}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            lambda d: d["deployments"][0].update(parametres={}),
            "nightly: parametres: unknown key; did you mean 'parameters'?",
            id="key",
        ),
        pytest.param(
            lambda d: d.update(deploymnets=[]),
            "deploymnets: unknown key; did you mean 'deployments'?",
            id="top-key",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["work_pool"].update(nmae="x"),
            "nightly: work_pool.nmae: unknown key; did you mean 'name'?",
            id="pool-key",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["work_pool"].pop("name"),
            "nightly: work_pool.name: missing",
            id="no-pool",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["work_pool"].update(job_variables={"evn": {}}),
            "nightly: work_pool.job_variables.evn: no installed worker type has it; "
            "did you mean 'env'?",
            id="job-variable",
        ),
        pytest.param(
            lambda d: d["deployments"][0].update(concurrency_limit={"limit": 0}),
            "nightly: concurrency_limit: 0 must be a positive integer",
            id="limit",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["concurrency_limit"].update(collision_strategy="DROP"),
            "nightly: concurrency_limit.collision_strategy: unknown: 'DROP'; known: CANCEL_NEW",
            id="strategy",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["schedules"][0].update(cron="0 25 * * *"),
            "nightly: schedules[0]: cron: ",
            id="cron",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["schedules"][0].update(timezone="Mars/Olympus"),
            "nightly: schedules[0]: timezone: ",
            id="timezone",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["schedules"][0].update(interval=60),
            "nightly: schedules[0]: give exactly one of cron, interval and rrule",
            id="two-schedules",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["schedules"][0].update(activ=True),
            "nightly: schedules[0].activ: unknown key; did you mean 'active'?",
            id="schedule-key",
        ),
        pytest.param(
            lambda d: d["deployments"][0].update(entrypoint="mrunners_flows.nightly.nightly"),
            "nightly: entrypoint mrunners_flows.nightly.nightly: cannot be loaded: ",
            id="entrypoint",
        ),
        pytest.param(
            lambda d: d["deployments"][0].pop("entrypoint"),
            "nightly: entrypoint: missing",
            id="no-entrypoint",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["parameters"].update(policys={}),
            "nightly: parameters.policys: unknown; did you mean 'policy'?",
            id="parameter",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["parameters"]["policy"].update(cleanup="always"),
            "nightly: parameters.policy.cleanup: 'always' is not one of ['keep', 'delete']",
            id="value",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["parameters"]["options"].update(
                runners=["file:///x?n=1"]
            ),
            "nightly: parameters: runner 1 of 1 (file:///x?n=1): ",
            id="uri",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["parameters"]["options"].update(timeout="soon"),
            "nightly: parameters.options.timeout: ",
            id="duration",
        ),
        pytest.param(
            lambda d: d["deployments"].append(d["deployments"][0]),
            "nightly: another deployment has the same name",
            id="twice",
        ),
        pytest.param(lambda d: d.pop("pull"), "pull: missing; write `pull: []`", id="pull"),
        pytest.param(
            lambda d: d.update(deployments=[]), "there are no deployments", id="no-deployment"
        ),
        pytest.param(
            lambda d: d.update(deployments=5), "deployments: must be a list", id="deployments-shape"
        ),
        pytest.param(
            lambda d: d["deployments"][0].update(parameters=["run"]),
            "nightly: parameters: must be a mapping",
            id="parameters-shape",
        ),
        pytest.param(
            lambda d: d["deployments"][0].update(schedules=True),
            "nightly: schedules: must be a list",
            id="schedules-shape",
        ),
        pytest.param(
            lambda d: d["deployments"][0]["work_pool"].update(job_variables=["env"]),
            "nightly: work_pool.job_variables: must be a mapping",
            id="job-variables-shape",
        ),
        pytest.param(
            lambda d: d.update(deployments=["nightly"]),
            "deployments[0]: must be a mapping",
            id="no-mapping",
        ),
    ],
)
def test_an_error_is_one_line_that_names_its_place(
    tmp_path: Path, change: Change, problem: str
) -> None:
    document = _document()
    change(document)
    (line,) = _problems(tmp_path, document)
    assert line.startswith(problem)


def _with_scheduled(parameters: object) -> dict[str, Any]:
    document = _document()
    (deployment,) = document["deployments"]
    options = {
        "namespace": "load",
        "service_account": "kperf-runner",
        "runner_image": "ghcr.io/azure/kperf:0.3.5",
        "runners": ["configmap:///load/mixed?numbers=4"],
    }
    deployment["parameters"] = {"options": options}
    deployment["schedules"] = [{"cron": "0 4 * * 6", "parameters": parameters}]
    return document


BIG = {
    "namespace": "load",
    "service_account": "kperf-runner",
    "runner_image": "ghcr.io/azure/kperf:0.3.5",
    "runners": ["configmap:///load/mixed?numbers=40"],
}


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"conductt": {}}, "conductt: unknown; known: options, policy"),
        (
            {"options": {name: BIG[name] for name in ("runners", "runner_image")}},
            "options: 'namespace' is a required property; it replaces all of the deployment's",
        ),
        (
            {"options": {**BIG, "runners": ["configmap:///load/mixed?number=40"]}},
            "runner 1 of 1 (configmap:///load/mixed?number=40): unknown query key 'number'; "
            "did you mean 'numbers'?",
        ),
    ],
)
def test_a_schedules_parameters_are_judged_as_prefect_lays_them_over_the_deployments(
    tmp_path: Path, parameters: object, problem: str
) -> None:
    (line,) = _problems(tmp_path, _with_scheduled(parameters))
    assert line.startswith("nightly: schedules[0].parameters")
    assert line.endswith(problem)


def test_a_schedules_parameters_must_be_a_mapping(tmp_path: Path) -> None:
    problems = _problems(tmp_path, _with_scheduled(["options"]))
    assert problems == ["nightly: schedules[0].parameters: must be a mapping"]


@pytest.mark.parametrize("parameters", [{}, {"options": BIG}, {"policy": {"cleanup": "delete"}}])
def test_a_schedule_may_have_parameters_of_its_own(tmp_path: Path, parameters: object) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(yaml.safe_dump(_with_scheduled(parameters)))
    assert validate_deployments(path) == ["nightly"]


@pytest.mark.parametrize("text", ["def flow(:", "raise KeyError('odd')"], ids=["syntax", "error"])
def test_a_module_that_cannot_be_imported_is_an_error_and_not_a_crash(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "broken.py").write_text(text)
    document = _document()
    document["deployments"][0].update(entrypoint=f"{tmp_path}/broken.py:flow")
    (line,) = _problems(tmp_path, document)
    assert line.startswith(f"nightly: entrypoint {tmp_path}/broken.py:flow: cannot be loaded: ")


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    document = _document()
    document.pop("pull")
    document["deployments"][0].update(parametres={}, entrypoint="nowhere.at_all")
    assert len(_problems(tmp_path, document)) == 3


@pytest.mark.parametrize("text", ["a: [", "- a list"])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert len(_problems(tmp_path, text)) == 1


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        validate_deployments(tmp_path / "prefect.yaml")


def test_parameters_that_are_left_to_the_start_of_a_run_are_no_error(tmp_path: Path) -> None:
    document = _document()
    del document["deployments"][0]["parameters"]["options"]
    path = tmp_path / "prefect.yaml"
    path.write_text(yaml.safe_dump(document))
    assert validate_deployments(path) == ["nightly"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"hunter2: [hunter2\n", "line 2, column 1: not valid YAML: expected ',' or ']'"),
        (b"a: \x01hunter2", "not valid YAML"),
        (b"hunter2: \xff", "not valid UTF-8"),
        (b"hunter2", "must be a mapping"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_without_its_content(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "prefect.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        validate_deployments(path)
    (line,) = caught.value.problems
    assert line.startswith(f"{path}: {problem}")
    assert "hunter2" not in line
