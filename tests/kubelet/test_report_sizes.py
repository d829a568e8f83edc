"""Reports at the size that the log of a real node keeps."""

from __future__ import annotations

import pytest

from mrunners.reports.log_size import framed_log_bytes
from tests.cluster.env import Env, profile_text
from tests.cluster.fault_rows import Cost, Figure
from tests.cluster.prepared_reports import prepared
from tests.factories import sampled_report
from tests.kubelet.hosts import KubeletHosts


@pytest.mark.parametrize(
    ("samples", "median_seconds", "fits"),
    [(58_000, 0.1, True), (150_000, 1.0, False)],
    ids=["fits", "does-not-fit"],
)
def test_a_report_at_the_size_of_the_nodes_log_arrives_or_is_refused_as_was_said(
    env: Env, hosts: KubeletHosts, cost: Cost, samples: int, median_seconds: float, fits: bool
) -> None:
    image = hosts.push(
        f"test/prepared-{samples}:0.3.5", prepared(sampled_report(samples, median_seconds))
    )
    options = ["--wait", "--node-log-limit", "1Mi"]
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=options)
    result = env.mrunners("result", env.namespace)
    (pod,) = env.kubectl.objects("pods")
    size = hosts.log_bytes(pod)
    if fits:
        assert (run.code, result.report["total"]) == (0, samples), run.stderr
        assert size <= 1 << 20
    else:
        assert run.code == 5
        cost("a report is too large for the node's log", result)
        assert f"about {samples:,} samples per pod may not fit" in run.stderr
        (missing,) = result.report["coverage"]["missing"]
        assert missing["reason"] == "too-large"
        assert size < 100_000


def test_a_large_report_takes_no_more_of_the_log_than_the_formula_says(
    env: Env, hosts: KubeletHosts, figure: Figure
) -> None:
    samples = 750_000
    image = hosts.push("test/large:0.3.5", prepared(sampled_report(samples)))
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=["--wait"])
    assert run.code == 0, run.stderr
    (pod,) = env.kubectl.objects("pods")
    log = env.kubectl("logs", pod["metadata"]["name"])
    encoded = int(log.partition("encoded=")[2].split()[0])
    size = hosts.log_bytes(pod)
    figure(
        f"{samples:,} samples: {encoded:,} bytes encoded ({encoded / samples:.1f} a sample), "
        f"{size:,} in the node's files, {framed_log_bytes(encoded):,} by the formula"
    )
    assert encoded < size <= framed_log_bytes(encoded)
    assert env.mrunners("result", env.namespace).report["total"] == samples


@pytest.mark.parametrize(
    ("base", "samples", "least_bytes"),
    [("azure/kperf:0.3.5", 1_400_000, 25 << 20), ("azure/kperf-busybox:0.3.5", 600_000, 10 << 20)],
    ids=["debian", "busybox"],
)
def test_a_report_above_the_size_of_a_log_arrives_in_the_logs_of_several_containers(
    env: Env, hosts: KubeletHosts, figure: Figure, base: str, samples: int, least_bytes: int
) -> None:
    image = hosts.push_onto(base, "test/parts:0.3.5", prepared(sampled_report(samples, digits=16)))
    options = ["--wait", "--report-logs", "6"]
    run = env.run(env.file("load", profile_text(total=samples), 1), image=image, options=options)
    assert run.code == 0, run.stderr
    (pod,) = env.kubectl.objects("pods")
    log = env.kubectl("logs", pod["metadata"]["name"], "--container", "runner")
    encoded = int(log.partition(" encoded=")[2].split()[0])
    names = ("runner", *(f"report-{number}" for number in range(2, 7)))
    sizes = [hosts.log_bytes(pod, name) for name in names]
    figure(f"{samples:,} samples: {encoded:,} bytes encoded, in logs of {sizes}")
    assert max(sizes) <= 10 << 20
    assert least_bytes < encoded < sum(sizes)
    assert env.mrunners("result", env.namespace).report["total"] == samples
