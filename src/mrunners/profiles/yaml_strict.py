"""Reads one YAML document of plain mappings, lists and scalars, and nothing cleverer.

It must not recurse, expand aliases or obey tags: the text comes from whoever may write a file or
a ConfigMap, and 236 bytes of aliases can become 28 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from mrunners.errors import InvalidInputError
from mrunners.text import quoted

__all__ = ["MAX_PROFILE_BYTES", "Scalar", "load_yaml", "read_plain_scalar"]

# Half of what a ConfigMap can hold, so that a profile always fits into the run's own one.
MAX_PROFILE_BYTES: Final = 512 * 1024
_MAX_DEPTH: Final = 32
# A broken file can repeat its mistake on every line; nobody reads more than these.
_MAX_PROBLEMS: Final = 20


class _StopReadingError(Exception):
    """The rest of the text cannot be understood."""


@dataclass
class _Open:
    """A mapping or list that is still being filled."""

    value: dict[str, object] | list[object]
    # Of a mapping: the key that waits for its value, and the lines where keys stood.
    key: str | None = None
    lines: dict[str, int] = field(default_factory=dict)
    # Anything that hangs on a bad or repeated key is read for its mistakes and dropped.
    dropped: int = 0


def load_yaml(text: bytes | str, *, what: str) -> object:
    """Read one YAML document.

    Mappings have text keys, each once; numbers are finite; no anchors, aliases, tags, merge keys,
    second documents; at most 512 KiB and 32 levels. See `yaml_scalars` for what a scalar is.

    Args:
        text: the document; bytes must be UTF-8, a byte order mark is fine.
        what: what to call it in messages, such as `the load profile`.
    Returns: None (empty document), bool, int, float, str, dict or list.
    Raises: InvalidInputError: one line per mistake, with line and column; a syntax error is the
        last one.
    """
    content = _decode(text, what)
    builder = _Builder()
    try:
        for event in _events(content):
            builder.take(event)
    except _StopReadingError:
        pass
    except yaml.reader.ReaderError as error:
        # error.position counts characters, for the input is text already.
        before = content[: error.position]
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        builder.complain(line, column, "a character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        builder.complain(line, column, f"not valid YAML: {' '.join(reason.split())}")
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML lets chr() and int() fail on absurd escapes and version numbers.
        builder.complain(builder.line, 1, "not valid YAML: a malformed escape or directive")
    if builder.problems:
        raise InvalidInputError(f"{what}: {problem}" for problem in builder.problems)
    return builder.root


def _decode(text: bytes | str, what: str) -> str:
    try:
        encoded = text.encode() if isinstance(text, str) else text
        if len(encoded) > MAX_PROFILE_BYTES:
            limit = MAX_PROFILE_BYTES // 1024
            raise InvalidInputError(f"{what} is larger than {limit} KiB")
        return encoded.decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidInputError(f"{what}: line {line}: not valid UTF-8") from error
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{what}: not valid UTF-8") from error


def _events(content: str) -> Iterator[yaml.Event]:
    # The parser alone: no composer, resolver or constructor, which recurse and expand.
    # It yields while it reads, so that a limit stops it early.
    return yaml.parse(content, Loader=yaml.SafeLoader)


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Builds the value out of parser events, with an explicit stack."""

    def __init__(self) -> None:
        # line: where the reading is; root: the finished value.
        self.root: object = None
        self.problems: list[str] = []
        self.line = 1
        self._stack: list[_Open] = []
        self._documents = 0

    def complain(self, line: int, column: int, problem: str) -> None:
        self.problems.append(f"line {line}, column {column}: {problem}")

    def take(self, event: yaml.Event) -> None:
        self.line = _position(event)[0]
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._object(event, "a second document; give exactly one")
                raise _StopReadingError
        elif isinstance(event, yaml.AliasEvent):
            self._object(event, "aliases (*) are not allowed; write it out")
            self._place(None, event)
        elif isinstance(event, yaml.NodeEvent):
            self._take_node(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._stack.pop()

    def _take_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._object(event, "anchors (&) are not allowed")
        if getattr(event, "tag", None) is not None:
            self._object(event, "tags (!) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            self._place(self._read_scalar(event), event)
            return
        if len(self._stack) >= _MAX_DEPTH:
            self._object(event, f"nested more than {_MAX_DEPTH} levels deep")
            raise _StopReadingError
        value: dict[str, object] | list[object] = (
            {} if isinstance(event, yaml.MappingStartEvent) else []
        )
        self._place(value, event)
        self._stack.append(_Open(value))

    def _read_scalar(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            self._object(event, "half a surrogate pair is not a character")
            return None
        if not event.implicit[0]:  # quoted or a block
            return text
        try:
            return read_plain_scalar(text)
        except ValueError as error:
            self._object(event, str(error))
            return None

    def _place(self, value: object, event: yaml.NodeEvent) -> None:
        if not self._stack:
            self.root = value
            return
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._read_key(value, event, parent)
        else:
            if parent.key in parent.lines:
                parent.value[parent.key] = value
            parent.key = None

    def _read_key(self, value: object, event: yaml.NodeEvent, parent: _Open) -> str:
        line, _ = _position(event)
        if not isinstance(value, str):
            self._object(event, f"a key must be text, got {quoted(value)}")
            parent.dropped += 1
            return f"\0{parent.dropped}"
        if value == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            self._object(event, "merge keys (<<) are not allowed; write it out")
        if value in parent.lines:
            first = parent.lines[value]
            self._object(event, f"the key {quoted(value)} is given twice (first on line {first})")
            return value
        parent.lines[value] = line
        return value

    def _object(self, event: yaml.Event, problem: str) -> None:
        line, column = _position(event)
        self.complain(line, column, problem)
        if len(self.problems) >= _MAX_PROBLEMS:
            self.complain(line, column, "too many mistakes, the rest is not read")
            raise _StopReadingError


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
