import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.quantities import format_bytes, parse_bytes, same_quantity


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10Mi", 10 * 2**20),
        ("512Ki", 2**19),
        ("1.5Gi", 3 * 2**29),
        ("500k", 500_000),
        ("2M", 2_000_000),
        ("1G", 10**9),
        ("1048576", 1_048_576),
    ],
)
def test_quantities_are_parsed_as_in_kubernetes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "+1",
        "1.5",
        "10mi",
        "10MB",
        "10 Mi",
        "1e3",
        "0x10",
        "Mi",
        "1_000",
        "٣",
        "9Ei",
        "99999999999Ti",
        "1Mi\n",
        "nan",
    ],
)
def test_other_text_is_not_a_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="byte"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (512, "512"), (1024, "1Ki"), (1536, "1.5Ki"), (10 * 2**20, "10Mi"), (2**31, "2Gi")],
)
def test_bytes_are_shown_in_the_largest_binary_unit(count: int, text: str) -> None:
    assert format_bytes(count) == text


@given(st.integers(min_value=1, max_value=2**22), st.sampled_from(["Ki", "Mi", "Gi", "Ti", ""]))
def test_whole_numbers_with_any_unit_are_parsed(count: int, unit: str) -> None:
    factor = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}[unit]
    assert parse_bytes(f"{count}{unit}") == count * factor


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("0.5", "500m", True),
        ("1024Mi", "1Gi", True),
        ("1e3", "1k", True),
        ("1E", "1e18", True),
        ("2", "2.0", True),
        (".5", "500m", True),
        ("1", "1m", False),
        ("1G", "1Gi", False),
        ("x", "x", True),
        ("x", "1", False),
        ("1e", "1", False),
    ],
)
def test_two_texts_are_the_same_quantity_if_kubernetes_takes_them_so(
    first: str, second: str, same: bool
) -> None:
    assert same_quantity(first, second) is same
