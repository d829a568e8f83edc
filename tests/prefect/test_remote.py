"""`mrunners run --deployment`: what a user at a terminal sees of a run on a worker."""

from __future__ import annotations

import re
import socket
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.commands import Finished, Started, until
from tests.cluster.env import KPERF, Env, NewEnv
from tests.prefect.server import PrefectServer

DEPLOYMENT = ("--deployment", "multirunners")


def _remote(env: Env, *options: str) -> Started:
    return env.start_run(env.quick(2), options=[*DEPLOYMENT, *options])


@pytest.fixture(scope="module")
def endings(worker: PrefectServer, new_env: NewEnv) -> dict[str, Finished]:
    """Six runs on the worker that end differently, side by side; and then one more."""
    with new_env("endings") as env:
        tracker = ("--wait", "--tracker")
        absent = f"file://{env.folder}/absent.yaml?numbers=1"
        started = {
            "good": _remote(env, *tracker, "good"),
            "absent": env.start_run(absent, options=[*DEPLOYMENT, *tracker, "absent"]),
            "powerless": _remote(env, *tracker, "powerless", "--service-account", "default"),
            "forbidden": env.start_run(
                env.mostly_forbidden(2), options=[*DEPLOYMENT, *tracker, "forbidden"]
            ),
            "violated": _remote(env, *tracker, "violated", "--slo", "max < 0.001ms"),
            "slow": env.start_run(
                env.slow(), options=[*DEPLOYMENT, *tracker, "slow", "--timeout", "1s"]
            ),
        }
        ended = {name: command.finish() for name, command in started.items()}
        ended["refused"] = _remote(env, *tracker, "slow").finish()
        return ended


def test_a_run_that_completes_gives_0_the_trackers_name_and_the_verdict(
    endings: dict[str, Finished], worker: PrefectServer
) -> None:
    good = endings["good"]
    assert (good.code, good.stdout) == (0, "good\n"), good.stderr
    assert f"{worker.api.removesuffix('/api')}/runs/flow-run/" in good.stderr
    assert "2 of 2 reports merged" in good.stderr
    assert "--tracker good" in good.stderr
    assert "among the flow run's artifacts: http" in good.stderr


def test_a_profile_that_the_worker_does_not_have_gives_2(endings: dict[str, Finished]) -> None:
    absent = endings["absent"]
    assert (absent.code, absent.stdout) == (2, "")
    assert "absent.yaml" in absent.stderr


def test_a_known_failure_leaves_no_traceback_in_the_log_of_its_run_or_of_the_worker(
    endings: dict[str, Finished], worker: PrefectServer
) -> None:
    assert endings["absent"].code == 2
    runs = [worker.flow_run(_flow_run_id(ended)) for ended in endings.values()]
    failed = {"Invalid", "Incomplete", "SloViolated", "InDoubt", "TimedOut", "Refused"}
    assert {run["state_name"] for run in runs} == {"Completed", *failed}
    for run in runs:
        log = until("the whole log has arrived", partial(_whole_log, worker, run))
        assert _known_errors_in(log) == []
    assert _known_errors_in((worker.folder / "worker.log").read_text()) == []


def _flow_run_id(ended: Finished) -> str:
    """The flow run that a command has started."""
    found = re.search(r"/runs/flow-run/([0-9a-f-]+)", ended.stderr)
    assert found is not None, ended.stderr
    return found[1]


def _known_errors_in(log: str) -> list[str]:
    """The last lines of tracebacks that end in an error of ours; Prefect may log others."""
    return re.findall(r"^mrunners\w*(?:\.\w+)+Error\b.*", log, re.MULTILINE)


def _whole_log(worker: PrefectServer, run: dict[str, str]) -> str:
    """The log of a run that has ended; empty while its last line is missing."""
    log = "\n".join(worker.log_lines(run["id"]))
    return log if f"Finished in state {run['state_name']}" in log else ""


def test_a_run_without_any_success_gives_5_and_says_where_its_report_is(
    endings: dict[str, Finished],
) -> None:
    powerless = endings["powerless"]
    assert (powerless.code, powerless.stdout) == (5, "powerless\n")
    assert "nothing succeeded in 2 pods" in powerless.stderr
    assert "get the report among the flow run's artifacts: http" in powerless.stderr


def test_a_run_in_doubt_gives_9_and_says_why_and_where_its_report_is(
    endings: dict[str, Finished], worker: PrefectServer
) -> None:
    forbidden = endings["forbidden"]
    assert (forbidden.code, forbidden.stdout) == (9, "forbidden\n"), forbidden.stderr
    lines = forbidden.stderr.splitlines()
    assert "error: 2 of 2 reports merged; the figures are in doubt" in lines
    assert any(line.startswith("error: ") and "all with http/403" in line for line in lines)
    assert "get the report among the flow run's artifacts: http" in forbidden.stderr
    assert "InDoubt" in {run["state_name"] for run in worker.flow_runs()}


