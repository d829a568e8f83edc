import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.durations import (
    format_duration,
    format_go_duration,
    parse_duration,
    parse_go_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("1m500ms", 60.5),
    ],
)
def test_a_duration_is_parsed_as_in_kubectl(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "0s",
        "-1s",
        "+1s",
        "1d",
        "s",
        "1 s",
        " 1s",
        "1s\n",
        "1s1m",
        "1s1s",
        "1e3s",
        "٣s",
        "nan",
        "inf",
        "9" * 30 + "s",
        "999999999h",
    ],
)
def test_other_text_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0004, "1ms"),
        (0.25, "250ms"),
        (0.9996, "1s"),
        (12.34, "12.3s"),
        (59.97, "1m"),
        (252, "4m12s"),
        (3599.7, "1h"),
        (3900, "1h05m"),
        (-5, "-5s"),
    ],
)
def test_a_duration_is_shown_in_two_units_at_most(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


# Both columns, and 60,000 random texts, were compared with Go's time package.
@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("1.5µs", 1_500),
        ("500ms", 500_000_000),
        ("1m40.072897445s", 100_072_897_445),
        ("1h0m0s", 3_600_000_000_000),
        ("2562047h47m16.854775807s", (1 << 63) - 1),
    ],
)
def test_go_durations_are_parsed_and_formatted_as_in_go(text: str, nanoseconds: int) -> None:
    assert (parse_go_duration(text), format_go_duration(nanoseconds)) == (nanoseconds, text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("0", 0), ("1.5us", 1_500), ("1.5\u03bcs", 1_500), (".5s", 500_000_000), ("1.s", 10**9)],
)
def test_other_spellings_that_go_accepts_are_parsed(text: str, nanoseconds: int) -> None:
    assert parse_go_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "s",
        ".s",
        "1x",
        "-1s",
        "+1s",
        " 1s",
        "1s ",
        "1e3s",
        "NaN",
        "1h" * 200,
        "٣s",
        "9223372036854775808ns",
        "2562047h47m16.854775808s",
    ],
)
def test_text_that_is_not_a_go_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Go duration"):
        parse_go_duration(text)


@pytest.mark.parametrize("nanoseconds", [-1, 1 << 63])
def test_nanoseconds_outside_of_an_int64_are_refused(nanoseconds: int) -> None:
    with pytest.raises(ValueError, match="Go duration"):
        format_go_duration(nanoseconds)


@given(st.integers(min_value=0, max_value=(1 << 63) - 1))
def test_every_go_duration_is_parsed_back(nanoseconds: int) -> None:
    assert parse_go_duration(format_go_duration(nanoseconds)) == nanoseconds


@given(st.text())
def test_any_text_gives_a_duration_or_a_printable_value_error(text: str) -> None:
    for parse in (parse_duration, parse_go_duration):
        message = ""
        value = 0.0
        try:
            value = parse(text)
        except ValueError as error:
            message = str(error)
        assert value >= 0
        assert message.isprintable()
