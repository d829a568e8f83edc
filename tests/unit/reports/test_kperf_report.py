"""Both formats of kperf's report, and the reports that are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.reports.kperf_report import parse_report
from mrunners.reports.latency_column import LatencyColumn
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.samples import KperfReport, RequestError, SpecFigures
from tests.factories import Json, error, flat, multi, printed

URL = "LIST https://api/pods"


def refusal(raw: bytes) -> tuple[MissingReason, str]:
    with pytest.raises(UnusableReportError) as caught:
        parse_report(raw)
    return caught.value.problem, caught.value.detail


def test_a_flat_report_is_read_whole() -> None:
    latencies = [0.001, 0.002, 0.25]
    pairs = ((0.0, 0.001), (0.5, 0.002), (0.9, 0.25), (0.95, 0.25), (0.99, 0.25), (1.0, 0.25))
    assert parse_report(printed(flat(errors=1, duration="1m40.072897445s"))) == KperfReport(
        total=4,
        duration_ns=100_072_897_445,
        samples=3,
        error_stats={"http/403": 1},
        errors=(
            RequestError(
                method="LIST",
                url="https://api/pods",
                timestamp="2026-01-02T03:04:05.123456789Z",
                duration_seconds=0.01,
                type="http",
                code=403,
                message="",
            ),
        ),
        received_bytes=1000,
        latencies_by_url={URL: LatencyColumn.of(latencies)},
        percentiles=pairs,
        percentiles_by_url={URL: pairs},
        specs=(
            SpecFigures(
                requests=4,
                duration_ns=100_072_897_445,
                busy_seconds=math.fsum(latencies) + 0.01,
                shortest_seconds=0.001,
                longest_seconds=0.25,
            ),
        ),
    )


def test_the_aggregated_report_of_several_specs_is_used() -> None:
    one, two = flat({"A": [0.1, 0.2]}, errors=1), flat({"A": [0.3], "B": [1.0]})
    whole = flat({"A": [0.1, 0.2, 0.3], "B": [1.0]}, errors=1, duration="20s", received=2000)
    report = parse_report(printed(multi(one, two, aggregated=whole)))
    alone = parse_report(printed(whole))
    assert replace(report, specs=()) == replace(alone, specs=())
    assert report.specs == (
        SpecFigures(
            requests=3,
            duration_ns=10_000_000_000,
            busy_seconds=math.fsum([0.1, 0.2]) + 0.01,
            shortest_seconds=0.01,
            longest_seconds=0.2,
        ),
        SpecFigures(
            requests=2,
            duration_ns=10_000_000_000,
            busy_seconds=math.fsum([0.3, 1.0]),
            shortest_seconds=0.3,
            longest_seconds=1.0,
        ),
    )


def test_without_raw_data_the_figures_of_a_spec_are_what_the_percentiles_say() -> None:
    (alone,) = parse_report(printed(flat(raw=False))).specs
    assert alone == SpecFigures(
        requests=3,
        duration_ns=10_000_000_000,
        busy_seconds=None,
        shortest_seconds=0.001,
        longest_seconds=0.25,
    )
    # No percentile says how long a failed request took.
    (failing,) = parse_report(printed(flat(errors=1, raw=False))).specs
    assert (failing.requests, failing.shortest_seconds, failing.longest_seconds) == (4, None, None)


def test_an_empty_list_of_specs_is_a_flat_report() -> None:
    assert parse_report(printed({**flat(), "perSpecResults": []})).samples == 3


def test_a_spec_in_duration_mode_beside_one_with_a_total_adds_up() -> None:
    one, two = flat({"A": [0.1]}), flat({"A": [0.2, 0.3]}, total=0)
    whole = flat({"A": [0.1, 0.2, 0.3]}, total=1, duration="20s", received=2000)
    assert parse_report(printed(multi(one, two, aggregated=whole))).samples == 3


def test_a_later_spec_may_be_cut_short_by_its_duration() -> None:
    one, two = flat({"A": [0.1]}), flat({"A": [0.2]}, total=50)
    whole = flat({"A": [0.1, 0.2]}, total=51, duration="20s", received=2000)
    assert parse_report(printed(multi(one, two, aggregated=whole))).samples == 2


def test_without_raw_data_the_samples_follow_from_the_total() -> None:
    report = parse_report(printed(flat(errors=2, raw=False)))
    assert (report.samples, report.error_count, report.latencies_by_url) == (3, 2, None)
    assert report.percentiles is not None


def test_without_raw_data_in_duration_mode_the_samples_are_unknown() -> None:
    assert parse_report(printed(flat(total=0, raw=False))).samples is None


def test_a_report_whose_every_request_failed_has_no_samples() -> None:
    report = parse_report(printed(flat({}, errors=3)))
    assert (report.samples, report.nothing_succeeded, report.latencies_by_url) == (0, True, {})


def test_a_key_of_a_later_release_is_reported_and_not_an_error() -> None:
    assert parse_report(printed({**flat(), "zeta": 1, "alpha": []})).unknown_keys == (
        "alpha",
        "zeta",
    )


def test_fields_that_older_releases_omit_may_be_absent() -> None:
    entry = error()
    del entry["method"], entry["message"]
    document = {**flat(errors=1), "errors": [entry]}
    assert parse_report(printed(document)).errors[0].method == ""


@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1).map(sorted))
def test_every_float_keeps_its_value(samples: list[float]) -> None:
    report = parse_report(printed(flat({"A": samples})))
    assert report.latencies_by_url == {"A": LatencyColumn.of(samples)}


GOOD = printed(flat(errors=1)).decode()

INVALID_JSON = {
    "empty": b"",
    "cut": GOOD[:-5].encode(),
    "two documents": (GOOD + GOOD).encode(),
    "NaN": GOOD.replace("0.25", "NaN").encode(),
    "Infinity": GOOD.replace("0.25", "Infinity").encode(),
    "minus Infinity": GOOD.replace("0.25", "-Infinity").encode(),
    "duplicate key": GOOD.replace('"total"', '"total": 1, "total"').encode(),
    "lone surrogate": GOOD.replace("api", "\\ud800").encode(),
    "lone surrogate in a key": GOOD.replace('"http/403"', '"\\udfff"').encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "invalid UTF-8": GOOD.encode().replace(b"api", b"\xff"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "an array": b"[]",
    "a number": b"1",
    "deep": b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep and open": b"[" * 200_000,
    "an integer of 10,000 digits": GOOD.replace('"total": 4', '"total": ' + "9" * 10_000).encode(),
}


@pytest.mark.parametrize("raw", INVALID_JSON.values(), ids=INVALID_JSON)
def test_text_that_is_not_strict_json_is_refused(raw: bytes) -> None:
    problem, detail = refusal(raw)
    assert problem == MissingReason.INVALID_JSON
    assert detail.isprintable()


def changed(**changes: object) -> Json:
    return {**flat(errors=1), **changes}


INVALID: dict[str, tuple[Json, str]] = {
    "no keys": ({}, "total is not a whole number"),
    "total as a string": (changed(total="4"), "total is not a whole number"),
    "total as a bool": (changed(total=True), "total is not a whole number"),
    "total as a float": (changed(total=4.0), "total is not a whole number"),
    "negative total": (changed(total=-1), "total is out of range"),
    "too many bytes": (changed(totalReceivedBytes=2**63), "totalReceivedBytes is out of range"),
    "too few": (changed(total=5), "total is 5, but 3 samples and 1 errors make 4"),
    "too many": (changed(total=3), "total is 3, but 3 samples and 1 errors make 4"),
    "duration as a number": (changed(duration=10), "duration is not a string"),
    "no duration": (changed(duration="soon"), "duration is not a Go duration"),
    "negative duration": (changed(duration="-1s"), "duration is "),
    "long duration": (changed(duration="1" * 100_000 + "s"), "duration is negative or too long"),
    "negative latency": (changed(latenciesByURL={"A": [-1, 0, 1]}), "latenciesByURL is negative"),
    "latency beyond 63 bits": (
        changed(latenciesByURL={"A": [0, 1, 1e300]}),
        "latenciesByURL is negative",
    ),
    "huge whole latency": (
        changed(latenciesByURL={"A": [10**400]}),
        "has a number that is too large",
    ),
    "string latency": (changed(latenciesByURL={"A": ["1", 2, 3]}), "that is not a number"),
    "bool latency": (changed(latenciesByURL={"A": [True, 2, 3]}), "that is not a number"),
    "null latency": (changed(latenciesByURL={"A": [None, 2, 3]}), "that is not a number"),
    "unsorted": (changed(latenciesByURL={"A": [1, 3, 2]}), "latenciesByURL is not sorted"),
    "latencies as an object": (changed(latenciesByURL={"A": {}}), "is not an array"),
    "latencies as an array": (changed(latenciesByURL=[]), "is not an object"),
    "stats as an array": (changed(errorStats=[]), "errorStats is not an object"),
    "stats as floats": (changed(errorStats={"http/403": 1.0}), "errorStats has a count"),
    "more stats than errors": (changed(errorStats={"http/403": 2}), "errors has 1 entries"),
    "an error as a string": (changed(errors=["x"]), "errors has an element"),
    "an error's code": (changed(errors=[error(code="403")]), "code is not a whole number"),
    "an error's duration": (changed(errors=[error(duration=None)]), "duration is not a number"),
    "percentiles as triples": (changed(percentileLatencies=[[0, 1, 2]]), "not a pair"),
    "percentile 99": (changed(percentileLatencies=[[99, 1]]), "a percentile above 1"),
    "the same percentile twice": (
        changed(percentileLatencies=[[0.5, 1], [0.5, 1]]),
        "percentileLatencies is not ascending",
    ),
    "a median beyond the maximum": (
        changed(percentileLatencies=[[0.5, 2], [1, 1]]),
        "percentileLatencies is not ascending",
    ),
    "a spec as a number": (multi(aggregated=flat()) | {"perSpecResults": [1]}, "not an object"),
    "no aggregated": ({"perSpecResults": [flat()]}, "total is not a whole number"),
    "aggregated total": (multi(flat(), flat(), aggregated=flat()), "total: the specs have 6"),
    "aggregated bytes": (
        multi(flat(), aggregated=flat(received=7)),
        "totalReceivedBytes: the specs have 1000 together, aggregated has 7",
    ),
    "aggregated duration": (multi(flat(), aggregated=flat(duration="9s")), "duration: the specs"),
    "aggregated errors": (
        multi(flat(total=0), aggregated=flat(errors=1, total=0)),
        "errors: the specs have 0 together, aggregated has 1",
    ),
    "aggregated samples": (
        multi(flat(total=0), aggregated=flat({"A": [1.0]}, total=0)),
        "samples: the specs have 3 together, aggregated has 1",
    ),
}


@pytest.mark.parametrize(("document", "detail"), INVALID.values(), ids=INVALID)
def test_a_report_that_does_not_add_up_is_refused_with_the_facts(
    document: Json, detail: str
) -> None:
    problem, actual = refusal(printed(document))
    assert problem is MissingReason.INVALID_REPORT
    assert detail in actual


def test_a_number_that_overflows_to_infinity_is_refused() -> None:
    raw = GOOD.replace("0.25", "1e999").encode()
    assert refusal(raw)[0] == MissingReason.INVALID_REPORT


LEGACY_STATS: Json = {
    "unknownErrors": None,
    "netErrors": {},
    "responseCodes": {},
    "http2Errors": {},
}


@pytest.mark.parametrize(
    "document",
    [
        {**flat(), "latencies": [0.1], "errorStats": LEGACY_STATS},
        {**flat(), "errorStats": LEGACY_STATS},
    ],
    ids=["up to 0.1.4", "0.1.5 and 0.1.6"],
)
def test_a_legacy_report_is_refused_with_the_first_release_that_works(document: Json) -> None:
    problem, detail = refusal(printed(document))
    assert problem == MissingReason.LEGACY_REPORT
    assert "0.1.7" in detail


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_random_text_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(UnusableReportError):
        parse_report(raw)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(
    st.sampled_from(sorted(flat(errors=1))),
    st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v)),
)
def test_any_value_in_any_field_gives_a_report_or_a_reason(key: str, value: object) -> None:
    raw = json.dumps(changed(**{key: value})).encode()
    try:
        report = parse_report(raw)
    except UnusableReportError:
        return
    assert report.samples is not None
    assert report.total in (0, report.samples + report.error_count)