def test_an_unmet_objective_gives_8_and_says_which_and_where_the_report_is(
    endings: dict[str, Finished],
) -> None:
    violated = endings["violated"]
    assert (violated.code, violated.stdout) == (8, "violated\n"), violated.stderr
    lines = violated.stderr.splitlines()
    assert "error: 2 of 2 reports merged; 1 of 1 objective not met" in lines
    assert any("max < 0.001ms: violated: " in line for line in lines)
    assert "get the report among the flow run's artifacts: http" in violated.stderr


def test_a_run_that_takes_too_long_gives_6(endings: dict[str, Finished]) -> None:
    slow = endings["slow"]
    assert (slow.code, slow.stdout) == (6, "slow\n")
    assert "timed out after 1s: the run of tracker" in slow.stderr


def test_another_run_under_the_same_tracker_gives_3(endings: dict[str, Finished]) -> None:
    refused = endings["refused"]
    assert (refused.code, refused.stdout) == (3, "")
    assert "/slow (running" in refused.stderr


def test_without_wait_it_ends_as_soon_as_the_tracker_exists_and_the_run_goes_on(
    worker: PrefectServer, env: Env
) -> None:
    done = env.start_run(env.slow(), options=[*DEPLOYMENT]).finish()
    assert (done.code, done.stdout) == (0, "mrunners\n"), done.stderr
    assert "mrunners" in env.kubectl.names("configmaps")
    run_id = _flow_run_id(done)
    process = until("its process is known", lambda: worker.flow_run(run_id)["infrastructure_pid"])
    pid = process.rpartition(":")[2]
    environ = Path(f"/proc/{pid}/environ").read_text().split("\0")
    # As the deployments have it, for the automation that finds lost runs.
    assert "PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30" in environ


def test_a_run_is_resumed_through_the_api_and_by_the_command_line_without_its_runners(
    worker: PrefectServer, env: Env
) -> None:
    assert env.run(env.quick(2)).code == 0
    jobs = env.jobs()
    resume = {"runners": [], "runner_image": "", "advanced": {"if_exists": "resume"}}
    options = {"namespace": env.namespace, **resume}
    run = worker.ended(worker.trigger("multirunners/multirunners", options=options))
    assert run["state_name"] == "Completed", run["state"]["message"]
    assert run["state"]["message"].startswith("2 of 2 reports merged")
    again = env.mrunners("run", "-n", env.namespace, "--resume", "--wait", *DEPLOYMENT)
    assert (again.code, again.stdout) == (0, "mrunners\n"), again.stderr
    assert env.jobs() == jobs


def test_invalid_input_is_refused_before_a_flow_run_is_created(
    deployed: PrefectServer, env: Env
) -> None:
    before = len(deployed.flow_runs())
    bad_number = f"file://{env.folder}/x.yaml?numbers=0"
    bad_uri = env.start_run(bad_number, options=DEPLOYMENT)
    other_flow = env.start_run(env.quick(), options=["--deployment", "mrunners-wait/mrunners-wait"])
    unknown = env.start_run(env.quick(), options=["--deployment", "nowhere"])
    nameless = env.mrunners("run", "-n", "Load", "--runner-image", KPERF, *DEPLOYMENT)
    no_block = env.start_run(env.quick(), options=[*DEPLOYMENT, "--kubeconfig", "block:///prod"])
    ended = [one.finish() for one in (bad_uri, other_flow, unknown, no_block)]
    assert [(one.code, one.stdout) for one in (*ended, nameless)] == [(2, "")] * 5
    assert "name a block as block:///kubernetes-credentials/NAME" in ended[3].stderr
    assert "numbers must be at least 1" in ended[0].stderr
    assert "--deployment mrunners-wait: its flow takes no options of a run" in ended[1].stderr
    assert "has no deployment multirunners/nowhere" in ended[2].stderr
    assert "--runners: give at least one" in nameless.stderr
    assert len(deployed.flow_runs()) == before


def test_a_prefect_server_that_is_away_gives_7_and_none_at_all_gives_2(env: Env) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    away = env.mrunners.with_environ(PREFECT_API_URL=f"http://127.0.0.1:{port}/api")
    none = env.mrunners.with_environ(PREFECT_API_URL="")
    here = env.run_arguments(env.quick())
    there = [*here, *DEPLOYMENT]
    gone, absent = away(*there), none(*there)
    in_process = away(*here)
    assert (in_process.code, in_process.stdout) == (7, "")
    assert f"127.0.0.1:{port}/api does not answer" in in_process.stderr
    assert "Traceback" not in in_process.stderr
    assert (gone.code, gone.stdout) == (7, "")
    assert "the Prefect server does not answer" in gone.stderr
    assert (absent.code, absent.stdout) == (2, "")
    assert "set PREFECT_API_URL" in absent.stderr
