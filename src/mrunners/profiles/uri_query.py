"""Reads the query of a runner URI. Nothing is percent-decoded, because no value needs an escape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mrunners.text import did_you_mean, quoted

__all__ = ["MAX_PODS", "read_query"]

MAX_PODS: Final = 10_000


def _parse_pod_count(value: str) -> int:
    if re.fullmatch(r"-[0-9]+|0", value):
        raise ValueError("numbers must be at least 1")
    if not re.fullmatch(r"[1-9][0-9]*", value):
        raise ValueError(
            f"numbers must be a whole number from 1 to {MAX_PODS} in plain digits, "
            f"got {quoted(value)}"
        )
    if len(value) > len(str(MAX_PODS)) or int(value) > MAX_PODS:
        raise ValueError(f"numbers must be at most {MAX_PODS}")
    return int(value)


# How each query key's value is parsed.
_QUERY_KEYS: Final[Mapping[str, Callable[[str], int]]] = MappingProxyType(
    {"numbers": _parse_pod_count}
)


def read_query(query: str | None, problems: list[str]) -> Mapping[str, int]:
    """Read the part after the question mark.

    Args:
        query: As in the URI; None when the URI has no question mark.
        problems: Gets one more line per problem.

    Returns:
        The valid values, by key.
    """
    given: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        key, _, value = part.partition("=")
        given.setdefault(key, []).append(value)
    values: dict[str, int] = {}
    for key, texts in given.items():
        parse = _QUERY_KEYS.get(key)
        if not key:
            problems.append("the query has an empty part; write it as ?key=value&key=value")
        elif parse is None:
            hint = did_you_mean(key, _QUERY_KEYS)
            problems.append(f"unknown query key {quoted(key)}{hint}")
        elif len(texts) > 1:
            problems.append(f"{key} is given {len(texts)} times; give it once")
        else:
            try:
                values[key] = parse(texts[0])
            except ValueError as error:
                problems.append(str(error))
    return values
