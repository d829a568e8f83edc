"""What people and automations see of a run in Prefect."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.cluster.commands import until
from tests.cluster.credentials import kubeconfig_of
from tests.cluster.env import KPERF, Env, NewEnv
from tests.prefect.server import PrefectServer

URL = "http://127.0.0.1/reports"


@pytest.fixture(scope="module")
def shown(worker: PrefectServer, new_env: NewEnv) -> tuple[Env, str]:
    """A run on the worker that has ended well, and its ID."""
    with new_env("shown") as env:
        options = {
            "namespace": env.namespace,
            "runner_image": KPERF,
            "runners": [env.quick(2), env.quick(1)],
            "service_account": "kperf-runner",
            "kubeconfig": str(kubeconfig_of(env, "mrunners")),
        }
        files = {"folder": str(env.folder / "reports"), "url": URL}
        run_id = worker.trigger(
            "multirunners/multirunners", options=options, policy={"files": files}
        )
        assert worker.ended(run_id)["state_name"] == "Completed"
        return env, run_id


def test_a_progress_artifact_a_table_and_a_report_are_there(
    shown: tuple[Env, str], worker: PrefectServer
) -> None:
    env, run_id = shown
    artifacts = {artifact["type"]: artifact for artifact in worker.artifacts(run_id)}
    assert artifacts.keys() == {"progress", "table", "markdown"}
    assert artifacts["progress"]["data"] == 100.0
    for kind, what in (("table", "jobs"), ("markdown", "report")):
        key = f"mrunners-{env.namespace}-mrunners-{what}-"
        assert artifacts[kind]["key"].startswith(key)
    assert artifacts["markdown"]["data"].startswith("# 3 of 3 reports merged\n")


def test_the_report_links_to_the_page_that_was_saved_and_its_json_is_beside_it(
    shown: tuple[Env, str], worker: PrefectServer
) -> None:
    env, run_id = shown
    (report,) = [a["data"] for a in worker.artifacts(run_id) if a["type"] == "markdown"]
    (link,) = re.findall(rf"\[The whole report, with all plots and tables\]\({URL}/(\S+)\)", report)
    page = env.folder / "reports" / link
    assert page.parent == env.folder / "reports" / env.namespace / "mrunners"
    assert "3 of 3 reports merged" in page.read_text()
    result = env.mrunners("result", env.namespace)
    saved = json.loads(page.with_suffix(".json").read_text())
    own_load = {key: saved[key] for key in ("requestsByUs", "trafficByUs")}
    assert {**result.report, **own_load} == saved


def test_the_report_has_a_small_plot_in_it(shown: tuple[Env, str], worker: PrefectServer) -> None:
    (report,) = [a["data"] for a in worker.artifacts(shown[1]) if a["type"] == "markdown"]
    plots = re.findall(r"!\[[^]]+\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", report)
    assert len(plots) == 1
    svg = base64.b64decode(plots[0]).decode()
    assert svg.startswith("<svg ")
    assert len(svg) < 20_000


def test_events_tell_that_it_started_and_finished(
    shown: tuple[Env, str], worker: PrefectServer
) -> None:
    env, run_id = shown
    names = ["mrunners.run.started", "mrunners.run.finished", "mrunners.run.incomplete"]
    about = f"{env.namespace}/mrunners"
    events = until(
        "both events have arrived",
        lambda: found if len(found := worker.events(*names, about=about)) == 2 else None,
    )
    assert events is not None
    assert [event["event"] for event in events] == names[:2]
    assert [event["payload"]["pods"] for event in events] == [3, 3]
    assert events[1]["payload"]["conclusion"] == "complete"
    assert events[1]["payload"]["artifact"] in {a["key"] for a in worker.artifacts(run_id)}
    assert events[0]["related"][0]["prefect.resource.id"] == f"prefect.flow-run.{run_id}"


def test_name_tags_and_log_tell_runs_apart(shown: tuple[Env, str], worker: PrefectServer) -> None:
    env, run_id = shown
    run = worker.flow_run(run_id)
    assert run["name"] == f"{env.namespace}/mrunners {run_id[-8:]}"
    assert {"mrunners", "load"} <= set(run["tags"])
    names = {step["name"] for step in worker.task_runs(run_id)}
    assert {"create mrunners-0", "create mrunners-1", "collect mrunners-0"} <= names
    lines = until(
        "the whole log has arrived",
        lambda: (
            found if "3 of 3 pods ended" in "\n".join(found := worker.log_lines(run_id)) else []
        ),
    )
    assert any("tracker mrunners exists" in line for line in lines)
    pattern = r"(mrunners-\d index \d), pod/mrunners-\d-\d-\w+ on \S+"
    fetched = re.findall(pattern, "\n".join(lines))
    assert sorted(fetched) == ["mrunners-0 index 0", "mrunners-0 index 1", "mrunners-1 index 0"]


def _with(text: str, lines: list[str]) -> list[str]:
    """The lines, if one of them has that text in it."""
    return lines if any(text in line for line in lines) else []


def test_neither_the_database_nor_a_log_holds_a_credential(
    shown: tuple[Env, str], worker: PrefectServer
) -> None:
    env, _ = shown
    # The server's database and log; the worker's log, results and reports.
    kept = [worker.database, worker.database.with_name("prefect.db-wal"), worker.log]
    kept += [path for path in worker.folder.rglob("*") if path.is_file()]
    assert {"worker.log", "storage", "reports"} <= {part for path in kept for part in path.parts}
    content = b"".join(path.read_bytes() for path in kept if path.exists())
    assert env.namespace.encode() in content
    secrets = [
        *credentials_in(env.kubectl.kubeconfig),
        *credentials_in(env.folder / "kubeconfig-mrunners"),
    ]
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret.encode() in content] == []


def credentials_in(kubeconfig: Path) -> list[str]:
    """The keys and tokens of a kubeconfig: as they stand there, and the lines that they encode."""
    (user,) = [entry["user"] for entry in yaml.safe_load(kubeconfig.read_text())["users"]]
    given = [user[name] for name in ("client-key-data", "token") if name in user]
    keys = [user["client-key-data"]] if "client-key-data" in user else []
    decoded = [base64.b64decode(key).decode() for key in keys]
    return given + [line for text in decoded for line in text.splitlines() if len(line) > 40]
