"""Jobs that a cluster's TTL policy or a person removes: nothing is lost, nothing loads twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.commands import Finished, until
from tests.cluster.env import Env

API = "admissionregistration.k8s.io/v1"

# Two polls of a busy machine fit in.
TTL_SECONDS = 15


@pytest.fixture
def ttl(env: Env) -> Iterator[None]:
    """A policy that adds a TTL to every Job of the namespace."""
    meta = {"name": f"ttl-{env.namespace}"}
    here = {"matchLabels": {"kubernetes.io/metadata.name": env.namespace}}
    jobs = {"apiGroups": ["batch"], "apiVersions": ["v1"], "resources": ["jobs"]}
    expression = f"Object{{spec: Object.spec{{ttlSecondsAfterFinished: {TTL_SECONDS}}}}}"
    change = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": expression},
    }
    policy = {
        "matchConstraints": {
            "namespaceSelector": here,
            "resourceRules": [{**jobs, "operations": ["CREATE"]}],
        },
        "reinvocationPolicy": "Never",
        "mutations": [change],
    }
    kind = "MutatingAdmissionPolicy"
    env.kubectl.apply(
        {"apiVersion": API, "kind": kind, "metadata": meta, "spec": policy},
        {
            "apiVersion": API,
            "kind": f"{kind}Binding",
            "metadata": meta,
            "spec": {"policyName": meta["name"]},
        },
    )
    until("the policy works", lambda: "ttlSecondsAfterFinished" in _dry_run(env)["spec"])
    yield
    for name in (f"{kind}Binding", kind):
        env.kubectl("delete", name, meta["name"], "--wait=false")


def _dry_run(env: Env) -> Any:
    words = ("create", "job", "probe", "--image=x", "--dry-run=server", "--output=json")
    return json.loads(env.kubectl(*words))


def _resume(env: Env) -> Finished:
    return env.mrunners("run", "--namespace", env.namespace, "--resume", "--wait")


def test_a_ttl_loses_no_report_that_was_fetched_and_nothing_is_loaded_twice(
    env: Env, ttl: None
) -> None:
    run = env.run(env.quick(2), env.quick(2), options=["--wait"])
    assert run.code == 0
    warning = f"adds spec.ttlSecondsAfterFinished {TTL_SECONDS} to Jobs"
    assert run.stderr.count(warning) == 1
    until("the Jobs are gone", lambda: not env.jobs() and not env.kubectl.names("pods"))
    result = env.mrunners("result", env.namespace)
    assert (result.code, result.stderr.splitlines()[0]) == (0, "4 of 4 reports merged")
    assert result.report["total"] == 4 * 50
    resumed = _resume(env)
    assert (resumed.code, env.jobs(), env.kubectl.names("pods")) == (0, {}, set())
    assert env.mrunners("status", env.namespace, "--exit-code").code == 0
    assert env.run(env.quick()).code == 0


def test_another_machine_says_that_jobs_are_gone_and_does_not_load_again(env: Env) -> None:
    assert env.run(env.quick(2), env.quick(), options=["--wait"]).code == 0
    env.kubectl("delete", "job", "mrunners-0", "mrunners-1")
    until("the pods are gone", lambda: not env.kubectl.names("pods"))
    other = env.mrunners.with_environ(XDG_STATE_HOME=str(env.folder / "another"))
    lost = other("result", env.namespace)
    assert lost.code == 5
    assert [pod["reason"] for pod in lost.report["coverage"]["missing"]] == ["job-gone"] * 3
    assert "--resume" not in lost.stderr
    assert "another machine that waited for it may have 3 reports" in lost.stderr
    assert env.run(env.quick()).code == 3
    waited = other("wait", env.namespace)
    assert waited.code == 5
    assert "2 of 2 Jobs of tracker" in waited.stderr
    resumed = other("run", "--namespace", env.namespace, "--resume")
    assert (resumed.code, env.jobs()) == (0, {})
    assert "not created again, because the load may have run" in resumed.stderr
    here = env.mrunners("result", env.namespace)
    assert (here.code, here.stderr.splitlines()[0]) == (0, "3 of 3 reports merged")
    assert env.run(env.quick()).code == 0


def test_a_tracker_that_was_written_again_with_fewer_pods_is_refused(env: Env) -> None:
    assert env.run(env.quick(2), env.quick(2), options=["--wait"]).code == 0
    (tracker,) = [
        item for item in env.kubectl.objects("configmaps") if item["metadata"]["name"] == "mrunners"
    ]
    plan = json.loads(tracker["data"]["plan.json"])
    plan["jobs"][0]["pod_count"] = 1
    edited = {
        **tracker,
        "data": {**tracker["data"], "plan.json": json.dumps(plan)},
        "metadata": {
            key: tracker["metadata"][key] for key in ("name", "namespace", "labels", "annotations")
        },
    }
    env.kubectl("delete", "configmap", "mrunners", "--cascade=orphan")
    env.kubectl("create", "--filename=-", stdin=json.dumps(edited))
    for command in ("result", "wait", "status"):
        done = env.mrunners(command, env.namespace)
        assert (done.code, done.stdout) == (3, "")
        assert "are not those of its plan, so its report would be wrong: " in done.stderr
