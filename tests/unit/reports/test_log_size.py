"""What the plan expects of a log is what the runner's script allows."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from mrunners.reports.frame import extract_report
from mrunners.reports.log_size import (
    LINE_CHARACTERS,
    MAX_REPORT_LOGS,
    MIN_LOG_LIMIT_BYTES,
    framed_log_bytes,
    log_capacity,
    logs_needed,
)
from tests.factories import ADDRESS, sampled_report
from tests.unit.reports.test_runner_script import Pod


def remove_pipes(folder: Path) -> None:
    """Make a pod's folder as it was before the script ran there."""
    for path in (folder / "tmp").glob("*.pipe"):
        path.unlink()


@pytest.mark.parametrize("size", [10, 2998, 3000, 9000, 60_000])
def test_the_script_prints_what_the_formula_lets_in_and_not_a_byte_more(
    tmp_path: Path, size: int
) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(size).randbytes(size))
    pod = Pod(tmp_path, ["sh"])
    printed = pod.run(f"cat {noise} > $out", MRUNNERS_LOG_LIMIT_BYTES="10485760")
    encoded = int(printed.stdout.split(b"encoded=")[1].split()[0])
    limit = framed_log_bytes(encoded)
    remove_pipes(tmp_path)
    fits = pod.run(f"cat {noise} > $out", MRUNNERS_LOG_LIMIT_BYTES=str(limit))
    assert extract_report(fits.stdout, ADDRESS) == noise.read_bytes()
    remove_pipes(tmp_path)
    refused = pod.run(f"cat {noise} > $out", MRUNNERS_LOG_LIMIT_BYTES=str(limit - 1))
    assert b"mrunners-report too-large" in refused.stdout


def log_bytes_of(report: bytes) -> int:
    return framed_log_bytes(-(-len(gzip.compress(report, 6)) // 3) * 4)


@pytest.mark.parametrize("limit", [MIN_LOG_LIMIT_BYTES, 128 * 1024, 256 * 1024, 1 << 20, 2 << 20])
def test_so_many_samples_fit_whatever_their_latencies_are(limit: int) -> None:
    capacity = log_capacity(limit, framed=True)
    different = sampled_report(capacity.sure, median_seconds=30, spread=2)
    assert log_bytes_of(different) <= limit < 1.3 * log_bytes_of(different)


@pytest.mark.parametrize("limit", [MIN_LOG_LIMIT_BYTES, 128 * 1024, 256 * 1024])
def test_more_samples_than_possible_do_not_fit_although_they_are_alike(limit: int) -> None:
    capacity = log_capacity(limit, framed=True)
    alike = sampled_report(capacity.possible + 1, median_seconds=0.0002, spread=0.1)
    assert log_bytes_of(alike) > limit


@pytest.mark.parametrize("limit", [MIN_LOG_LIMIT_BYTES, 1 << 20, 10 << 20])
@pytest.mark.parametrize("logs", [2, MAX_REPORT_LOGS])
def test_so_many_samples_fit_into_several_logs_as_their_lines_do(limit: int, logs: int) -> None:
    capacity = log_capacity(limit, framed=True, logs=logs)
    lines = -(-int(13.4 * capacity.sure) // LINE_CHARACTERS)
    in_each = -(-lines // logs)
    assert framed_log_bytes(in_each * LINE_CHARACTERS) <= limit
    assert logs_needed(capacity.sure, limit) == logs or capacity.sure == 5_830_000


def test_no_number_of_logs_holds_more_samples_than_a_report_can_have() -> None:
    assert log_capacity(1 << 30, framed=True, logs=MAX_REPORT_LOGS).sure == 5_830_000
    assert logs_needed(5_830_000, 10 << 20) == MAX_REPORT_LOGS
    assert logs_needed(5_830_001, 10 << 20) is None


def test_an_absurd_limit_holds_nothing() -> None:
    assert log_capacity(1, framed=True).possible == 0


@pytest.mark.parametrize(
    ("samples", "encoded"),
    # Measured on real kubelets, with latencies of the server's.
    [(200_000, 1_728_276), (1_050_000, 6_731_932), (100_000, 992_420)],
)
def test_measured_reports_are_within_the_bounds(samples: int, encoded: int) -> None:
    capacity = log_capacity(framed_log_bytes(encoded), framed=True)
    assert capacity.sure <= samples <= capacity.possible


def test_the_log_of_a_container_takes_no_more_than_the_formula(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(7).randbytes(200_000))
    pod = Pod(tmp_path, ["sh"])
    script = "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i + 1)); done\n"
    log = pod.run(script + f"cat {noise} > $out").stdout
    encoded = int(log.split(b"encoded=")[1].split()[0])
    # As containerd stores it, and as Docker does.
    for overhead in (41, 100):
        assert len(log) + overhead * log.count(b"\n") <= framed_log_bytes(encoded)
