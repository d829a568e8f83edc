"""Names of requests without what they all share, and names of load profiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.formatting import (
    RequestNames,
    profile_names,
    request_names,
    shared_server,
    without_server,
)

REQUEST = "LIST https://10.0.0.1:6443/api/v1/pods?limit=5"


def test_the_shared_server_is_left_out() -> None:
    server = shared_server([REQUEST, "https://10.0.0.1:6443/api"])
    assert server == "https://10.0.0.1:6443"
    assert without_server(REQUEST, server) == "LIST /api/v1/pods?limit=5"
    assert without_server("https://10.0.0.1:6443/api", server) == "/api"


def test_names_of_several_servers_are_unchanged() -> None:
    assert shared_server([REQUEST, REQUEST.replace("10.0.0.1", "10.0.0.2")]) is None
    assert shared_server([REQUEST, "something else"]) is None
    assert shared_server([]) is None
    assert without_server(REQUEST, None) == REQUEST


def test_a_name_has_neither_the_server_nor_the_parameters_of_all_requests() -> None:
    server = "https://10.0.0.1:6443"
    pods = f"LIST {server}/pods?limit=500&resourceVersion=0&timeout=1m0s"
    secrets = f"LIST {server}/secrets?resourceVersion=0&timeout=1m0s"
    assert request_names([pods, secrets]) == RequestNames(
        server,
        "resourceVersion=0&timeout=1m0s",
        {pods: "LIST /pods?limit=500", secrets: "LIST /secrets"},
    )


def test_the_timeout_is_left_out_where_only_some_requests_have_it_or_there_is_one() -> None:
    assert request_names(["LIST /a?limit=5&timeout=1m0s"]) == RequestNames(
        None, "timeout=1m0s", {"LIST /a?limit=5&timeout=1m0s": "LIST /a?limit=5"}
    )
    mixed = ["LIST /a?timeout=1m0s", "PATCH /b?fieldManager=x"]
    assert request_names(mixed) == RequestNames(
        None, "timeout=1m0s", {mixed[0]: "LIST /a", mixed[1]: mixed[1]}
    )


@pytest.mark.parametrize(
    "requests",
    [
        # Two timeouts make two requests.
        ("LIST /a?timeout=1m0s", "LIST /a?timeout=5s"),
        # Without the parameter the two would have one name.
        ("LIST /a?timeout=1m0s", "LIST /a"),
        (),
    ],
)
def test_nothing_is_left_out_that_tells_requests_apart(requests: tuple[str, ...]) -> None:
    assert request_names(requests) == RequestNames(None, "", {text: text for text in requests})


@given(st.lists(st.from_regex(r"LIST /[ab](\?([ab]=[12]&?){0,3}(timeout=1m0s)?)?", fullmatch=True)))
def test_no_two_requests_have_one_name(requests: list[str]) -> None:
    names = request_names(requests).names
    assert set(names) == set(requests)
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize(
    ("uris", "names"),
    [
        ([], []),
        (["file:///etc/load/list.yaml?numbers=2"], ["list.yaml"]),
        (["configmap:///load/mixed?numbers=10", "file:///a.yaml"], ["mixed", "a.yaml"]),
        (["file:///a/x.yaml?numbers=1", "file:///b/x.yaml"], ["a/x.yaml", "b/x.yaml"]),
        (["file:///x.yaml?numbers=1", "file:///x.yaml?numbers=2"], ["x.yaml", "x.yaml"]),
        (["anything", ""], ["anything", ""]),
    ],
)
def test_a_profile_has_the_name_of_its_file_or_what_tells_it_apart(
    uris: list[str], names: list[str]
) -> None:
    assert profile_names(uris) == names
