from datetime import UTC, datetime

import pytest

from localcluster.agent.logoptions import LogOptions, LogView, parse_options

ENTRIES = [
    b"2026-01-01T00:00:01.000000001Z stdout F one",
    b"2026-01-01T00:00:02.000000002Z stderr F two",
    b"2026-01-01T00:00:03.000000003Z stdout P thr",
    b"2026-01-01T00:00:03.000000003Z stdout F ee",
]


def shown(options: LogOptions) -> bytes:
    snapshot = LogView(options)
    return b"".join(snapshot.show(snapshot.tail(ENTRIES)))


def test_all_of_it_is_shown_with_parts_joined() -> None:
    assert shown(LogOptions()) == b"one\ntwo\nthree\n"


def test_a_timestamp_stands_once_before_a_line_in_parts() -> None:
    assert shown(LogOptions(timestamps=True)).splitlines()[2] == (
        b"2026-01-01T00:00:03.000000003Z three"
    )


def test_tail_lines_counts_entries_as_the_kubelet_does() -> None:
    assert shown(LogOptions(tail_lines=2)) == b"three\n"
    assert shown(LogOptions(tail_lines=0)) == b""
    assert shown(LogOptions(tail_lines=99)) == shown(LogOptions())


def test_limit_bytes_cuts_in_the_middle_and_counts_timestamps() -> None:
    assert shown(LogOptions(limit_bytes=6)) == b"one\ntw"
    assert shown(LogOptions(limit_bytes=4, timestamps=True)) == b"2026"


def test_since_and_stream_leave_lines_out() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC).timestamp()
    assert shown(LogOptions(since=moment)) == b"two\nthree\n"
    assert shown(LogOptions(stream="Stderr")) == b"two\n"


def test_a_query_becomes_options() -> None:
    query = {"follow": "true", "tailLines": "5", "limitBytes": "7", "sinceSeconds": "10"}
    assert parse_options(query, now=100.0) == LogOptions(
        follow=True, tail_lines=5, limit_bytes=7, since=90.0
    )
    assert parse_options({"sinceTime": "1970-01-01T00:01:00Z"}, now=0) == LogOptions(since=60.0)


@pytest.mark.parametrize(
    "query", [{"tailLines": "-1"}, {"limitBytes": "0"}, {"tailLines": "x"}, {"stream": "out"}]
)
def test_a_senseless_query_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_options(query, now=0)
