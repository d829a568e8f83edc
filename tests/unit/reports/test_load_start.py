"""A pod's log says when its load began, apart from the report's frame."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mrunners.reports.frame_lines import load_start

LINE = b"\nmrunners-load v1 pod=a-0 started=1767323047.250000"
MOMENT = datetime(2026, 1, 2, 3, 4, 7, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("log", "moment"),
    [
        (LINE, MOMENT),
        (b"W0102 slow" + LINE + b"\nmrunners-report begin v1", MOMENT),
        (b"\nmrunners-load v1 pod=a-0 started=1.000000" + LINE, MOMENT),
        (LINE.replace(b"a-0", b"a-1"), None),
        (b"x" + LINE[1:], None),
        (LINE + b"0", None),
        (b"", None),
    ],
)
def test_the_last_line_of_the_pod_is_believed(log: bytes, moment: datetime | None) -> None:
    assert load_start(log, "a-0") == moment
