"""`prefect deploy --all` accepts prefect.yaml as it is, and a schedule that is on fires."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.commands import CHECKOUT, until
from tests.cluster.env import Env
from tests.prefect.server import FINAL, POOL, PrefectServer

NAMES = {
    "multirunners/multirunners",
    "multirunners/nightly",
    "mrunners-wait/mrunners-wait",
    "mrunners-result/mrunners-result",
    "mrunners-delete/mrunners-delete",
}


def test_five_deployments_stand_and_the_nights_schedule_is_off(deployed: PrefectServer) -> None:
    named = {name: deployed.deployment(name) for name in NAMES}
    assert {deployment["work_pool_name"] for deployment in named.values()} == {POOL}
    assert all(deployment["description"] for deployment in named.values())
    assert all(deployment["pull_steps"] in (None, []) for deployment in named.values())
    nightly = named["multirunners/nightly"]
    assert [(s["active"], s["schedule"]["timezone"]) for s in nightly["schedules"]] == [
        (False, "Etc/UTC")
    ]
    assert nightly["parameters"]["policy"] == {"previous_run": "collect", "cleanup": "delete"}
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_a_schedule_that_is_active_in_the_file_stays_so_when_it_is_deployed_again(
    deployed: PrefectServer, tmp_path: Path
) -> None:
    document = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())
    (nightly,) = [d for d in document["deployments"] if d["name"] == "nightly"]
    nightly["name"] = "yearly"
    nightly["schedules"][0] |= {"cron": "0 2 1 1 *", "active": True}
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({**document, "deployments": [nightly]}))
    active = []
    for _ in range(2):
        assert deployed.prefect("deploy", "--all", cwd=tmp_path).code == 0
        schedules = deployed.deployment("multirunners/yearly")["schedules"]
        active.append([schedule["active"] for schedule in schedules])
    assert deployed.prefect("deployment", "delete", "multirunners/yearly").code == 0
    assert active == [[True], [True]]


def test_the_deployed_form_has_titles(deployed: PrefectServer) -> None:
    wait = deployed.deployment("mrunners-wait/mrunners-wait")["parameter_openapi_schema"]
    assert {name: field["title"] for name, field in wait["properties"].items()} == {
        "run": "Run",
        "timeout": "Timeout",
    }


def test_a_schedule_that_is_switched_on_fires_and_its_run_completes(
    worker: PrefectServer, env: Env, tmp_path: Path
) -> None:
    document = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())
    (nightly,) = [d for d in document["deployments"] if d["name"] == "nightly"]
    nightly["name"] = "often"
    nightly["schedules"] = [{"slug": "often", "interval": 20, "active": True}]
    nightly["parameters"]["options"] |= {
        "namespace": env.namespace,
        "runners": [env.quick(2)],
    }
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({**document, "deployments": [nightly]}))
    done = worker.prefect("deploy", "--all", cwd=tmp_path)
    assert done.code == 0, done.stdout + done.stderr
    try:
        run = until("a scheduled run completes", lambda: _first_end(worker, env), 150)
    finally:
        assert worker.prefect("deployment", "delete", "multirunners/often").code == 0
    assert run is not None
    assert (run["state_name"], run["created_by"]["type"]) == ("Completed", "SCHEDULE")
    assert run["state"]["message"] == "2 of 2 reports merged"
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC"
    assert re.fullmatch(rf"{env.namespace}/nightly {time}", run["name"])
    assert {"mrunners", "load", "nightly"} <= set(run["tags"])


def _first_end(worker: PrefectServer, env: Env) -> Any:
    ended = [r for r in worker.runs_in(env.namespace) if r["state_type"] in FINAL]
    return ended[0] if ended else None
