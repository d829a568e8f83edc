"""Parse untrusted bytes as JSON, more strictly than Python's parser does."""

from __future__ import annotations

import json
from typing import NoReturn

from mrunners.reports.outcomes import MissingReason, UnusableReportError

__all__ = ["MAX_DOCUMENT_BYTES", "JsonObject", "parse_json_object"]

# About five million samples as v0.3.5 prints them; parsing takes some five times as much memory.
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024

# Untrusted input, until `kperf_report` has checked each of its values.
JsonObject = dict[str, object]


def parse_json_object(raw: bytes) -> JsonObject:
    """Parse one JSON object, strictly.

    Args:
        raw: UTF-8 text, which blanks may surround.

    Returns:
        The object; its floats are the doubles nearest to the numbers in the text.

    Raises:
        UnusableReportError: With the reason `too-large` beyond MAX_DOCUMENT_BYTES; with
            `invalid-json` for anything but one JSON object in valid UTF-8, and also for NaN,
            Infinity, duplicate keys, lone surrogates, integers of thousands of digits, and nesting
            that is too deep for the parser.
    """
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise UnusableReportError(
            MissingReason.TOO_LARGE,
            f"the report has {len(raw)} bytes; the maximum is {MAX_DOCUMENT_BYTES}",
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid(f"byte {error.start} is not UTF-8") from error
    try:
        value: object = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        # error.msg is the parser's own text; the document is not quoted.
        raise _invalid(f"{error.msg} at character {error.pos} of {len(text)}") from error
    except RecursionError as error:
        raise _invalid("nested too deeply") from error
    except ValueError as error:
        # int() refuses more digits than sys.get_int_max_str_digits().
        raise _invalid("a number has too many digits") from error
    if not isinstance(value, dict):
        raise _invalid("the document is not an object")
    return value


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _invalid("an object has the same key twice")
    for key, value in pairs:
        _refuse_surrogates(key)
        if isinstance(value, str):
            _refuse_surrogates(value)
    return result


def _refuse_surrogates(text: str) -> None:
    # A lone surrogate cannot be encoded as UTF-8: the merged report could not be printed.
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _invalid("a string has a lone surrogate") from error


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not a number")


def _invalid(detail: str) -> UnusableReportError:
    return UnusableReportError(MissingReason.INVALID_JSON, detail)
