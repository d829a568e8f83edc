"""Reports in parts, each in a log of its own: joined exactly, or the lost part is named."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.frame import extract_report
from mrunners.reports.outcomes import MissingReason as Why
from mrunners.reports.outcomes import UnusableReportError
from tests.factories import ADDRESS, body_of, framed, framed_parts
from tests.unit.reports.broken_logs import LINES, RAW

BODIES = [b"".join(LINES[:2]), b"".join(LINES[2:4]), b"".join(LINES[4:])]
FIRST, SECOND, THIRD = framed_parts(RAW, *BODIES)
OTHER = RAW.replace(b"noise", b"other")
OTHER_BODY = body_of(OTHER)
OTHERS = framed_parts(OTHER, OTHER_BODY[:4000], OTHER_BODY[4000:8000], OTHER_BODY[8000:])
HASH = hashlib.sha256(BODIES[1]).hexdigest().encode()


def joined(*logs: bytes) -> bytes:
    return extract_report(logs[0], ADDRESS, lambda number: logs[number - 1])


def refusal(*logs: bytes) -> tuple[Why, str]:
    with pytest.raises(UnusableReportError) as caught:
        joined(*logs)
    return caught.value.problem, caught.value.detail


def test_the_parts_are_joined_byte_for_byte() -> None:
    assert joined(FIRST, SECOND, THIRD) == RAW
    assert joined(b"I0102 on\n" + FIRST, b"W0102 slow" + SECOND, THIRD[:-1]) == RAW


def test_a_report_in_one_log_needs_no_other_log() -> None:
    def never(number: int) -> bytes:
        raise AssertionError(number)

    assert extract_report(framed(RAW), ADDRESS, never) == RAW


@given(st.binary(max_size=60_000), st.integers(1, 8))
def test_what_is_cut_into_parts_and_joined_is_the_same(raw: bytes, count: int) -> None:
    body = body_of(raw)
    lines = -(-len(body) // 4000)
    size = -(-lines // count) * 4000
    bodies = [body[start : start + size] for start in range(0, len(body), size)]
    assert joined(*framed_parts(raw, *bodies)) == raw


BROKEN: Mapping[str, tuple[bytes, Why, str]] = {
    "empty": (b"", Why.TRUNCATED, "the pod's log is empty"),
    "only text": (b"I0102 on\n", Why.TRUNCATED, "no report frame in 2 lines of log"),
    "head gone": (
        SECOND[500:],
        Why.TRUNCATED,
        "the log's head is missing: a frame ends but does not begin",
    ),
    "tail gone": (
        SECOND[:5000],
        Why.TRUNCATED,
        "the log's tail is missing: a frame begins but does not end",
    ),
    "a line gone": (
        SECOND.replace(LINES[2] + b"\n", b""),
        Why.TRUNCATED,
        "the middle is missing: the body has 4000 of 8000 characters",
    ),
    "a line altered": (
        SECOND.replace(LINES[2], LINES[1]),
        Why.CHECKSUM_MISMATCH,
        "its SHA-256 is not the announced one",
    ),
    "lines exchanged": (
        SECOND.replace(LINES[2] + b"\n" + LINES[3], LINES[3] + b"\n" + LINES[2]),
        Why.CHECKSUM_MISMATCH,
        "its SHA-256 is not the announced one",
    ),
    "another hash": (
        SECOND.replace(HASH, b"0" * 64),
        Why.CHECKSUM_MISMATCH,
        "its SHA-256 is not the announced one",
    ),
    "text inside": (
        SECOND.replace(LINES[3], b"W0102 slow\n" + LINES[3]),
        Why.GARBLED,
        "line 2 of the frame's body is not base64",
    ),
    "twice": (SECOND + SECOND, Why.DUPLICATE_FRAME, "the log has more than one frame: begin, end"),
    "the first part again": (
        FIRST,
        Why.FOREIGN_FRAME,
        "the begin line names another part or report",
    ),
    "the third part": (THIRD, Why.FOREIGN_FRAME, "the begin line names another part or report"),
    "of another report": (
        OTHERS[1],
        Why.FOREIGN_FRAME,
        "the begin line names another part or report",
    ),
    "of another number of parts": (
        SECOND.replace(b"part=2/3", b"part=2/4"),
        Why.FOREIGN_FRAME,
        "the begin line names another part or report",
    ),
    "a whole report": (
        framed(RAW),
        Why.FOREIGN_FRAME,
        "the begin line names another part or report",
    ),
    "of another pod": (
        SECOND.replace(b"abcde", b"zzzzz"),
        Why.FOREIGN_FRAME,
        "the begin line names another pod",
    ),
    "end of another part": (
        SECOND[:-20] + SECOND[-20:].replace(b"part=2/3", b"part=3/3"),
        Why.FOREIGN_FRAME,
        "the end line belongs to another frame",
    ),
    "a field gone": (
        SECOND.replace(b" part-encoded=8000", b""),
        Why.GARBLED,
        "the frame line in line 2 was altered",
    ),
}


@pytest.mark.parametrize(("log", "reason", "detail"), BROKEN.values(), ids=BROKEN)
def test_a_broken_part_is_refused_by_its_number(log: bytes, reason: Why, detail: str) -> None:
    problem, text = refusal(FIRST, log, THIRD)
    assert problem is reason
    assert text.startswith(f"part 2 of 3: {detail}")


def test_a_first_log_that_has_a_further_part_is_refused() -> None:
    assert refusal(SECOND, FIRST, THIRD) == (
        Why.FOREIGN_FRAME,
        "the log has part 2 of 3 of a report, which has at most 8",
    )


@pytest.mark.parametrize("parts", [b"1/0", b"1/9", b"1/99"])
def test_a_first_log_that_announces_more_parts_than_there_can_be_is_refused(parts: bytes) -> None:
    assert refusal(FIRST.replace(b"part=1/3", b"part=" + parts), SECOND, THIRD)[0] is (
        Why.FOREIGN_FRAME
    )


def test_more_parts_than_the_pod_has_logs_are_refused() -> None:
    logs = (FIRST, SECOND, THIRD)
    with pytest.raises(UnusableReportError, match="part 1 of 3 of a report, which has at most 2"):
        extract_report(FIRST, ADDRESS, lambda number: logs[number - 1], logs=2)


def test_a_part_of_another_length_than_announced_is_refused() -> None:
    # Each part is as it says, and together they are too short.
    short = framed_parts(RAW, BODIES[0], BODIES[1], BODIES[2][:-4])
    wrong = [
        log.replace(
            f"encoded={len(b''.join(BODIES)) - 4} ".encode(),
            f"encoded={len(b''.join(BODIES))} ".encode(),
            1,
        )
        for log in short
    ]
    total = len(b"".join(BODIES))
    assert refusal(*wrong) == (
        Why.LENGTH_MISMATCH,
        f"{total} characters were announced, but all parts have {total - 4}",
    )


LOGS = (FIRST, SECOND, THIRD)
# (which log, position, how many bytes are lost there, bytes that are written there)
DAMAGES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, max(map(len, LOGS))),
        st.integers(0, 5000),
        st.sampled_from([b"", b"\n", b"A", b"mrunners-report ", b"W0102 slow\n", b"part=1/3"]),
    ),
    max_size=3,
)


@given(DAMAGES)
def test_parts_with_any_damage_give_the_exact_report_or_a_reason(
    damages: list[tuple[int, int, int, bytes]],
) -> None:
    logs = list(LOGS)
    for which, position, lost, noise in damages:
        logs[which] = logs[which][:position] + noise + logs[which][position + lost :]
    try:
        report = joined(*logs)
    except UnusableReportError:
        return
    assert report == RAW


@given(st.lists(st.sampled_from([*LOGS, *OTHERS, framed(RAW), b""]), min_size=3, max_size=3))
def test_only_the_parts_of_one_report_in_their_order_are_joined(logs: list[bytes]) -> None:
    try:
        report = joined(*logs)
    except UnusableReportError:
        assert logs not in ([FIRST, SECOND, THIRD], OTHERS)
        assert logs[0] != framed(RAW)
    else:
        assert report == (OTHER if logs == OTHERS else RAW)
