"""Frames in logs: a whole one is extracted, each broken one is refused with its own reason."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.errors import ExitCode
from mrunners.reports.frame import FrameAddress, extract_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from tests.factories import ADDRESS, framed
from tests.unit.reports.broken_logs import GOOD, RAW, broken_logs

BROKEN = list(broken_logs())


@pytest.mark.parametrize(
    ("log", "reason"), [(b[1], b[2]) for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_broken_log_is_refused_with_its_own_reason(log: bytes, reason: MissingReason) -> None:
    with pytest.raises(UnusableReportError) as caught:
        extract_report(log, ADDRESS)
    assert caught.value.problem == reason
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 400


def test_the_broken_logs_are_many_and_all_different() -> None:
    assert len({log for _, log, _ in BROKEN}) == len(BROKEN) >= 40


@pytest.mark.parametrize(
    "log",
    [
        GOOD,
        GOOD[:-1],
        b"I0102 starting\nW0102 slow" + GOOD + b"kperf: late words",
        b"\xff\xfe\0 binary\r\n" + GOOD + b"\r\n\0",
        b"an error that quotes mrunners-report begin v1" + GOOD,
        GOOD + b"rpc error: code = Unavailable",
    ],
    ids=["alone", "no last newline", "stderr around", "binary around", "quoted", "kubelet after"],
)
def test_a_whole_frame_is_extracted_byte_for_byte(log: bytes) -> None:
    assert extract_report(log, ADDRESS) == RAW


def test_an_empty_report_in_a_frame_is_extracted() -> None:
    assert extract_report(framed(b""), ADDRESS) == b""


def test_any_pod_of_the_index_is_accepted_when_none_is_named() -> None:
    any_pod = FrameAddress(ADDRESS.run_id, ADDRESS.job, ADDRESS.index)
    assert extract_report(framed(RAW, pod="other"), any_pod) == RAW


def test_an_error_of_the_kubelet_is_quoted_without_terminal_escapes() -> None:
    with pytest.raises(UnusableReportError, match=r"rpc error: code = \?\[31mX") as caught:
        extract_report(b"rpc error: code = \x1b[31mX" + b"y" * 10_000, ADDRESS)
    assert len(str(caught.value)) < 300


def test_the_error_survives_pickling_and_has_exit_code_5() -> None:
    error = pickle.loads(pickle.dumps(UnusableReportError(MissingReason.TRUNCATED, "cut")))
    assert (error.problem, error.detail, str(error), error.exit_code) == (
        MissingReason.TRUNCATED,
        "cut",
        "truncated: cut",
        ExitCode.INCOMPLETE,
    )


def assert_exact_or_refused(log: bytes) -> None:
    """Assert that exactly the report is extracted, or none."""
    try:
        report = extract_report(log, ADDRESS)
    except UnusableReportError:
        return
    assert report == RAW


POSITIONS = st.integers(0, len(GOOD))


@settings(max_examples=300, deadline=None)
@given(POSITIONS, POSITIONS)
def test_a_log_with_a_piece_cut_out_is_never_extracted_wrongly(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert_exact_or_refused(GOOD[:low] + GOOD[high:])


@settings(max_examples=300, deadline=None)
@given(POSITIONS, st.binary(min_size=1, max_size=40))
def test_inserted_bytes_are_never_extracted_wrongly(position: int, noise: bytes) -> None:
    assert_exact_or_refused(GOOD[:position] + noise + GOOD[position:])


@settings(max_examples=300, deadline=None)
@given(POSITIONS, st.binary(min_size=1, max_size=40))
def test_overwritten_bytes_are_never_extracted_wrongly(position: int, noise: bytes) -> None:
    assert_exact_or_refused(GOOD[:position] + noise + GOOD[position + len(noise) :])


@settings(max_examples=200, deadline=None)
@given(POSITIONS, POSITIONS, POSITIONS)
def test_a_duplicated_piece_is_never_extracted_wrongly(a: int, b: int, c: int) -> None:
    low, high = sorted((a, b))
    assert_exact_or_refused(GOOD[:c] + GOOD[low:high] + GOOD[c:])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_with_a_reason(log: bytes) -> None:
    with pytest.raises(UnusableReportError):
        extract_report(log, ADDRESS)
