"""Reports at the size that the log of a real node keeps."""

from __future__ import annotations

import random
import textwrap

import pytest

from mrunners.reports.log_size import framed_log_bytes
from tests.cluster.env import Env, profile_text
from tests.kubelet.hosts import KubeletHosts


def report_of(samples: int, seed: int) -> bytes:
    """Return a report as kperf 0.3.5 writes it, with latencies about 100 ms."""
    rng = random.Random(seed)
    latencies = sorted(round(rng.lognormvariate(-2.3, 0.5), 9) for _ in range(samples))
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
    (pod,) = env.kubectl.objects("pods")
    size = hosts.log_bytes(pod)
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
    (pod,) = env.kubectl.objects("pods")
    log = env.kubectl("logs", pod["metadata"]["name"])
    encoded = int(log.partition("encoded=")[2].split()[0])
    size = hosts.log_bytes(pod)
    assert encoded < size <= framed_log_bytes(encoded)
    assert env.mrunners("result", env.namespace).report["total"] == samples
