"""What is wrong with a load profile: the rules across fields, and the wording of every problem.

The fields' own rules are in the models of `profile` and `requests`. A problem is a path into the
profile and the end of a sentence about what is there, such as `specs[0].rate` and `is required`.

The file may be any file that this process can read, and its author somebody else than the reader of
the messages. So no message repeats a long text, and of a file that does not look like a profile no
value and no unknown key at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mrunners.formatting import counted
from mrunners.profiles.requests import RequestKind
from mrunners.text import did_you_mean, kind_of, printable, quoted

__all__ = [
    "FieldPath",
    "Problem",
    "in_document_order",
    "kinds_problem",
    "render_problems",
    "rule_problems",
    "shares_problem",
    "validation_problems",
]

FieldPath = tuple[str | int, ...]

# Longer than any key of a profile, even misspelled; shorter than most secrets.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")
_KEY_CHARACTERS: Final = 8
_VALUE_CHARACTERS: Final = 20
_MAX_PROBLEMS: Final = 50

# By pydantic's error type.
_MESSAGES: Final[Mapping[str, str]] = {
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


class Problem(NamedTuple):
    """One error in a profile: the path of the field, and the end of a sentence about it."""

    path: FieldPath
    text: str


def kinds_problem(kinds: Sequence[RequestKind]) -> str | None:
    """Return why an entry of `requests` is not exactly one request.

    Args:
        kinds: The request kinds of the entry.

    Returns:
        The end of a sentence; None when there is exactly one.
    """
    if not kinds:
        return f"no request kind; give exactly one of {', '.join(RequestKind)}"
    if len(kinds) > 1:
        number = {2: "two", 3: "three"}.get(len(kinds), str(len(kinds)))
        return f"{number} request kinds ({', '.join(kinds)}); give exactly one"
    return None


def shares_problem(shares: Sequence[int]) -> str | None:
    """Return why kperf could not choose a request: it panics when all shares are 0.

    Args:
        shares: Those of all requests of a spec.

    Returns:
        The end of a sentence; None when kperf can choose.
    """
    if shares and sum(shares) == 0:
        return "at least one request needs 'shares' greater than 0"
    return None


def rule_problems(document: Mapping[str, object]) -> Iterator[Problem]:
    """Yield each violation of a rule across fields, even where single fields are invalid.

    Args:
        document: The profile as loaded from YAML, with `specs`.

    Yields:
        The problems, in the order of the text.
    """
    specs = _list_or_empty(document.get("specs"))
    # kperf makes its clients once, out of the first spec.
    first = specs[0] if specs else None
    content_type = first.get("contentType") if isinstance(first, Mapping) else None
    for spec_index, spec in enumerate(specs):
        spec_path: FieldPath = ("specs", spec_index)
        entries = _list_or_empty(spec.get("requests")) if isinstance(spec, Mapping) else []
        shares: list[int] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                continue
            kinds = [kind for kind in RequestKind if entry.get(kind.value) is not None]
            if problem := kinds_problem(kinds):
                yield Problem((*spec_path, "requests", index), problem)
            if RequestKind.WATCH_LIST in kinds and content_type == "protobuf":
                path = (*spec_path, "requests", index, RequestKind.WATCH_LIST.value)
                yield Problem(path, _watch_list_text(spec_index))
            share = entry.get("shares", 0)
            # The field's own rule reports an invalid share; here it must not count as 0.
            shares.append(share if type(share) is int and share >= 0 else 1)
        if problem := shares_problem(shares):
            yield Problem(spec_path, problem)


def validation_problems(
    error: ValidationError,
    known_keys: Callable[[FieldPath], Iterable[str]],
    *,
    show_contents: bool,
) -> list[Problem]:
    """Return pydantic's errors in plain words, one problem each.

    Args:
        error: What the validation of a LoadProfile raised.
        known_keys: Returns the keys that the mapping at a path may have.
        show_contents: Whether to say what is there; otherwise only of what kind a value is, and how
            many unknown keys a mapping has.
    """
    show = _shortened if show_contents else kind_of
    problems: list[Problem] = []
    unshown: dict[FieldPath, list[str]] = {}
    for details in error.errors(include_url=False):
        *parent, key = path = tuple(details["loc"])
        if details["type"] == "extra_forbidden" and not show_contents:
            unshown.setdefault(tuple(parent), []).append(str(key))
        else:
            problems.append(Problem(path, _message(details, known_keys, show)))
    for mapping, keys in unshown.items():
        # Of several keys, the hints would say which of them are like a known one.
        hint = did_you_mean(keys[0] if len(keys) == 1 else "", known_keys(mapping))
        problems.append(Problem(mapping, f"{counted(len(keys), 'unknown key')}{hint}"))
    return problems


def in_document_order(problems: Iterable[Problem], document: object) -> list[Problem]:
    """Return the problems in the order of their fields in the text.

    Args:
        problems: In any order.
        document: The profile as loaded from YAML.

    Returns:
        Sorted; a missing field comes at the end of its mapping.
    """
    # Computed once per mapping: a hostile file has 40,000 unknown keys in one.
    key_indexes: dict[int, dict[object, int]] = {}
    return sorted(problems, key=lambda problem: _sort_key(problem.path, document, key_indexes))


def render_problems(problems: Iterable[Problem], *, single_spec: bool) -> list[str]:
    """Return the lines that the user reads; of more than 50 problems, the rest is counted.

    Args:
        problems: In the order in which they are shown.
        single_spec: Whether the text has `spec` instead of `specs`.

    Returns:
        Lines such as `specs[0].rat: unknown key; did you mean 'rate'?`.
    """
    lines = [f"{_show_path(path, single_spec=single_spec)}: {text}" for path, text in problems]
    if len(lines) > _MAX_PROBLEMS:
        return [*lines[:_MAX_PROBLEMS], f"and {len(lines) - _MAX_PROBLEMS} more errors"]
    return lines


def _list_or_empty(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _shortened(value: object) -> str:
    return quoted(value, limit=_VALUE_CHARACTERS)


def _watch_list_text(spec_index: int) -> str:
    """Return why kperf fails every watchList: client-go has no stream decoder for protobuf."""
    if spec_index == 0:
        return "needs contentType 'json'; with 'protobuf', kperf fails every watchList"
    return (
        "needs contentType 'json' in the first spec, which counts for all specs; with 'protobuf', "
        "kperf fails every watchList"
    )


def _message(
    details: ErrorDetails,
    known_keys: Callable[[FieldPath], Iterable[str]],
    show: Callable[[object], str],
) -> str:
    path: FieldPath = tuple(details["loc"])
    if details["type"] == "extra_forbidden":
        return f"unknown key{did_you_mean(str(path[-1]), known_keys(path[:-1]))}"
    template = _MESSAGES.get(details["type"])
    if template is None:
        return f"{printable(details['msg'], 200)}, got {show(details['input'])}"
    limits = {name: _without_zero(value) for name, value in details.get("ctx", {}).items()}
    return template.format_map({**limits, "got": show(details["input"])})


def _without_zero(value: object) -> str:
    # pydantic gives the limits of float fields as 0.0.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sort_key(
    path: FieldPath, document: object, key_indexes: dict[int, dict[object, int]]
) -> tuple[int, ...]:
    indexes = []
    for part in path:
        if isinstance(document, Mapping):
            if id(document) not in key_indexes:
                key_indexes[id(document)] = {key: index for index, key in enumerate(document)}
            indexes.append(key_indexes[id(document)].get(part, len(document)))
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int):
            indexes.append(part)
            document = document[part] if part < len(document) else None
        else:
            break
    return tuple(indexes)


def _show_path(path: FieldPath, *, single_spec: bool) -> str:
    if single_spec and path[:1] == ("specs",):
        path = ("spec", *path[2:])
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            shown += f".{part}" if shown else part
        else:
            shown += f"[{quoted(part, limit=_KEY_CHARACTERS)}]"
    return shown or "the load profile"
