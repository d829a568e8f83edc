"""Frames in logs: whole ones are taken, and each broken one has its reason."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.errors import ExitCode
from mrunners.reports.frame import FrameAddress, extract_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from tests.unit.reports.broken_logs import GOOD, RAW, broken_logs
from tests.unit.reports.build import ADDRESS, framed

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


def test_there_are_enough_broken_logs() -> None:
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
def test_a_whole_frame_is_taken_byte_for_byte(log: bytes) -> None:
    assert extract_report(log, ADDRESS) == RAW


def test_an_empty_report_in_a_frame_is_still_what_was_announced() -> None:
    assert extract_report(framed(b""), ADDRESS) == b""


def test_any_pod_of_the_index_will_do_when_none_is_named() -> None:
    anyone = FrameAddress(ADDRESS.run_id, ADDRESS.job, ADDRESS.index)
    assert extract_report(framed(RAW, pod="other"), anyone) == RAW


def test_a_kubelets_error_is_quoted_without_its_escapes() -> None:
    with pytest.raises(UnusableReportError, match=r"rpc error: code = \?\[31mX") as caught:
        extract_report(b"rpc error: code = \x1b[31mX" + b"y" * 10_000, ADDRESS)
    assert len(str(caught.value)) < 300


def test_the_error_survives_pickling_and_means_exit_5() -> None:
    error = pickle.loads(pickle.dumps(UnusableReportError(MissingReason.TRUNCATED, "cut")))
    assert (error.problem, error.detail, str(error), error.exit_code) == (
        MissingReason.TRUNCATED,
        "cut",
        "truncated: cut",
        ExitCode.INCOMPLETE,
    )


def never_merged_wrongly(log: bytes) -> None:
    """The one promise: exactly the report, or none."""
    try:
        report = extract_report(log, ADDRESS)
    except UnusableReportError:
        return
    assert report == RAW


PLACES = st.integers(0, len(GOOD))


@settings(max_examples=300, deadline=None)
@given(PLACES, PLACES)
def test_a_piece_cut_out_anywhere_is_never_merged_wrongly(one: int, other: int) -> None:
    low, high = sorted((one, other))
    never_merged_wrongly(GOOD[:low] + GOOD[high:])


@settings(max_examples=300, deadline=None)
@given(PLACES, st.binary(min_size=1, max_size=40))
def test_bytes_written_in_between_are_never_merged_wrongly(place: int, noise: bytes) -> None:
    never_merged_wrongly(GOOD[:place] + noise + GOOD[place:])


@settings(max_examples=300, deadline=None)
@given(PLACES, st.binary(min_size=1, max_size=40))
def test_bytes_written_over_are_never_merged_wrongly(place: int, noise: bytes) -> None:
    never_merged_wrongly(GOOD[:place] + noise + GOOD[place + len(noise) :])


@settings(max_examples=200, deadline=None)
@given(PLACES, PLACES, PLACES)
def test_a_piece_that_comes_twice_is_never_merged_wrongly(a: int, b: int, c: int) -> None:
    low, high = sorted((a, b))
    never_merged_wrongly(GOOD[:c] + GOOD[low:high] + GOOD[c:])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_give_a_reason(log: bytes) -> None:
    with pytest.raises(UnusableReportError):
        extract_report(log, ADDRESS)
