"""Says in plain words what is wrong with a load profile, and where.

It must not decide what is wrong; the models and rules do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mrunners.profiles.requests import RequestKind
from mrunners.text import did_you_mean, printable, quoted

__all__ = [
    "Place",
    "Problem",
    "explain",
    "in_document_order",
    "kinds_problem",
    "render_problems",
    "rule_problems",
    "shares_problem",
]

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake: where it is, and the end of a sentence about it."""

    place: Place
    text: str


_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_MAX_PROBLEMS: Final = 50


def explain(error: ValidationError, known_keys: Callable[[Place], Iterable[str]]) -> list[Problem]:
    """Put pydantic's errors into plain words.

    Args:
        error: of a LoadProfile.
        known_keys: the keys that may stand at a place.
    Returns: one problem per error.
    """
    return [
        Problem(tuple(item["loc"]), _word(item, known_keys))
        for item in error.errors(include_url=False)
    ]


def in_document_order(problems: Iterable[Problem], document: object) -> list[Problem]:
    """Sort problems as their places come in the text.

    Args:
        problems: in any order.
        document: as loaded from YAML.
    Returns: sorted; what is missing in the text comes at the end of its mapping.
    """
    # Looked up once per mapping: a hostile file has 40,000 unknown keys in one.
    positions: dict[int, dict[object, int]] = {}
    return sorted(problems, key=lambda problem: _order(problem.place, document, positions))


def render_problems(problems: Iterable[Problem], *, single_spec: bool) -> list[str]:
    """The lines that a user reads.

    Args:
        problems: in the order in which they are shown.
        single_spec: whether the text has `spec` instead of `specs`.
    Returns: lines such as `specs[0].rat: unknown key; did you mean 'rate'?`.
    """
    lines = [f"{_show_place(place, single_spec=single_spec)}: {text}" for place, text in problems]
    if len(lines) > _MAX_PROBLEMS:
        return [*lines[:_MAX_PROBLEMS], f"and {len(lines) - _MAX_PROBLEMS} more mistakes"]
    return lines


def _show_place(place: Place, *, single_spec: bool) -> str:
    if single_spec and place[:1] == ("specs",):
        place = ("spec", *place[2:])
    shown = ""
    for part in place:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            shown += f".{part}" if shown else part
        else:
            shown += f"[{quoted(part)}]"
    return shown


def _order(
    place: Place, document: object, positions: dict[int, dict[object, int]]
) -> tuple[int, ...]:
    order = []
    for part in place:
        if isinstance(document, Mapping):
            if id(document) not in positions:
                positions[id(document)] = {key: index for index, key in enumerate(document)}
            order.append(positions[id(document)].get(part, len(document)))
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int):
            order.append(part)
            document = document[part] if part < len(document) else None
        else:
            break
    return tuple(order)


_WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "int_type": "must be a whole number, got {got}",
    "int_from_float": "must be a whole number, got {got}",
    "float_type": "must be a number, got {got}",
    "finite_number": "must be a finite number",
    "string_type": "must be text, got {got}",
    "bool_type": "must be true or false, got {got}",
    "enum": "must be {expected}, got {got}",
    "literal_error": "must be {expected}, got {got}",
    "greater_than_equal": "must be at least {ge}, got {got}",
    "less_than_equal": "must be at most {le}, got {got}",
    "string_too_short": "must not be empty",
    "too_short": "must have at least one entry",
    "tuple_type": "must be a list, got {got}",
    "model_type": "must be a mapping, got {got}",
    "mrunners": "{text}",
}


def _word(item: ErrorDetails, known_keys: Callable[[Place], Iterable[str]]) -> str:
    place: Place = tuple(item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key{did_you_mean(str(place[-1]), known_keys(place[:-1]))}"
    template = _WORDS.get(item["type"])
    if template is None:
        return f"{printable(item['msg'], 200)}, got {quoted(item['input'])}"
    facts = {name: _fact(value) for name, value in item.get("ctx", {}).items()}
    return template.format_map({**facts, "got": quoted(item["input"])})


def _fact(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def kinds_problem(kinds: Sequence[RequestKind]) -> str | None:
    """Why an entry of `requests` is not one request.

    Args:
        kinds: those given in the entry.
    Returns: the end of a sentence; None when it is exactly one.
    """
    if not kinds:
        return f"no request kind; give exactly one of {', '.join(RequestKind)}"
    if len(kinds) > 1:
        counted = {2: "two", 3: "three"}.get(len(kinds), str(len(kinds)))
        return f"{counted} request kinds ({', '.join(kinds)}); give exactly one"
    return None


def shares_problem(shares: Sequence[int]) -> str | None:
    """Why kperf could not choose among the requests: it panics when all shares are 0.

    Args:
        shares: those of all requests of a spec.
    Returns: the end of a sentence; None when one can be chosen.
    """
    if shares and sum(shares) == 0:
        return "at least one request needs 'shares' greater than 0"
    return None


def rule_problems(document: Mapping[str, object]) -> Iterator[Problem]:
    """Every broken rule of a profile, whatever else is wrong with it.

    Args:
        document: the profile as loaded from YAML, with `specs`.
    Returns: the problems, in the order of the text.
    """
    for spec_index, spec in enumerate(_list(document.get("specs"))):
        place: Place = ("specs", spec_index)
        entries = _list(spec.get("requests")) if isinstance(spec, Mapping) else []
        shares: list[int] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                continue
            kinds = [kind for kind in RequestKind if entry.get(kind.value) is not None]
            if problem := kinds_problem(kinds):
                yield Problem((*place, "requests", index), problem)
            share = entry.get("shares", 0)
            # A bad share is told by its field; here it must not look like 0.
            shares.append(share if type(share) is int and share >= 0 else 1)
        if problem := shares_problem(shares):
            yield Problem(place, problem)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
