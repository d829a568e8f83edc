from datetime import UTC, datetime

import pytest

from localcluster.agent.log_options import LogFilter, LogOptions, parse_options

ENTRIES = [
    b"2026-01-01T00:00:01.000000001Z stdout F one",
    b"2026-01-01T00:00:02.000000002Z stderr F two",
    b"2026-01-01T00:00:03.000000003Z stdout P thr",
    b"2026-01-01T00:00:03.000000003Z stdout F ee",
]


def rendered(options: LogOptions) -> bytes:
    log_filter = LogFilter(options)
    return b"".join(log_filter.render(log_filter.tail(ENTRIES)))


def test_without_options_all_entries_are_rendered_and_parts_are_joined() -> None:
    assert rendered(LogOptions()) == b"one\ntwo\nthree\n"


def test_a_line_in_parts_has_one_timestamp() -> None:
    assert rendered(LogOptions(timestamps=True)).splitlines()[2] == (
        b"2026-01-01T00:00:03.000000003Z three"
    )


def test_tail_lines_counts_entries_as_the_kubelet_does() -> None:
    assert rendered(LogOptions(tail_lines=2)) == b"three\n"
    assert rendered(LogOptions(tail_lines=0)) == b""
    assert rendered(LogOptions(tail_lines=99)) == rendered(LogOptions())


def test_limit_bytes_cuts_within_a_line_and_counts_timestamps() -> None:
    assert rendered(LogOptions(limit_bytes=6)) == b"one\ntw"
    assert rendered(LogOptions(limit_bytes=4, timestamps=True)) == b"2026"


def test_since_and_stream_omit_lines() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC).timestamp()
    assert rendered(LogOptions(since=moment)) == b"two\nthree\n"
    assert rendered(LogOptions(stream="Stderr")) == b"two\n"


def test_a_query_is_parsed() -> None:
    query = {"follow": "true", "tailLines": "5", "limitBytes": "7", "sinceSeconds": "10"}
    assert parse_options(query, now=100.0) == LogOptions(
        follow=True, tail_lines=5, limit_bytes=7, since=90.0
    )
    assert parse_options({"sinceTime": "1970-01-01T00:01:00Z"}, now=0) == LogOptions(since=60.0)


@pytest.mark.parametrize(
    "query", [{"tailLines": "-1"}, {"limitBytes": "0"}, {"tailLines": "x"}, {"stream": "out"}]
)
def test_an_invalid_query_is_rejected(query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_options(query, now=0)
