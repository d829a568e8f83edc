"""Percentiles by request: a short name finds exactly one request, or the error names the choice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.errors import IncompleteError, InvalidInputError
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.request_lookup import find_request
from tests.factories import RUN, RUN_ID, failures, flat, merged_pod, missing_pod, percentiles

SERVER = "https://10.0.0.1:6443"
PODS = f"LIST {SERVER}/api/v1/pods?limit=500&timeout=1m0s"
LOAD_PODS = f"LIST {SERVER}/api/v1/namespaces/load/pods?limit=500&timeout=1m0s"
CONFIG_MAP = f"GET {SERVER}/api/v1/namespaces/load/configmaps/x"
NAMESPACES = f"LIST {SERVER}/api/v1/namespaces"
ALL_NAMESPACES = f"{NAMESPACES}?limit=500"
REQUESTS = (PODS, LOAD_PODS, CONFIG_MAP, NAMESPACES, ALL_NAMESPACES)


@pytest.mark.parametrize(
    ("name", "request_name"),
    [
        (PODS, PODS),
        ("LIST /api/v1/pods?limit=500&timeout=1m0s", PODS),
        ("LIST /api/v1/pods?limit=500", PODS),
        ("LIST /api/v1/pods", PODS),
        (f"LIST {SERVER}/api/v1/pods", PODS),
        ("LIST …/v1/pods", PODS),
        ("LIST …/load/pods?limit=500…", LOAD_PODS),
        ("LIST /api/…/load/pods", LOAD_PODS),
        ("GET …", CONFIG_MAP),
        ("…configmaps…", CONFIG_MAP),
        ("LIST https://…/api/v1/pods", PODS),
        # An exact name is that request, although it is a short form of another one.
        ("LIST /api/v1/namespaces", NAMESPACES),
        ("LIST /api/v1/namespaces?limit=500", ALL_NAMESPACES),
    ],
)
def test_a_short_name_finds_its_request(name: str, request_name: str) -> None:
    assert find_request(name, REQUESTS) == request_name


def problem(name: str, requests: tuple[str, ...] = REQUESTS) -> str:
    with pytest.raises(InvalidInputError) as caught:
        find_request(name, requests)
    return str(caught.value)


def test_a_name_of_no_request_is_an_error_that_names_the_known_requests() -> None:
    assert problem("LIST /api/v1/nodes") == (
        "'LIST /api/v1/nodes' does not name a request of this report; it has: "
        "LIST /api/v1/pods?limit=500, LIST /api/v1/namespaces/load/pods?limit=500, "
        "GET /api/v1/namespaces/load/configmaps/x and 2 more"
    )


def test_a_name_of_several_requests_is_an_error_that_names_them() -> None:
    assert problem("LIST …/pods") == (
        "'LIST …/pods' names 2 requests of this report; name one of: "
        "LIST /api/v1/pods?limit=500, LIST /api/v1/namespaces/load/pods?limit=500"
    )


@pytest.mark.parametrize("name", ["", "pods", "LIST", "list /api/v1/pods", "LIST /api/v1/pod."])
def test_a_part_of_a_name_or_a_pattern_of_another_kind_finds_nothing(name: str) -> None:
    assert "does not name a request" in problem(name)


def test_with_several_servers_a_name_needs_its_server_or_any_text_for_it() -> None:
    requests = (PODS, "LIST https://10.0.0.2:6443/api/v1/pods")
    assert "does not name a request" in problem("LIST /api/v1/pods", requests)
    assert "names 2 requests" in problem("LIST …/api/v1/pods", requests)
    assert find_request("LIST …0.2:…/pods", requests) == requests[1]


@given(st.lists(st.text(max_size=30), min_size=1, unique=True), st.data())
def test_every_request_is_found_by_its_own_name(requests: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(requests))
    assert find_request(name, requests) == name


def test_a_name_with_many_gaps_is_looked_for_once_in_a_long_request() -> None:
    # Tried in every combination of places, 20 gaps would never end.
    name, request = "LIST " + "…a" * 20, "LIST https://server/" + "a" * 5_000
    assert find_request(name, [request]) == request
    assert "does not name a request" in problem(f"{name}!", (f"{request}?!",))
    assert find_request("…a…ab…b", ["aab?c", "aabb?a"]) == "aabb?a"


def test_an_error_about_hostile_names_is_short_and_printable() -> None:
    text = problem("\x1b[2J" + "x" * 10**6, ("GET \x1b[2J" + "y" * 10**6,))
    assert text.isprintable()
    assert len(text) < 500


def report() -> MergedReport:
    return merge(
        RUN,
        RUN_ID,
        [
            merged_pod(0, 0, flat({PODS: [0.1, 0.2], CONFIG_MAP: [0.001]})),
            merged_pod(0, 1, flat({PODS: [0.3]})),
        ],
    )


def test_a_percentile_is_over_all_requests_or_over_the_one_named() -> None:
    for p, seconds in percentiles([0.1, 0.2, 0.001, 0.3]):
        assert report().percentile(p) == seconds
    for p, seconds in percentiles([0.1, 0.2, 0.3]):
        assert report().percentile(p, url="LIST …/pods") == seconds


def test_the_extremes_may_be_given_as_whole_numbers() -> None:
    assert (report().percentile(0), report().percentile(1)) == (0.001, 0.3)


@pytest.mark.parametrize("p", [99, -1, 0.75, float("nan")])
def test_a_percentile_that_kperf_does_not_compute_is_an_error(p: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        report().percentile(p)
    assert str(caught.value) == f"{p} is not one of kperf's percentiles: 0, 0.5, 0.9, 0.95, 0.99, 1"


def test_a_request_that_the_report_does_not_have_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="does not name a request of this report"):
        report().percentile(0.99, url="LIST /api/v1/nodes")


@pytest.mark.parametrize("url", [None, "LIST …/pods"])
def test_a_report_without_raw_data_has_no_percentiles(url: str | None) -> None:
    pods = [merged_pod(0, 0, flat()), merged_pod(0, 1, flat(raw=False))]
    with pytest.raises(IncompleteError) as caught:
        merge(RUN, RUN_ID, pods).percentile(0.99, url=url)
    assert str(caught.value) == (
        "the report of tracker load/mrunners has no percentiles: some of the merged reports have "
        "no raw data; run kperf with --raw-data"
    )


@pytest.mark.parametrize(
    ("url", "of_request"),
    [
        (None, ""),
        ("LIST …/pods", " of LIST https://api/pods, which failed 3 times"),
    ],
)
def test_a_report_without_samples_has_no_percentiles(url: str | None, of_request: str) -> None:
    pods = [merged_pod(0, 0, flat({}, errors=3)), missing_pod(0, 1, MissingReason.POD_GONE)]
    with pytest.raises(IncompleteError) as caught:
        merge(RUN, RUN_ID, pods).percentile(0.99, url=url)
    assert str(caught.value) == (
        f"the report of tracker load/mrunners has no samples{of_request}: 1 of 2 reports merged; "
        "1 missing: mrunners-0 index 1 (pod-gone); nothing succeeded in 1 pod: mrunners-0 index 0; "
        "the figures are in doubt"
    )


def test_of_a_run_with_other_successes_a_request_that_only_failed_has_no_percentiles() -> None:
    document = flat({CONFIG_MAP: [0.1]}, errors=1)
    document["errors"] = failures(PODS, "http/403", 1)
    with pytest.raises(IncompleteError) as caught:
        merge(RUN, RUN_ID, [merged_pod(0, 0, document)]).percentile(0.5, url="LIST …/pods")
    assert str(caught.value) == (
        f"the report of tracker load/mrunners has no samples of {PODS}, which failed 1 time: "
        "1 of 1 reports merged; the figures are in doubt"
    )


def test_a_request_without_samples_has_no_percentiles() -> None:
    document = flat({PODS: [0.1]})
    document["latenciesByURL"] = {PODS: [0.1], CONFIG_MAP: []}
    with pytest.raises(IncompleteError) as caught:
        merge(RUN, RUN_ID, [merged_pod(0, 0, document)]).percentile(0.5, url="GET …")
    assert str(caught.value) == (
        "the report of tracker load/mrunners has no samples of GET "
        "https://10.0.0.1:6443/api/v1/namespaces/load/configmaps/x: 1 of 1 reports merged"
    )
