"""The fast parser and the strict one return the same bits and refuse the same texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrunners.reports import columnar_json
from mrunners.reports.columnar_json import parse_document
from mrunners.reports.kperf_report import parse_report
from mrunners.reports.outcomes import UnusableReportError
from mrunners.reports.strict_json import JsonObject, parse_json_object
from tests.factories import Json, error, flat, multi, printed
from tests.unit.reports.corpus.real_log import REPORT as REAL_REPORT

SECONDS = st.floats(0, 1e6) | st.integers(0, 10) | st.sampled_from([0.0, -0.0, 5e-324, 1e22])
URLS = st.sampled_from(["A", "LIST https://[fd00::1]:443/a?b&c", "<GET>", "日本", 'a"b', "x\\y"])
MESSAGES = st.sampled_from(["", 'Get "https://x": EOF', "a[b]c", "tab\t", "日本", "\0"])


def go(text: str) -> str:
    """Escape as Go's encoder does, which Python's does not."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@st.composite
def reports(draw: st.DrawFn) -> bytes:
    by_url = st.dictionaries(
        URLS, st.lists(SECONDS, min_size=1, max_size=6).map(sorted), max_size=3
    )

    def one() -> Json:
        errors = draw(st.lists(MESSAGES, max_size=2))
        report = flat(draw(by_url), errors=len(errors))
        if errors:
            report["errors"] = [error(type="unknown", message=message) for message in errors]
        return {**report, **draw(st.sampled_from([{}, {}, {"total": 0}, {"errorStats": None}]))}

    first, second = one(), one()
    document = draw(
        st.sampled_from(
            [first, multi(first, aggregated=first), multi(first, second, aggregated=second)]
        )
    )
    return go(json.dumps(document, indent=2, ensure_ascii=draw(st.booleans()))).encode()


PIECES = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'[]{}",:\\0- \0\xff'),
        *(
            b"\\u005b",
            b"\\ud800",
            b"\\u0000",
            b"\xef\xbb\xbf",
            b"NaN",
            b"Infinity",
            b"null",
            b"true",
        ),
        *(b"-0", b"1e400", b"1E5", b"9" * 25, b"[0.5], ", b'"A": [1], ', b'"total": 1, '),
        b'{"a": 1, "a": 1}',
    ]
)


TWO_SAMPLES = printed({"total": 2, "duration": "1s", "latenciesByURL": {"A": [1.0, 2.0]}})


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    raw = draw(reports())
    for _ in range(draw(st.integers(1, 3))):
        # Where a value begins or ends, damage is the least conspicuous.
        places = [match.start() for match in re.finditer(rb'[\[\]{}",:0-9]', raw)] or [0]
        at = draw(st.sampled_from(places))
        raw = raw[:at] + draw(PIECES | st.just(b"")) + raw[at + draw(st.integers(0, 2)) :]
    return raw


def bits(value: object) -> object:
    """Return a document with its doubles as their bits, and with no difference in arrays."""
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [bits(item) for item in value]
    return value.hex() if isinstance(value, float) else (type(value), value)


def latencies_as_doubles(document: JsonObject) -> JsonObject:
    """Convert whole numbers among latencies, as an array of doubles does."""

    def flat_doubles(report: Any) -> Any:
        if not isinstance(report, dict) or not isinstance(report.get("latenciesByURL"), dict):
            return report
        by_url = {
            url: [float(item) if type(item) is int else item for item in samples]
            if isinstance(samples, list)
            else samples
            for url, samples in report["latenciesByURL"].items()
        }
        return {**report, "latenciesByURL": by_url}

    document = flat_doubles(document)
    if isinstance(specs := document.get("perSpecResults"), list):
        document = {**document, "perSpecResults": [flat_doubles(spec) for spec in specs]}
    return {
        key: flat_doubles(value) if key == "aggregated" else value
        for key, value in document.items()
    }


def outcome(parse: Callable[[bytes], object], raw: bytes) -> object:
    try:
        return parse(raw)
    except UnusableReportError as refusal:
        return (refusal.problem, refusal.detail)


def require_agreement(raw: bytes) -> None:
    fast, plain = outcome(parse_document, raw), outcome(parse_json_object, raw)
    if isinstance(fast, dict) and isinstance(plain, dict):
        assert bits(latencies_as_doubles(fast)) == bits(latencies_as_doubles(plain))
    else:
        assert fast == plain
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mrunners.reports.kperf_report.parse_document", parse_json_object)
        reference = outcome(parse_report, raw)
    assert outcome(parse_report, raw) == reference


@given(reports())
def test_a_report_is_read_as_the_strict_parser_reads_it(raw: bytes) -> None:
    require_agreement(raw)


@settings(max_examples=500)
@given(damaged())
@example(TWO_SAMPLES.replace(b"2.0", b"[2.0]"))
@example(TWO_SAMPLES.replace(b"2.0", b"[2.0]").replace(b'"A"', b'"A\\u005b"'))
@example(printed(flat({"A": [1.0]})).replace(b'"A"', b'"A": [1.0], "A"'))
@example(b"\xef\xbb\xbf" + printed(flat()))
@example(printed(flat({"\0": [1.0]})))
@example(printed(flat({"A": [1.0]})).replace(b'"A"', b'"\\udc00"'))
@example(printed({**flat(), "errorStats": {"a": 1}}).replace(b'"a": 1', b'"a": 1, "a": 1'))
@example(printed(flat({"A": [0.1]})).replace(b'"total": 1', b'"total": -0'))
def test_a_damaged_report_is_refused_as_the_strict_parser_refuses_it(raw: bytes) -> None:
    require_agreement(raw)


@pytest.mark.parametrize(
    "document",
    [
        flat(),
        multi(flat(errors=1), aggregated=flat(errors=1)),
        flat({"LIST https://[fd00::1]/a?b&c<d>": [0.1, 1, 2.5]}),
        {**flat(errors=1), "errors": [error(message='Get "https://x": [y]')]},
        {**flat(), "latenciesByURL": None, "percentileLatencies": None},
        json.loads(REAL_REPORT),
    ],
)
def test_reports_as_kperf_prints_them_take_the_fast_way(
    document: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = go(printed(document).decode()).encode()
    expected = bits(latencies_as_doubles(parse_json_object(raw)))
    monkeypatch.delattr(columnar_json, "parse_json_object")
    assert bits(latencies_as_doubles(parse_document(raw))) == expected


def test_a_request_has_one_array_of_doubles() -> None:
    document: Any = parse_document(printed(flat({"A": [0.1, 2]})))
    assert document["latenciesByURL"]["A"].dtype == np.float64
