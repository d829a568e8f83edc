"""What a tracker that is already there means for the next run: the design's table, line by line."""

from __future__ import annotations

from tests.cluster.env import Env


def _run_id(env: Env, tracker: str = "mrunners") -> str:
    seen = env.mrunners("status", env.namespace, "--tracker", tracker, "-o", "json")
    return str(seen.report["run"])


def test_a_running_run_is_in_the_way_and_only_delete_with_force_removes_it(env: Env) -> None:
    assert env.run(env.slow(2)).code == 0
    before = env.jobs()
    second = env.run(env.quick())
    assert (second.code, second.stdout) == (3, "")
    assert f"tracker {env.namespace}/mrunners (running, created " in second.stderr
    assert "s ago, " in second.stderr
    assert "0 of 2 pods ended" in second.stderr
    for advice in ("mrunners wait ", "--resume", "mrunners delete ", "--tracker"):
        assert advice in second.stderr
    replacing = env.run(env.quick(), options=["--replace"])
    assert (replacing.code, replacing.stdout) == (3, "")
    refused = env.mrunners("delete", env.namespace)
    assert refused.code == 3
    assert "it has not finished" in refused.stderr
    assert env.jobs() == before
    assert env.mrunners("delete", env.namespace, "--force").code == 0
    assert (env.jobs(), env.kubectl.names("pods")) == ({}, set())


def test_a_finished_run_is_in_the_way_until_it_was_collected(env: Env) -> None:
    assert env.run(env.quick()).code == 0
    assert env.mrunners("wait", env.namespace).code == 0
    first = _run_id(env)
    refused = env.run(env.quick())
    assert (refused.code, refused.stdout) == (3, "")
    assert "(finished, created " in refused.stderr
    assert "its report was not collected)" in refused.stderr
    assert f"mrunners result {env.namespace}" in refused.stderr
    assert _run_id(env) == first
    assert env.mrunners("result", env.namespace).code == 0
    replaced = env.run(env.quick())
    assert (replaced.code, replaced.stdout) == (0, "mrunners\n")
    assert f"(run ID {first})" in replaced.stderr
    assert _run_id(env) != first


def test_replace_removes_a_finished_run_that_nobody_collected(env: Env) -> None:
    assert env.run(env.quick()).code == 0
    assert env.mrunners("wait", env.namespace).code == 0
    first = _run_id(env)
    assert env.mrunners("delete", env.namespace).code == 3
    replaced = env.run(env.quick(), options=["--replace"])
    assert (replaced.code, replaced.stdout) == (0, "mrunners\n")
    assert first in replaced.stderr
    assert _run_id(env) != first


def test_another_tracker_works_beside_the_first_and_must_then_be_named(env: Env) -> None:
    assert env.run(env.slow()).code == 0
    other = env.run(env.quick(), options=["--tracker", "nightly", "--wait", "--quiet"])
    assert (other.code, other.stdout, other.stderr) == (0, "nightly\n", "")
    unnamed = env.mrunners("result", env.namespace)
    assert (unnamed.code, unnamed.stdout) == (3, "")
    assert "2 trackers: mrunners, nightly" in unnamed.stderr
    named = env.mrunners("result", env.namespace, "--tracker", "nightly")
    assert (named.code, named.report["tracker"]) == (0, "nightly")
    assert env.mrunners("delete", env.namespace, "--tracker", "nightly").code == 0
    assert set(env.jobs()) == {"mrunners-0"}


def test_a_namespace_without_a_run_exits_with_3(env: Env) -> None:
    for command in ("wait", "result", "status", "delete"):
        done = env.mrunners(command, env.namespace)
        assert (done.code, done.stdout) == (3, "")
        assert f"no tracker in namespace {env.namespace}" in done.stderr
    assert env.mrunners("run", "--namespace", env.namespace, "--resume").code == 3


def test_a_configmap_that_is_no_tracker_is_never_taken_for_one(env: Env) -> None:
    env.config_map("mrunners", load_profile="version: 1")
    done = env.run(env.quick(), options=["--replace"])
    assert (done.code, done.stdout) == (3, "")
    assert "is not a tracker of mrunners" in done.stderr
    assert env.mrunners("delete", env.namespace, "--tracker", "mrunners").code == 3
    assert "mrunners" in env.kubectl.names("configmaps")


def test_resume_with_another_plan_is_refused_with_the_difference(env: Env) -> None:
    assert env.run(env.slow(1)).code == 0
    other = env.run(env.slow(2), options=["--resume"])
    assert (other.code, other.stdout) == (3, "")
    assert "numbers=1 in the existing run, " in other.stderr
    same = env.run(env.slow(1), options=["--resume"])
    assert (same.code, same.stdout) == (0, "mrunners\n")
