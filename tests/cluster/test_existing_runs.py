"""What a tracker that is already there means for the next run: the design's table, line by line."""

from __future__ import annotations

from tests.cluster.env import Ground


def _run_id(ground: Ground, tracker: str = "mrunners") -> str:
    seen = ground.mrunners("status", ground.namespace, "--tracker", tracker, "--format", "json")
    return str(seen.report["run"])


def test_a_running_run_is_in_the_way_and_only_delete_with_force_removes_it(ground: Ground) -> None:
    assert ground.run(ground.slow(2)).code == 0
    before = ground.jobs()
    second = ground.run(ground.quick())
    assert (second.code, second.stdout) == (3, "")
    assert f"tracker mrunners in namespace {ground.namespace}, " in second.stderr
    assert "s old, " in second.stderr
    assert "0 of 2 pods ended" in second.stderr
    for advice in ("mrunners wait ", "--resume", "mrunners delete ", "--tracker"):
        assert advice in second.stderr
    replacing = ground.run(ground.quick(), options=["--replace"])
    assert (replacing.code, replacing.stdout) == (3, "")
    refused = ground.mrunners("delete", ground.namespace)
    assert refused.code == 3
    assert "it has not finished" in refused.stderr
    assert ground.jobs() == before
    assert ground.mrunners("delete", ground.namespace, "--force").code == 0
    assert (ground.jobs(), ground.kubectl.names("pods")) == ({}, set())


def test_a_finished_run_is_in_the_way_until_it_was_collected(ground: Ground) -> None:
    assert ground.run(ground.quick()).code == 0
    assert ground.mrunners("wait", ground.namespace).code == 0
    first = _run_id(ground)
    refused = ground.run(ground.quick())
    assert (refused.code, refused.stdout) == (3, "")
    assert "finished, not collected" in refused.stderr
    assert f"mrunners result {ground.namespace}" in refused.stderr
    assert _run_id(ground) == first
    assert ground.mrunners("result", ground.namespace).code == 0
    replaced = ground.run(ground.quick())
    assert (replaced.code, replaced.stdout) == (0, "mrunners\n")
    assert f"replacing the finished run of tracker mrunners (run {first})" in replaced.stderr
    assert _run_id(ground) != first


def test_replace_removes_a_finished_run_that_nobody_collected(ground: Ground) -> None:
    assert ground.run(ground.quick()).code == 0
    assert ground.mrunners("wait", ground.namespace).code == 0
    first = _run_id(ground)
    assert ground.mrunners("delete", ground.namespace).code == 3
    replaced = ground.run(ground.quick(), options=["--replace"])
    assert (replaced.code, replaced.stdout) == (0, "mrunners\n")
    assert first in replaced.stderr
    assert _run_id(ground) != first


def test_another_tracker_works_beside_the_first_and_must_then_be_named(ground: Ground) -> None:
    assert ground.run(ground.slow()).code == 0
    other = ground.run(ground.quick(), options=["--tracker", "nightly", "--wait", "--quiet"])
    assert (other.code, other.stdout, other.stderr) == (0, "nightly\n", "")
    unnamed = ground.mrunners("result", ground.namespace)
    assert (unnamed.code, unnamed.stdout) == (3, "")
    assert "2 trackers: mrunners, nightly" in unnamed.stderr
    named = ground.mrunners("result", ground.namespace, "--tracker", "nightly")
    assert (named.code, named.report["tracker"]) == (0, "nightly")
    assert ground.mrunners("delete", ground.namespace, "--tracker", "nightly").code == 0
    assert set(ground.jobs()) == {"mrunners-0"}


def test_a_namespace_without_a_run_is_told_with_3(ground: Ground) -> None:
    for command in ("wait", "result", "status", "delete"):
        done = ground.mrunners(command, ground.namespace)
        assert (done.code, done.stdout) == (3, "")
        assert f"no tracker in namespace {ground.namespace}" in done.stderr
    assert ground.mrunners("run", "--namespace", ground.namespace, "--resume").code == 3


def test_a_configmap_that_is_no_tracker_is_never_taken_for_one(ground: Ground) -> None:
    ground.config_map("mrunners", load_profile="version: 1")
    done = ground.run(ground.quick(), options=["--replace"])
    assert (done.code, done.stdout) == (3, "")
    assert "is not a tracker of mrunners" in done.stderr
    assert ground.mrunners("delete", ground.namespace, "--tracker", "mrunners").code == 3
    assert "mrunners" in ground.kubectl.names("configmaps")


def test_resume_with_another_plan_is_refused_with_the_difference(ground: Ground) -> None:
    assert ground.run(ground.slow(1)).code == 0
    other = ground.run(ground.slow(2), options=["--resume"])
    assert (other.code, other.stdout) == (3, "")
    assert "pod_count=1 became " in other.stderr
    same = ground.run(ground.slow(1), options=["--resume"])
    assert (same.code, same.stdout) == (0, "mrunners\n")
