"""What the plan expects of a log is what the runner's script allows."""

from __future__ import annotations

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
from tests.factories import ADDRESS
from tests.unit.reports.test_runner_script import Pod


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
    (tmp_path / "tmp" / "output.pipe").unlink()
    fits = pod.run(f"cat {noise} > $out", MRUNNERS_LOG_LIMIT_BYTES=str(limit))
    assert extract_report(fits.stdout, ADDRESS) == noise.read_bytes()
    (tmp_path / "tmp" / "output.pipe").unlink()
    refused = pod.run(f"cat {noise} > $out", MRUNNERS_LOG_LIMIT_BYTES=str(limit - 1))
    assert b"mrunners-report too-large" in refused.stdout


@pytest.mark.parametrize("limit", [MIN_LOG_LIMIT_BYTES, 256 * 1024, 1 << 20, 10 << 20, 34_567_890])
def test_so_many_samples_fit_as_their_bytes_do(limit: int) -> None:
    capacity = log_capacity(limit, framed=True)
    assert 0 < capacity.sure < capacity.possible
    most = 15 if capacity.sure < 500_000 else 13
    assert framed_log_bytes(most * capacity.sure) <= limit
    assert framed_log_bytes(int(3.6 * capacity.possible) + 4000) > limit


@pytest.mark.parametrize("limit", [MIN_LOG_LIMIT_BYTES, 1 << 20, 10 << 20])
@pytest.mark.parametrize("logs", [2, MAX_REPORT_LOGS])
def test_so_many_samples_fit_into_several_logs_as_their_lines_do(limit: int, logs: int) -> None:
    capacity = log_capacity(limit, framed=True, logs=logs)
    lines = -(-13 * capacity.sure // LINE_CHARACTERS)
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
