"""Runs on real nodes: three images, both report formats, and logs as real nodes write them."""

from __future__ import annotations

import os
import random
import textwrap

import pytest

from localcluster.binaries.builder import binary_folder
from mrunners.reports.log_size import framed_log_bytes
from tests.cluster.commands import until
from tests.cluster.env import KPERF, Env, profile_text
from tests.kubelet.hosts import KubeletHosts

BUSYBOX = "ghcr.io/azure/kperf-busybox:0.3.5"
SCRATCH = "ghcr.io/azure/kperf-scratch:0.3.5"


@pytest.mark.parametrize(
    ("image", "report"),
    [(KPERF, "framed"), (KPERF, "plain"), (BUSYBOX, "framed"), (SCRATCH, "plain")],
    ids=["debian-framed", "debian-plain", "busybox-framed", "scratch-plain"],
)
def test_two_runners_are_spread_over_the_nodes_and_merged(
    env: Env, image: str, report: str
) -> None:
    other = env.file("other", profile_text(rate=100, total=100), 1)
    options = ["--report", report, "--wait"]
    run = env.run(env.quick(2), other, image=image, options=options)
    assert (run.code, run.stdout) == (0, "mrunners\n"), run.stderr
    result = env.mrunners("result", env.namespace)
    assert result.code == 0
    assert result.report["total"] == 200
    assert {node["node"] for node in result.report["nodes"]} == {"kubelet-1", "kubelet-2"}


def test_an_image_without_a_shell_is_told_with_what_helps(env: Env) -> None:
    wait = env.run(env.quick(2), image=SCRATCH, options=["--wait"])
    assert wait.code == 5
    assert '"/bin/sh": stat /bin/sh: no such file or directory' in wait.stderr
    result = env.mrunners("result", env.namespace)
    for missing in result.report["coverage"]["missing"]:
        assert missing["reason"] == "failed"
        assert missing["detail"].startswith("exit 128 (StartError: ")
        assert missing["detail"].endswith("choose the plain report format")
    # A kubelet says that such a container started in 1970.
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
    env: Env, hosts: KubeletHosts
) -> None:
    kperf = (binary_folder(os.environ) / "kperf").read_bytes()
    files = {"/kperf": NOISY.encode(), "/kperf.real": kperf}
    image = hosts.push("test/noisy:0.3.5", files)
    load = env.file("load", profile_text(rate=50, total=250), 4)
    run = env.run(load, image=image, options=["--wait"])
    assert run.code == 0, run.stderr
    for pod in env.kubectl.names("pods"):
        assert hosts.log_bytes(env.namespace, pod.removeprefix("pod/")) < 100_000


def report_of(samples: int, seed: int, digits: int = 9) -> bytes:
    """Return a report as kperf writes it, with latencies about 100 ms.

    Args:
        samples: How many it has.
        seed: Of the latencies.
        digits: Of each latency, behind the point; kperf writes 9, and more compress less.
    """
    rng = random.Random(seed)
    latencies = sorted(round(rng.lognormvariate(-2.3, 0.5), digits) for _ in range(samples))
    last = samples - 1
    ranks = [[p, latencies[min(last, int(p * samples))]] for p in (0, 0.5, 0.9, 0.95, 0.99, 1)]
    return (
        f'{{"total":{samples},"duration":"60s","totalReceivedBytes":{samples},'
        f'"percentileLatencies":{ranks},"percentileLatenciesByURL":{{"LIST https://a/p":{ranks}}},'
        f'"latenciesByURL":{{"LIST https://a/p":{latencies}}}}}\n'
    ).encode()


PREPARED = textwrap.dedent("""\
    #!/bin/sh
    for word; do case $word in --result=*) result=${word#--result=};; esac; done
    cat /report.json > "$result"
    """)


@pytest.mark.parametrize(
    ("samples", "fits"), [(60_000, True), (150_000, False)], ids=["fits", "does-not-fit"]
)
def test_a_report_at_the_size_of_the_nodes_log_arrives_or_is_refused_as_was_said(
    env: Env, hosts: KubeletHosts, samples: int, fits: bool
) -> None:
    files = {"/kperf": PREPARED.encode(), "/report.json": report_of(samples, seed=samples)}
    image = hosts.push(f"test/prepared-{samples}:0.3.5", files)
    options = ["--wait", "--node-log-limit", "1Mi"]
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=options)
    result = env.mrunners("result", env.namespace)
    (pod,) = env.kubectl.names("pods")
    size = hosts.log_bytes(env.namespace, pod.removeprefix("pod/"))
    if fits:
        assert (run.code, result.report["total"]) == (0, samples), run.stderr
        assert size <= 1 << 20
    else:
        assert run.code == 5
        assert f"about {samples:,} samples per pod may not fit" in run.stderr
        (missing,) = result.report["coverage"]["missing"]
        assert missing["reason"] == "too-large"
        assert size < 100_000


def test_a_large_report_takes_no_more_of_the_log_than_the_formula_says(
    env: Env, hosts: KubeletHosts
) -> None:
    samples = 750_000
    report = report_of(samples, seed=1)
    files = {"/kperf": PREPARED.encode(), "/report.json": report}
    image = hosts.push("test/large:0.3.5", files)
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=["--wait"])
    assert run.code == 0, run.stderr
    (pod,) = env.kubectl.names("pods")
    log = env.kubectl("logs", pod)
    encoded = int(log.partition("encoded=")[2].split()[0])
    size = hosts.log_bytes(env.namespace, pod.removeprefix("pod/"))
    assert encoded < size <= framed_log_bytes(encoded)
    assert env.mrunners("result", env.namespace).report["total"] == samples


@pytest.mark.parametrize("base", ["azure/kperf:0.3.5", "azure/kperf-busybox:0.3.5"])
def test_a_report_of_25_mib_arrives_in_the_logs_of_three_containers(
    env: Env, hosts: KubeletHosts, base: str
) -> None:
    samples = 3_100_000
    files = {"/kperf": PREPARED.encode(), "/report.json": report_of(samples, 2, digits=16)}
    image = hosts.push("test/parts:0.3.5", files, base)
    options = ["--wait", "--report-logs", "4"]
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=options)
    assert run.code == 0, run.stderr
    (pod,) = env.kubectl.names("pods")
    encoded = int(env.kubectl("logs", pod).partition(" encoded=")[2].split()[0])
    sizes = [
        hosts.log_bytes(env.namespace, pod.removeprefix("pod/"), name)
        for name in ("runner", "report-2", "report-3", "report-4")
    ]
    assert sizes.pop() == 0
    assert max(sizes) <= 10 << 20
    assert 25 << 20 < encoded < sum(sizes)
    assert env.mrunners("result", env.namespace).report["total"] == samples


def test_an_image_that_is_pushed_late_is_pulled_and_the_run_completes(
    env: Env, hosts: KubeletHosts
) -> None:
    run = env.start_run(env.quick(2), image="ghcr.io/test/late:0.3.5", options=["--wait"])
    until("the missing image is told", lambda: run.stderr_contains("cannot start: "))
    assert run.stderr_contains("ghcr.io/test/late:0.3.5")
    hosts.push("test/late:0.3.5", {"/note": b"late"})
    finished = run.finish()
    assert finished.code == 0, finished.stderr
    assert "not found" in finished.stderr  # the cause, which a registry puts last
