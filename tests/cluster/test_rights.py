"""What a run may and may not do: the example roles, forbidden and unreachable clusters."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.commands import Kubectl, Started
from tests.cluster.credentials import kubeconfig_of, kubeconfig_with_server
from tests.cluster.env import RBAC, Env, NewEnv, profile_text


@pytest.fixture(scope="module", autouse=True)
def in_vain(new_env: NewEnv) -> Iterator[tuple[str, Started]]:
    """A run for a server that is not there; its patience wears out while other tests run."""
    with new_env("in-vain") as env:
        with socket.create_server(("127.0.0.1", 0)) as closed_soon:
            server = f"https://127.0.0.1:{closed_soon.getsockname()[1]}"
        path = kubeconfig_with_server(env, server)
        yield server, env.start_run(env.quick(), options=["--kubeconfig", str(path)])


def test_the_example_roles_apply_as_they_stand_and_grant_no_secrets(kubectl: Kubectl) -> None:
    kubectl("apply", "--filename", str(RBAC))
    answers = {
        (account, right): kubectl.attempt(
            *("auth", "can-i", *right.split(), "--namespace=load"),
            f"--as=system:serviceaccount:load:{account}",
        ).stdout.strip()
        for account in ("mrunners", "kperf-runner")
        for right in ("create jobs", "get configmaps", "get secrets", "create pods/exec")
    }
    kubectl("delete", "--filename", str(RBAC), "--wait=false")
    assert answers == {
        ("mrunners", "create jobs"): "yes",
        ("mrunners", "get configmaps"): "yes",
        ("mrunners", "get secrets"): "no",
        ("mrunners", "create pods/exec"): "no",
        ("kperf-runner", "create jobs"): "no",
        ("kperf-runner", "get configmaps"): "yes",
        ("kperf-runner", "get secrets"): "no",
        ("kperf-runner", "create pods/exec"): "no",
    }


def test_an_orchestrator_with_the_example_role_can_run_wait_collect_and_delete(
    env: Env,
) -> None:
    env.config_map("load", load_profile=profile_text(total=50))
    mrunners = env.mrunners.with_environ(KUBECONFIG=str(kubeconfig_of(env, "mrunners")))
    uri = f"configmap:///{env.namespace}/load?numbers=2"
    run = mrunners(*env.run_arguments(uri, env.quick()))
    assert (run.code, run.stdout) == (0, "mrunners\n")
    for command in ("wait", "status"):
        assert mrunners(command, env.namespace).code == 0
    result = mrunners("result", env.namespace)
    assert (result.code, result.stderr.splitlines()[0]) == (0, "3 of 3 reports merged")
    replaced = mrunners(*env.run_arguments(uri), "--wait")
    assert replaced.code == 0
    assert "replacing the finished run" in replaced.stderr
    deleted = mrunners("delete", env.namespace, "--force")
    assert deleted.code == 0
    assert env.jobs() == {}
    for done in (run, result, replaced, deleted):
        assert "warning" not in done.stderr


def test_the_example_role_diagnoses_what_only_an_event_tells(env: Env) -> None:
    mrunners = env.mrunners.with_environ(KUBECONFIG=str(kubeconfig_of(env, "mrunners")))
    words = [*env.run_arguments(env.quick()), "--service-account", "nobody"]
    assert mrunners(*words, "--start-timeout", "1s").code == 0
    done = mrunners("wait", env.namespace)
    assert done.code == 5
    assert 'FailedCreate: Error creating: pods "mrunners-0-0-" is forbidden' in done.stderr


def test_a_forbidden_request_ends_with_7_and_names_verb_and_resource(env: Env) -> None:
    mrunners = env.mrunners.with_environ(KUBECONFIG=str(kubeconfig_of(env, "default")))
    for done in (
        mrunners(*env.run_arguments(env.quick())),
        mrunners("result", env.namespace, "--tracker", "mrunners"),
    ):
        assert (done.code, done.stdout) == (7, "")
        line = done.stderr.splitlines()[-1]
        assert line.startswith('error: configmaps "mrunners" is forbidden: User ')
        assert (
            f'cannot get resource "configmaps" in API group "" in the namespace "{env.namespace}"'
            in line
        )
        assert line.endswith("examples/rbac.yaml")
    listing = mrunners("status", env.namespace)
    assert listing.code == 7
    assert 'cannot list resource "configmaps"' in listing.stderr


def test_a_token_that_is_none_ends_with_7(env: Env) -> None:
    path = kubeconfig_of(env, "default")
    config = yaml.safe_load(path.read_text())
    config["users"][0]["user"] = {"token": "expired"}
    path.write_text(yaml.safe_dump(config))
    done = env.mrunners.with_environ(KUBECONFIG=str(path))("status", env.namespace)
    assert (done.code, done.stdout) == (7, "")
    assert "does not accept the credentials" in done.stderr


def test_an_unreachable_server_ends_with_7_and_names_it(in_vain: tuple[str, Started]) -> None:
    server, asking = in_vain
    done = asking.finish()
    assert (done.code, done.stdout) == (7, "")
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: cannot reach the API server {server}: ")


def test_a_runner_without_rights_ends_with_5_and_its_403s_are_counted(env: Env) -> None:
    words = ["--service-account", "default", "--wait"]
    run = env.run(env.quick(2), options=words)
    assert (run.code, run.stdout) == (5, "mrunners\n")
    assert "nothing succeeded in 2 pods" in run.stderr
    result = env.mrunners("result", env.namespace)
    assert result.code == 5
    assert "nothing succeeded in 2 pods: mrunners-0 index 0, mrunners-0 index 1" in result.stderr
    report = result.report
    assert (report["total"], report["errorStats"]) == (0, {"http/403": 100})
    assert [pod["index"] for pod in report["coverage"]["nothingSucceeded"]] == [0, 1]
    table = env.mrunners("result", env.namespace, "-o", "table")
    assert (table.code, "nothing succeeded" in table.stdout.splitlines()[0]) == (5, True)


def test_a_runner_that_may_not_send_most_requests_is_never_called_a_success(env: Env) -> None:
    run = env.run(env.mostly_forbidden(2), options=["--wait"])
    assert (run.code, run.stdout) == (9, "mrunners\n"), run.stderr
    lines = run.stderr.splitlines()
    assert "2 of 2 reports merged; the figures are in doubt" in lines  # heads the table
    assert lines[-1] == "error: the figures are in doubt: see the findings of the report"
    wait = env.mrunners("wait", env.namespace)
    assert wait.code == 0
    *_, finding, advice, _ = wait.stderr.splitlines()
    assert re.match(r"error: \d{3} of 600 requests failed \((8|9)\d%\), all with http/403", finding)
    assert finding.removeprefix("error: ") in run.stderr
    assert advice.startswith("  ")
    assert "1 Job complete, but the figures are in doubt; " in wait.stderr
    for name in ("json", "table", "html"):
        result = env.mrunners("result", env.namespace, "-o", name)
        assert (result.code, result.stderr.splitlines()[-2:]) == (9, [finding, advice])
    assert '<section class="verdict bad"' in result.stdout
    tolerant = env.mrunners("result", env.namespace, "--fail-on", "never")
    assert (tolerant.code, finding in tolerant.stderr) == (0, True)
