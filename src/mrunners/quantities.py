"""Numbers as text: bytes as in Kubernetes, such as `10Mi`, and counts and rates of requests."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from mrunners.text import quoted

__all__ = [
    "COUNT_PATTERN",
    "MAX_COUNT",
    "QUANTITY_PATTERN",
    "RATE_PATTERN",
    "format_bytes",
    "parse_bytes",
    "parse_count",
    "parse_max_qps",
    "parse_rate",
    "same_quantity",
]

# More than any pod sends, and less than a Go int on every machine.
MAX_COUNT: Final = 999_999_999
# Without anchors.
COUNT_PATTERN: Final = "[1-9][0-9]{0,8}"
RATE_PATTERN: Final = "[0-9]{1,9}(?:[.][0-9]{1,9})?"

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
# without the units below 1 (n, u, m) and without exponents: nobody measures bytes in them.
_UNITS: Final = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_NUMBER: Final = "[0-9]{1,19}(?:[.][0-9]{1,9})?"
_UNIT: Final = "Ki|Mi|Gi|Ti|k|M|G|T|"
# Without anchors. parse_bytes also checks the bounds.
QUANTITY_PATTERN: Final = f"{_NUMBER}(?:{_UNIT})"
_QUANTITY: Final = re.compile(f"({_NUMBER})({_UNIT})")
_MAX_INT64: Final = (1 << 63) - 1

# What a cluster answers is any quantity, also one of those.
_ANY_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))"
    r"(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)"
)
_DECIMAL_UNITS: Final = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
_BINARY_UNITS: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def parse_bytes(text: str) -> int:
    """Return the bytes of a quantity such as `10Mi`, `1.5Gi`, `500k` or `1048576`.

    Args:
        text: A decimal number without sign, and a unit: Ki, Mi, Gi, Ti (powers of 1024), k, M, G, T
            (powers of 1000) or none.

    Returns:
        Bytes, from 1 to 2**63 - 1.

    Raises:
        ValueError: The text is not such a quantity. The message is for the user, to be shown after
            the option's name.
    """
    shown = quoted(text)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"not a number of bytes: {shown}; write it like 10Mi, 512Ki or 1048576")
    exact = Fraction(match[1]) * _UNITS[match[2]]
    if exact.denominator != 1:
        raise ValueError(f"not a whole number of bytes: {shown}")
    if not 1 <= exact <= _MAX_INT64:
        raise ValueError(f"must be at least 1 byte and less than 8Ei, got {shown}")
    return int(exact)


def parse_count(text: str) -> int:
    """Return a count such as `1000`.

    Raises:
        ValueError: The text is not a whole number from 1 to `MAX_COUNT` in plain digits. The
            message is for the user, to be shown after the option's name.
    """
    if re.fullmatch(COUNT_PATTERN, text) is None:
        raise ValueError(f"must be a whole number from 1 to {MAX_COUNT}, got {quoted(text)}")
    return int(text)


def parse_rate(text: str) -> float:
    """Return a rate per second such as `10` or `0.5`; 0 is no limit.

    Raises:
        ValueError: The text is not such a number. The message is for the user, to be shown after
            the option's name.
    """
    if re.fullmatch(RATE_PATTERN, text) is None:
        raise ValueError(f"must be a number from 0 to {MAX_COUNT}, such as 10, got {quoted(text)}")
    return float(text)


def parse_max_qps(text: str) -> float | None:
    """Return how many requests per second may be sent; None, for an empty text or 0, is no limit.

    Raises:
        ValueError: The text is not such a number.
    """
    return (parse_rate(text) if text else 0.0) or None


def same_quantity(first: str, second: str) -> bool:
    """Whether two texts are the same Kubernetes quantity, as `0.5` and `500m` are."""
    size = _exact(first)
    return first == second or (size is not None and size == _exact(second))


def _exact(text: str) -> Fraction | None:
    match = _ANY_QUANTITY.fullmatch(text)
    if match is None:
        return None
    number, exponent, unit = Fraction(match[1]), match[2], match[3] or ""
    if exponent is not None:
        return number * Fraction(f"1e{exponent}")
    if unit in _DECIMAL_UNITS:
        return number * Fraction(f"1e{3 * (_DECIMAL_UNITS.index(unit) - 3)}")
    return number * (1 << 10 * _BINARY_UNITS.index(unit))


def format_bytes(count: int) -> str:
    """Return a number of bytes for people, such as `10Mi`, `1.5Mi` or `512`.

    Args:
        count: At least 0.

    Returns:
        In the largest binary unit that gives at least 1, with one decimal unless it is 0.
    """
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if count >= _UNITS[unit]:
            return f"{count / _UNITS[unit]:.1f}".removesuffix(".0") + unit
    return str(count)
