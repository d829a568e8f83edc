"""Reads YAML documents of plain mappings, lists and scalars.

The text is untrusted: anyone who may write the file or the ConfigMap controls it, and 236 bytes of
aliases can become 28 MB. So the reader uses PyYAML's parser events only. It never recurses, expands
aliases or obeys tags, it refuses what it does not read, and it stops at limits of size, depth and
number of problems.

The file may be any file that this process can read, and its author somebody else than the reader of
the messages. So a problem is a position and a reason, and never repeats what is there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from mrunners.errors import InvalidInputError
from mrunners.text import kind_of

__all__ = ["MAX_DOCUMENTS", "MAX_PROFILE_BYTES", "load_documents"]

# Of the text as given; `rendering` has the limit of what the pods get. No profile that fits there
# needs more, but for comments and long descriptions.
MAX_PROFILE_BYTES: Final = 512 * 1024
_MAX_DEPTH: Final = 32
# Each is a Job. A file of half a MiB could have a hundred thousand.
MAX_DOCUMENTS: Final = 1_000
# A broken file can repeat its error on every line; nobody reads more than these.
_MAX_PROBLEMS: Final = 20

# A subset of the core schema, https://yaml.org/spec/1.2.2/#103-core-schema: no octal, no
# hexadecimal, no leading zeros or plus signs, because kperf's YAML 1.1 parser reads some of these
# differently. Likewise `yes`, `on`, `1:30`, `1_000` and dates are text.
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
# 2**63 has 19 digits; longer numbers would only cost time.
_MAX_INTEGER_DIGITS: Final = 19
_MAX_FLOAT_LENGTH: Final = 64

# libyaml is ten times as fast (measured), and kperf's own parser was translated from it. The wheels
# of PyYAML have it; built from source, PyYAML may lack it.
_PARSER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_Scalar = None | bool | int | float | str


class _StopReadingError(Exception):
    """The rest of the text is not read."""


def load_documents(
    text: bytes | str, *, what: str, known_keys: Collection[str] = ()
) -> list[object]:
    """Read YAML documents.

    Mappings have text keys, each once; numbers are finite. Anchors, aliases, tags, merge keys,
    more than 512 KiB, more than 32 levels and more than 1,000 documents are refused.

    Args:
        text: The documents; bytes must be UTF-8, with or without a byte order mark.
        what: The name of the text in messages, such as `the load profile`.
        known_keys: The keys that messages may name.

    Returns:
        At least one document: None (only where no document has anything), bool, int, float, str,
        dict or list. Empty documents beside others are left out.

    Raises:
        InvalidInputError: One line per error, with line and column; a syntax error is the last one,
            because nothing after it can be read.
    """
    content = _decode(text, what)
    builder = _Builder(known_keys)
    try:
        for event in _events(content):
            builder.handle(event)
    except _StopReadingError:
        pass
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes, the parser in Python characters.
        before = (
            content[: error.position]
            if _PARSER is yaml.SafeLoader
            else content.encode()[: error.position].decode()
        )
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        builder.add_problem(line, column, "a character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        builder.add_problem(line, column, f"not valid YAML: {' '.join(reason.split())}")
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML does not catch what chr() and int() raise for absurd escapes and version numbers.
        builder.add_problem(builder.line, 1, "not valid YAML: a malformed escape or directive")
    if builder.problems:
        raise InvalidInputError(f"{what}: {problem}" for problem in builder.problems)
    return [root for root in builder.roots if root is not None] or [None]


def _decode(text: bytes | str, what: str) -> str:
    try:
        encoded = text.encode() if isinstance(text, str) else text
        if len(encoded) > MAX_PROFILE_BYTES:
            limit = MAX_PROFILE_BYTES // 1024
            raise InvalidInputError(f"{what} is larger than {limit} KiB")
        return encoded.decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidInputError(f"{what}: line {line}: not valid UTF-8") from None
    except UnicodeEncodeError:
        raise InvalidInputError(f"{what}: not valid UTF-8") from None


def _events(content: str) -> Iterator[yaml.Event]:
    # Only the parser, which yields while it reads, so that a limit stops it early. PyYAML's
    # composer, resolver and constructor would recurse and expand.
    return yaml.parse(content, Loader=_PARSER)


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


@dataclass
class _OpenCollection:
    """A mapping or list whose end was not read yet."""

    value: dict[str, object] | list[object]
    # Of a mapping: the key whose value comes next, and the line of each valid key.
    key: str | None = None
    key_lines: dict[str, int] = field(default_factory=dict)
    # The value of an invalid key is read for its problems and then dropped.
    invalid_keys: int = 0


class _Builder:
    """Builds the value from parser events, with an explicit stack.

    Attributes:
        roots: The value of each document.
        problems: One line per problem, with line and column.
        line: The line of the last event.
    """

    def __init__(self, known_keys: Collection[str]) -> None:
        self.roots: list[object] = []
        self.problems: list[str] = []
        self.line = 1
        self._stack: list[_OpenCollection] = []
        self._known_keys = known_keys

    def add_problem(self, line: int, column: int, problem: str) -> None:
        self.problems.append(f"line {line}, column {column}: {problem}")

    def handle(self, event: yaml.Event) -> None:
        self.line = _position(event)[0]
        if isinstance(event, yaml.DocumentStartEvent):
            if len(self.roots) >= MAX_DOCUMENTS:
                self._add_problem_at(event, f"more than {MAX_DOCUMENTS:,} documents")
                raise _StopReadingError
        elif isinstance(event, yaml.AliasEvent):
            self._add_problem_at(event, "aliases (*) are not allowed; write the value out")
            self._add_value(None, event)
        elif isinstance(event, yaml.NodeEvent):
            self._handle_node(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._stack.pop()

    def _handle_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._add_problem_at(event, "anchors (&) are not allowed")
        if getattr(event, "tag", None) is not None:
            self._add_problem_at(event, "tags (!) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            self._add_value(self._read_scalar(event), event)
            return
        if len(self._stack) >= _MAX_DEPTH:
            self._add_problem_at(event, f"nested more than {_MAX_DEPTH} levels deep")
            raise _StopReadingError
        value: dict[str, object] | list[object] = (
            {} if isinstance(event, yaml.MappingStartEvent) else []
        )
        self._add_value(value, event)
        self._stack.append(_OpenCollection(value))

    def _read_scalar(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            self._add_problem_at(event, "half a surrogate pair is not a character")
            return None
        if not event.implicit[0]:  # quoted or a block
            return text
        try:
            return _read_plain_scalar(text)
        except ValueError as error:
            self._add_problem_at(event, str(error))
            return None

    def _add_value(self, value: object, event: yaml.NodeEvent) -> None:
        if not self._stack:
            self.roots.append(value)
            return
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._read_key(value, event, parent)
        else:
            if parent.key in parent.key_lines:
                parent.value[parent.key] = value
            parent.key = None

    def _read_key(self, value: object, event: yaml.NodeEvent, parent: _OpenCollection) -> str:
        line, _ = _position(event)
        if not isinstance(value, str):
            self._add_problem_at(event, f"a key must be text, got {kind_of(value)}")
            parent.invalid_keys += 1
            return f"\0{parent.invalid_keys}"
        if value == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            self._add_problem_at(event, "merge keys (<<) are not allowed; write the keys out")
        if value in parent.key_lines:
            first = parent.key_lines[value]
            key = f"the key '{value}'" if value in self._known_keys else "a key"
            problem = f"{key} is given twice (first on line {first})"
            self._add_problem_at(event, problem)
            return value
        parent.key_lines[value] = line
        return value

    def _add_problem_at(self, event: yaml.Event, problem: str) -> None:
        line, column = _position(event)
        self.add_problem(line, column, problem)
        if len(self.problems) >= _MAX_PROBLEMS:
            self.add_problem(line, column, "too many errors; the rest was not read")
            raise _StopReadingError


def _read_plain_scalar(text: str) -> _Scalar:
    # Raises ValueError, with a message for the user, for numbers that are not finite or have
    # absurdly many digits.
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
