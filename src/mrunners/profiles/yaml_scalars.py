"""Decides what a plain YAML scalar is: nothing, true or false, a number, or text.

It must not guess: what YAML 1.1 and 1.2 read differently is text here, so that the model that
wanted a number or a boolean refuses it by name.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Scalar", "read_plain_scalar"]

Scalar = None | bool | int | float | str

# A subset of the core schema, https://yaml.org/spec/1.2.2/#103-core-schema: no octal, no
# hexadecimal, no leading zeros or plus signs, for kperf's YAML 1.1 parser reads some of these
# otherwise. Likewise `yes`, `on`, `1:30`, `1_000` and dates are text.
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# 2**63 has 19 digits; longer ones would only cost time.
_MAX_INTEGER_DIGITS: Final = 19
_MAX_FLOAT_LENGTH: Final = 64


def read_plain_scalar(text: str) -> Scalar:
    """The value of a scalar that stands without quotes.

    Args:
        text: the scalar as it stands.
    Returns: None, a bool, an int, a finite float, or the text itself.
    Raises: ValueError: a number that is not finite or has absurdly many digits; the text of the
        error can be shown to the user.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
            raise ValueError("a number has too many digits")
        return int(text)
    if _FLOAT.fullmatch(text):
        if len(text) > _MAX_FLOAT_LENGTH:
            raise ValueError("a number has too many digits")
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ValueError("a number is too large")
        return value
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not allowed: numbers must be finite")
    return text
