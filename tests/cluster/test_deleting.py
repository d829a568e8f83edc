"""`delete`, and a new run right behind it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.cluster.commands import until
from tests.cluster.env import Env


def _kperf_processes(run_id: str) -> set[int]:
    """The processes of a run on this machine's hosts that are kperf."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            environ = (folder / "environ").read_bytes()
            program = (folder / "exe").readlink().name
        except OSError:
            continue  # it has ended meanwhile, or is another user's
        if program == "kperf" and f"MRUNNERS_RUN_ID={run_id}".encode() in environ.split(b"\0"):
            found.add(int(folder.name))
    return found


def _run_id(env: Env) -> str:
    status = env.mrunners("status", env.namespace, "-o", "json")
    return str(status.report["run"])


def test_deleting_sends_term_to_kperf_and_it_is_gone_within_ten_seconds(env: Env) -> None:
    assert env.run(env.slow(3)).code == 0
    run_id = _run_id(env)
    until("three kperf run", lambda: len(_kperf_processes(run_id)) == 3)
    (pod, *_) = sorted(env.kubectl.names("pods"))
    log = subprocess.Popen(
        env.kubectl.command("logs", "--follow", pod), stdout=subprocess.PIPE, text=True
    )
    deleting = env.mrunners.start("delete", env.namespace, "--force")
    until("no kperf runs", lambda: not _kperf_processes(run_id), seconds=10)
    assert deleting.finish().code == 0
    said, _ = log.communicate(timeout=30)
    # Only a script that was told to end, and passed it on, gets to write its last line.
    assert re.search(r"^mrunners-report none v1 .* exit=143 reason=no-report$", said, re.MULTILINE)


def test_a_run_right_after_delete_has_nothing_of_the_old_one(env: Env) -> None:
    assert env.run(env.slow(4), env.slow(2)).code == 0
    old = _run_id(env)
    until("the old pods are there", lambda: len(env.kubectl.names("pods")) == 6)
    old_uids = {*env.jobs().values(), *env.kubectl.uids("pods").values()}
    assert env.mrunners("delete", env.namespace, "--force").code == 0
    assert env.run(env.quick(2), options=["--wait"]).code == 0
    new = _run_id(env)
    assert new != old
    for kind in ("jobs", "pods"):
        objects = env.kubectl.objects(kind)
        assert {o["metadata"]["labels"]["mrunners.dev/run-id"] for o in objects} == {new}
        assert not {o["metadata"]["uid"] for o in objects} & old_uids
    report = env.mrunners("result", env.namespace).report
    assert report["run"] == new
    assert report["total"] == 2 * 50
    reported = {pod["name"] for runner in report["runners"] for pod in runner["pods"]}
    assert reported == env.kubectl.names("pods")


def test_a_run_waits_for_the_pods_of_a_run_whose_tracker_was_just_deleted(env: Env) -> None:
    assert env.run(env.slow(4)).code == 0
    until("the pods are there", lambda: len(env.kubectl.names("pods")) == 4)
    old = _run_id(env)
    env.kubectl("delete", "configmap", "mrunners")
    assert env.run(env.quick(4), options=["--wait"]).code == 0
    runs = {p["metadata"]["labels"]["mrunners.dev/run-id"] for p in env.kubectl.objects("pods")}
    assert runs == {_run_id(env)} != {old}
