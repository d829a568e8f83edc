"""A flow run that is retried: it adopts what exists, and reads no log twice."""

from __future__ import annotations

import shutil

from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env
from tests.prefect.server import PrefectServer


def test_a_retried_result_works_after_the_jobs_are_gone_and_with_an_empty_store(
    worker: PrefectServer, env: Env
) -> None:
    # Runners without rights: there are reports, and the flow fails as Incomplete.
    done = env.run(env.quick(2), options=["--service-account", "default"])
    assert done.code == 0, done.stderr
    assert env.mrunners("wait", env.namespace).code in {0, 5}
    run_id = worker.trigger("mrunners-result/mrunners-result", run={"namespace": env.namespace})
    first = worker.ended(run_id)
    assert first["state_name"] == "Incomplete", first["state"]["message"]
    env.kubectl("delete", "configmap", "mrunners")
    until("every pod is gone", lambda: not env.kubectl.names("pods"))
    shutil.rmtree(worker.store)
    retried = worker.prefect("flow-run", "retry", run_id)
    assert retried.code == 0, retried.stdout
    until("the retry has begun", lambda: worker.flow_run(run_id)["run_count"] == 2, 120)
    second = worker.ended(run_id)
    assert (second["state_name"], second["state"]["message"]) == (
        "Incomplete",
        f"{first['state']['message']}\na retry only collects again; start a new run to load again",
    )
    reports = [a["data"] for a in worker.artifacts(run_id) if a["type"] == "markdown"]
    assert len(reports) == 2
    assert not worker.store.exists()  # nothing was read a second time


def test_a_retried_run_adopts_the_jobs_that_stand(worker: PrefectServer, env: Env) -> None:
    options = {
        "namespace": env.namespace,
        "runner_image": KPERF,
        "runners": [env.slow()],
        "service_account": "kperf-runner",
        "timeout": "1s",
    }
    run_id = worker.trigger("multirunners/multirunners", options=options)
    assert worker.ended(run_id)["state_name"] == "TimedOut"
    before = env.jobs()
    assert worker.prefect("flow-run", "retry", run_id).code == 0
    until("the retry has begun", lambda: worker.flow_run(run_id)["run_count"] == 2, 120)
    assert worker.ended(run_id)["state_name"] == "TimedOut"
    assert env.jobs() == before
