"""Images of runners on every kind of hosts, and what kperf writes there beside its report."""

from __future__ import annotations

import os

import pytest

from localcluster.binaries.builder import binary_folder
from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env, profile_text
from tests.cluster.hosts import Hosts

BUSYBOX = "ghcr.io/azure/kperf-busybox:0.3.5"
SCRATCH = "ghcr.io/azure/kperf-scratch:0.3.5"


@pytest.mark.parametrize(
    ("image", "report"),
    [(KPERF, "framed"), (KPERF, "plain"), (BUSYBOX, "framed"), (SCRATCH, "plain")],
    ids=["debian-framed", "debian-plain", "busybox-framed", "scratch-plain"],
)
def test_two_runners_are_spread_over_the_nodes_and_merged(
    env: Env, hosts: Hosts, image: str, report: str
) -> None:
    other = env.file("other", profile_text(rate=100, total=100), 1)
    options = ["--report", report, "--wait"]
    run = env.run(env.quick(2), other, image=image, options=options)
    assert (run.code, run.stdout) == (0, "mrunners\n"), run.stderr
    result = env.mrunners("result", env.namespace)
    assert result.code == 0
    assert result.report["total"] == 200
    nodes = {node["node"] for node in result.report["nodes"]}
    assert nodes <= hosts.names
    assert len(nodes) == min(3, len(hosts.names))


def test_an_image_without_a_shell_is_told_with_what_helps(env: Env) -> None:
    wait = env.run(env.quick(2), image=SCRATCH, options=["--wait"])
    assert wait.code == 5
    assert '"/bin/sh": stat /bin/sh: no such file or directory' in wait.stderr
    result = env.mrunners("result", env.namespace)
    for missing in result.report["coverage"]["missing"]:
        assert missing["reason"] == "failed"
        assert missing["detail"].startswith("exit 128 (StartError: ")
        assert missing["detail"].endswith("choose the plain report format")
    # The pod says that such a container started in 1970.
    assert all("1970" not in str(pod) for pod in result.report["coverage"]["missing"])


NOISY = """\
#!/bin/sh
# Writes 10,000 lines a second to stderr before, during and after the load, and leaves half a line.
noise() {
  i=0
  while [ $i -lt "$1" ]; do echo "W0102 03:04:05 slow request $i" >&2; i=$((i + 1)); done
}
noise 10000
( while :; do noise 1000; sleep 0.1; done ) &
/kperf.real "$@"
code=$?
kill $!
noise 10000
head -c 50000 /dev/zero | tr '\\0' x >&2
exit $code
"""


def test_a_frame_is_whole_under_ten_thousand_lines_of_noise_a_second(
    env: Env, hosts: Hosts
) -> None:
    kperf = (binary_folder(os.environ) / "kperf").read_bytes()
    files = {"/kperf": NOISY.encode(), "/kperf.real": kperf}
    image = hosts.push("test/noisy:0.3.5", files)
    load = env.file("load", profile_text(rate=50, total=250), 4)
    run = env.run(load, image=image, options=["--wait"])
    assert "4 of 4 reports merged" in run.stderr
    assert env.mrunners("result", env.namespace).report["total"] == 1000
    for pod in env.kubectl.objects("pods"):
        assert 0 < hosts.log_bytes(pod) < 100_000


def test_an_image_that_is_pushed_late_is_pulled_and_the_run_completes(
    env: Env, hosts: Hosts
) -> None:
    run = env.start_run(env.quick(2), image="ghcr.io/test/late:0.3.5", options=["--wait"])

    def told() -> bool:
        # Before it, another reason may be told, such as a node that is not ready yet.
        lines = (line for line in run.stderr_lines() if "cannot start: " in line)
        return any("ghcr.io/test/late:0.3.5" in line for line in lines)

    until("the missing image is told", told)
    hosts.push("test/late:0.3.5", {"/note": b"late"})
    finished = run.finish()
    assert finished.code == 0, finished.stderr
    assert "not found" in finished.stderr  # the cause, which a registry puts last
