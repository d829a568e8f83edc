"""Reports without a frame: one is extracted only when there is no doubt about it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.plain_log import extract_plain_report
from tests.factories import flat, multi, printed

FLAT = printed(flat(errors=2))
MULTI = printed(multi(flat(), aggregated=flat()))
LINES = FLAT.split(b"\n")


@pytest.mark.parametrize("report", [FLAT, MULTI], ids=["flat", "multi"])
@pytest.mark.parametrize("before", [b"", b"W0102 {slow}\nI0102 {\n", b"\xff\0\r\n"])
@pytest.mark.parametrize("after", [b"", b"I0102 bye", b"}x\n"])
def test_the_one_report_is_extracted_from_between_stderr(
    report: bytes, before: bytes, after: bytes
) -> None:
    assert extract_plain_report(before + report + after) == report.rstrip(b"\n")


BROKEN = {
    "empty": (b"", MissingReason.EMPTY_LOG),
    "stderr only": (b"kperf: err\n", MissingReason.NO_FRAME),
    "another object": (b'{\n  "level": "info"\n}\n', MissingReason.NO_FRAME),
    "kubelet": (b"unable to retrieve container logs for x", MissingReason.KUBELET_ERROR),
    "two reports": (FLAT + FLAT, MissingReason.DUPLICATE_FRAME),
    "head gone": (FLAT[30:], MissingReason.TRUNCATED),
    "tail gone": (FLAT[:-30], MissingReason.TRUNCATED),
    "tail of one, head of another": (FLAT[30:] + FLAT[:-30], MissingReason.TRUNCATED),
    "head and tail gone": (FLAT[30:-30], MissingReason.GARBLED),
    "glued to stderr": (b"W0102 slow" + FLAT[:-30], MissingReason.GARBLED),
    "klog line inside": (
        b"\n".join([*LINES[:5], b"W0102 slow", *LINES[5:]]),
        MissingReason.INVALID_JSON,
    ),
    "a line gone": (b"\n".join(LINES[:-3] + LINES[-2:]), MissingReason.INVALID_JSON),
    "invalid UTF-8 inside": (FLAT.replace(b"http", b"ht\xfftp"), MissingReason.INVALID_JSON),
    "NUL inside": (FLAT.replace(b"http", b"ht\0tp"), MissingReason.INVALID_JSON),
}


@pytest.mark.parametrize(("log", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_doubtful_log_is_refused(log: bytes, reason: MissingReason) -> None:
    with pytest.raises(UnusableReportError) as caught:
        extract_plain_report(log)
    assert caught.value.problem == reason


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FLAT)), st.integers(0, len(FLAT)))
def test_a_piece_cut_out_never_changes_the_counts(one: int, other: int) -> None:
    low, high = sorted((one, other))
    try:
        report = parse_report(extract_plain_report(FLAT[:low] + FLAT[high:]))
    except UnusableReportError:
        return
    # Without a checksum a lost digit may go unnoticed; a lost sample or error may not.
    assert (report.samples, report.error_count) == (3, 2)
