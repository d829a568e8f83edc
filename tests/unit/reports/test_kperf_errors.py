"""Why kperf ended is read from its stderr: one printable line, with and without a frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.frame import extract_report
from mrunners.reports.kperf_errors import kperf_error, last_line
from mrunners.reports.outcomes import UnusableReportError
from mrunners.reports.plain_log import extract_plain_report
from tests.factories import ADDRESS, RUN_ID

STAT = b"kperf: stat /home/.kube/config: no such file or directory"

CAUSES = {
    "its last words": (b"W1126 slow\n" + STAT + b"\n", STAT.decode()),
    "last words before other lines": (STAT + b"\n\n", STAT.decode()),
    "an error of several lines": (
        b"kperf: failed to load: yaml: unmarshal errors:\n  line 3: no field x\n  line 4: no y\n"
        b"  line 5: no z\n",
        "kperf: failed to load: yaml: unmarshal errors: line 3: no field x line 4: no y",
    ),
    "a crash": (
        b"I1126 x\npanic: runtime error: index out of range\n\ngoroutine 1 [running]:\n"
        b"main.main()\n\t/src/main.go:40 +0x1d\nexit status 2\n",
        "panic: runtime error: index out of range",
    ),
    "no memory": (
        b"fatal error: runtime: out of memory\n\nruntime stack:\nruntime.throw()\n",
        "fatal error: runtime: out of memory",
    ),
    "the shell's": (
        b"/bin/sh: 16: /kperf: not found\n \n",
        "/bin/sh: 16: /kperf: not found",
    ),
    "the last of two": (b"kperf: first\nkperf: second\n", "kperf: second"),
    "terminal escapes": (b"kperf: \x1b[31mred\x07\n", r"kperf: \x1b[31mred\x07"),
    "another encoding": (b"kperf: \xff\n", "kperf: \ufffd"),
    "nothing": (b"\n \n", ""),
}


@pytest.mark.parametrize(("log", "cause"), CAUSES.values(), ids=CAUSES)
def test_the_cause_is_what_kperf_or_its_runtime_gave_as_the_reason(log: bytes, cause: str) -> None:
    assert kperf_error(log.split(b"\n")) == cause


@given(st.binary(max_size=2000), st.integers(1, 200))
def test_the_cause_is_one_short_printable_line_whatever_the_log_has(
    text: bytes, repeated: int
) -> None:
    for lines in ([text * repeated], text.split(b"\n"), [b"kperf: " + text * repeated, text]):
        for cause in (kperf_error(lines), last_line(lines)):
            assert len(cause) <= 200
            assert cause.isprintable()


def detail_with_frame(log: bytes) -> str:
    with pytest.raises(UnusableReportError) as caught:
        extract_report(log, ADDRESS)
    return str(caught.value)


def notice(exit_code: int, reason: str) -> bytes:
    identity = f"run={RUN_ID} job={ADDRESS.job} index={ADDRESS.index} pod={ADDRESS.pod}"
    return f"\nmrunners-report none v1 {identity} exit={exit_code} reason={reason}\n".encode()


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        (
            STAT + b"\n" + notice(1, "no-report"),
            "kperf-failed: exit 1: kperf: stat /home/.kube/config: no such file or directory",
        ),
        (notice(137, "no-report"), "kperf-failed: exit 137"),
        (
            b"W1126 slow\ngzip: /tmp/report.gz: No space left on device\n"
            + notice(0, "gzip-failed"),
            "script-failed: gzip-failed: gzip: /tmp/report.gz: No space left on device; kperf "
            "exited with 0",
        ),
        (
            b"W1126 slow\n" + notice(0, "missing-gzip"),
            "script-failed: the image has no gzip, so no load was sent: choose the plain report "
            "format",
        ),
        (
            STAT + b"\n",
            "no-frame: no report frame in 2 lines of log: kperf: stat /home/.kube/config: no such "
            "file or directory",
        ),
    ],
)
def test_a_log_without_a_report_is_refused_with_what_was_written_last(
    log: bytes, detail: str
) -> None:
    assert detail_with_frame(log) == detail


def test_a_plain_log_without_a_report_is_refused_with_what_kperf_wrote_last() -> None:
    with pytest.raises(UnusableReportError) as caught:
        extract_plain_report(b"W1126 slow\n" + STAT + b"\n")
    assert str(caught.value) == (
        "no-frame: no report in 3 lines of log: kperf: stat /home/.kube/config: no such file or "
        "directory"
    )
