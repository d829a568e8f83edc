"""Checks whether a text is JSON, as Go's json.Valid does."""

from __future__ import annotations

import json
import re
from typing import Final

__all__ = ["json_problem"]

# Python's decoder recurses; Go's stops at 10,000 levels. No patch needs more than these.
_MAX_DEPTH: Final = 100
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


def json_problem(text: str) -> str | None:
    """Return why a text is not JSON.

    Args:
        text: The whole JSON document; white space around it is fine.

    Returns:
        The end of a sentence, such as `is not valid JSON: …`; None when the text is JSON.
    """
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _MAX_DEPTH:
            return f"is nested more than {_MAX_DEPTH} levels deep"
    try:
        # Numbers stay text: int() refuses long ones, and nobody needs their values.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        return f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except ValueError as error:
        return f"is not valid JSON: {error}"
    return None


def _reject_constant(constant: str) -> None:
    # Python's decoder would accept NaN, Infinity and -Infinity.
    raise ValueError(f"{constant} is not a JSON value")
