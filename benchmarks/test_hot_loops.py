"""What large runs do most often, for pytest-benchmark; `*_plainly` does the same the plain way.

    pytest benchmarks/test_hot_loops.py

Each checks that what it measures is right.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from mrunners.formatting import PERCENTILES
from mrunners.plan.job import job_manifest
from mrunners.plan.spec_changes import changed_fields, spec_fields
from mrunners.reports.columnar_json import parse_document
from mrunners.reports.frame import extract_report
from mrunners.reports.gunzip import decoded, unpacked
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.latency_column import LatencyColumn, Seconds
from mrunners.reports.percentiles import percentile_latencies
from mrunners.reports.strict_json import parse_json_object
from tests.factories import ADDRESS, body_of, framed, sampled_report
from tests.unit.env import planned

_SAMPLES = 10_000


@functools.cache
def _report() -> bytes:
    return sampled_report(_SAMPLES)


@functools.cache
def _pods() -> list[Seconds]:
    rng = np.random.default_rng(1)
    return [np.sort(rng.lognormal(-2.0, 0.5, _SAMPLES)) for _ in range(100)]


def test_read_the_json_of_a_report_of_10_000_samples(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse_document, _report())["aggregated"]["total"] == _SAMPLES


def test_read_the_json_of_a_report_of_10_000_samples_plainly(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse_json_object, _report())["aggregated"]["total"] == _SAMPLES


def test_unpack_a_report_of_10_000_samples(benchmark: BenchmarkFixture) -> None:
    body = body_of(_report())

    def unpack() -> bytes | None:
        return unpacked(decoded(body) or b"")

    assert benchmark(unpack) == _report()


def test_unpack_a_report_of_10_000_samples_plainly(benchmark: BenchmarkFixture) -> None:
    body = body_of(_report())
    assert benchmark(lambda: gzip.decompress(base64.b64decode(body, validate=True))) == _report()


def test_read_the_log_of_a_pod_with_10_000_samples(benchmark: BenchmarkFixture) -> None:
    log = framed(_report())
    read = benchmark(lambda: parse_report(extract_report(log, ADDRESS)))
    assert read.samples == _SAMPLES


def test_find_the_percentiles_of_a_million_samples_in_100_pods(
    benchmark: BenchmarkFixture,
) -> None:
    # A column keeps what it has counted, so each round has new ones.
    found = benchmark(lambda: percentile_latencies([LatencyColumn(pod) for pod in _pods()]))
    assert found == _sorted_percentiles()


def test_find_the_percentiles_of_a_million_samples_in_100_pods_plainly(
    benchmark: BenchmarkFixture,
) -> None:
    assert len(benchmark(_sorted_percentiles)) == len(PERCENTILES)


def _sorted_percentiles() -> tuple[tuple[float, float], ...]:
    every = np.sort(np.concatenate(_pods()))
    ranks = [max(int(np.ceil(len(every) * p)) - 1, 0) for p in PERCENTILES]
    return tuple((p, float(every[rank])) for p, rank in zip(PERCENTILES, ranks, strict=True))


def test_make_the_manifest_of_a_job(benchmark: BenchmarkFixture) -> None:
    plan = planned(10).plan
    body = benchmark(
        lambda: json.dumps(
            job_manifest(plan, plan.jobs[0], profile_config_map="mrunners", tracker_uid="u")
        )
    )
    assert json.loads(body)["kind"] == "Job"


def test_compare_a_job_as_sent_with_the_job_as_stored(benchmark: BenchmarkFixture) -> None:
    plan = planned(10).plan
    sent = job_manifest(plan, plan.jobs[0], profile_config_map="mrunners", tracker_uid="u")
    spec = sent["spec"]
    assert isinstance(spec, dict)
    assert benchmark(lambda: changed_fields(spec_fields(spec), spec_fields(spec))) == []
