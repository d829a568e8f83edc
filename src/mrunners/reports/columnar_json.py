"""Parse a kperf report's JSON with each array of latencies as one array of doubles, and fast.

simdjson reads the text some ten times as fast as Python's parser, and makes no Python object of a
sample. It is less strict, and tells less: of a key that stands twice it keeps one, it flattens
nested arrays, and it does not say where the text is wrong. So it reads only what can be told to be
exactly a report's form, from Go's encoder; all other text is left to `strict_json`, the plain
parser, which accepts it or says what is wrong. Property tests require that both agree.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import simdjson

from mrunners.reports import strict_json
from mrunners.reports.latency_column import Seconds
from mrunners.reports.strict_json import JsonObject, parse_json_object

__all__ = ["parse_document"]

_SCALARS: Final = frozenset({"total", "duration", "totalReceivedBytes"})
_NUMBERS: Final = frozenset({int, float})

# Go's encoder escapes these characters, and hardly any others. A surrogate is none of them.
_ESCAPES: Final = (b'"', b"u0026", b"u003c", b"u003e")

# simdjson looks a key up by trying one after the other.
_MAX_KEYS: Final = 1_000


# A parser has some 15 times its text as memory. To get it from the system again for each report
# takes a third of the time; some 100,000 samples have 4 MB of text.
_MAX_KEPT_BYTES: Final = 4 * 1024 * 1024


class _OtherFormError(Exception):
    """The text is not exactly a report as kperf prints it; nothing is said about its validity."""


def parse_document(raw: bytes) -> JsonObject:
    """Parse one JSON object, strictly.

    Args:
        raw: UTF-8 text.

    Returns:
        What `parse_json_object` returns, except that the value of each request in
        `latenciesByURL` may be a numpy array of the same doubles.

    Raises:
        UnusableReportError: As `parse_json_object` does.
    """
    # simdjson raises these for text that is not JSON, and for values of other types.
    with suppress(_OtherFormError, KeyError, MemoryError, RuntimeError, TypeError, ValueError):
        return _parsed(raw)
    # Not while the error is handled, which keeps the parser and its memory.
    return parse_json_object(raw)


def _parsed(raw: bytes) -> JsonObject:
    # simdjson skips a byte order mark.
    if len(raw) > strict_json.MAX_DOCUMENT_BYTES or not raw.startswith(b"{"):
        raise _OtherFormError
    if b"\\" in raw and not all(piece.startswith(_ESCAPES) for piece in raw.split(b"\\")[1:]):
        raise _OtherFormError
    reader = _Reader()
    document = reader.document(_parser(len(raw)).parse(raw))
    # simdjson flattens arrays within an array of numbers: only their brackets show.
    if reader.brackets != np.count_nonzero(np.frombuffer(raw, dtype=np.uint8) == ord("[")):
        raise _OtherFormError
    return document


class _Kept(threading.local):
    """The parser of this thread, with the memory that it has."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_KEPT: Final = _Kept()


def _parser(size_bytes: int) -> simdjson.Parser:
    """Return a parser; a new one for a text whose memory is better given back."""
    return _KEPT.parser if size_bytes <= _MAX_KEPT_BYTES else simdjson.Parser()


class _Reader:
    """Reads the values of a document.

    Attributes:
        brackets: How many opening brackets their text has, if no array is where a number must be.
    """

    def __init__(self) -> None:
        self.brackets = 0

    def document(self, root: object) -> JsonObject:
        document: JsonObject = {}
        for key, value in self._items(root):
            if key == "perSpecResults":
                document[key] = [self._flat(spec) for spec in self._elements(value)]
            else:
                document[key] = (
                    self._flat(value) if key == "aggregated" else self._field(key, value)
                )
        return document

    def _flat(self, report: object) -> JsonObject:
        return {key: self._field(key, value) for key, value in self._items(report)}

    def _field(self, key: str, value: object) -> object:
        if value is None or key in _SCALARS:
            return self._scalar(value)
        if key == "latenciesByURL":
            return {url: self._doubles(samples) for url, samples in self._items(value)}
        if key == "percentileLatencies":
            return self._pairs(value)
        if key == "percentileLatenciesByURL":
            return {url: self._pairs(pairs) for url, pairs in self._items(value)}
        if key == "errorStats":
            return self._scalars(value)
        if key == "errors":
            return [self._scalars(error) for error in self._elements(value)]
        raise _OtherFormError

    def _items(self, value: object) -> Iterator[tuple[str, object]]:
        if not isinstance(value, simdjson.Object):
            raise _OtherFormError
        keys = list(value)
        if len(set(keys)) != len(keys) or len(keys) > _MAX_KEYS:
            raise _OtherFormError
        for key in keys:
            self.brackets += key.count("[")
            yield key, value[key]

    def _elements(self, value: object) -> simdjson.Array:
        if not isinstance(value, simdjson.Array):
            raise _OtherFormError
        self.brackets += 1
        return value

    def _doubles(self, value: object) -> Seconds:
        return np.frombuffer(self._elements(value).as_buffer(of_type="d"), dtype=np.float64)

    def _pairs(self, value: object) -> Sequence[object]:
        # Not `as_list`, which writes beyond the list it makes of more than 2**24 elements.
        return [self._pair(pair) for pair in self._elements(value)]

    def _pair(self, value: object) -> list[object]:
        elements = self._elements(value)
        if len(elements) != 2:
            raise _OtherFormError
        pair: list[object] = [elements[0], elements[1]]
        if not set(map(type, pair)) <= _NUMBERS:
            raise _OtherFormError
        return pair

    def _scalars(self, value: object) -> JsonObject:
        return {key: self._scalar(item) for key, item in self._items(value)}

    def _scalar(self, value: object) -> object:
        if isinstance(value, str):
            self.brackets += value.count("[")
        elif isinstance(value, simdjson.Object | simdjson.Array):
            raise _OtherFormError
        return value
