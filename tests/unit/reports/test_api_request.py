"""What a request of a report asks of the Kubernetes API."""

from __future__ import annotations

import pytest

from mrunners.reports.api_request import ApiRequest, Scope, parse_api_request

SERVER = "https://10.0.0.1:6443"


@pytest.mark.parametrize(
    ("name", "verb", "group", "resource", "scope"),
    [
        (f"LIST {SERVER}/api/v1/pods?limit=500", "LIST", "", "pods", Scope.CLUSTER),
        (f"LIST {SERVER}/api/v1/namespaces/load/pods", "LIST", "", "pods", Scope.NAMESPACE),
        ("LIST /api/v1/namespaces", "LIST", "", "namespaces", Scope.CLUSTER),
        ("GET /api/v1/namespaces/load", "GET", "", "namespaces", Scope.RESOURCE),
        ("PUT /api/v1/namespaces/load/status", "PUT", "", "namespaces/status", Scope.RESOURCE),
        ("GET /api/v1/namespaces/a/configmaps/b", "GET", "", "configmaps", Scope.RESOURCE),
        ("POST /api/v1/namespaces/a/configmaps", "POST", "", "configmaps", Scope.RESOURCE),
        (
            "PATCH /apis/apps/v1/namespaces/a/deployments/:name/scale",
            "PATCH",
            "apps",
            "deployments/scale",
            Scope.RESOURCE,
        ),
        ("GET /api/v1/nodes/n", "GET", "", "nodes", Scope.RESOURCE),
        (
            "WATCHLIST /apis/example.com/v1beta1/things/",
            "WATCHLIST",
            "example.com",
            "things",
            Scope.CLUSTER,
        ),
        ("POD_LOG /api/v1/namespaces/a/pods/b/log", "POD_LOG", "", "pods/log", Scope.RESOURCE),
    ],
)
def test_the_path_says_what_a_request_is_about(
    name: str, verb: str, group: str, resource: str, scope: Scope
) -> None:
    assert parse_api_request(name) == ApiRequest(verb, group, resource, scope)


@pytest.mark.parametrize(
    "name",
    ["", "LIST", "GET /healthz", "GET /api", "GET /apis/apps/v1", "GET /api/v1//pods", "GET x"],
)
def test_other_requests_are_about_no_resource(name: str) -> None:
    assert parse_api_request(name) is None


@pytest.mark.parametrize(
    ("name", "qualified", "changes", "streams"),
    [
        ("LIST /api/v1/pods", "pods", False, False),
        (
            "PATCH /apis/apps/v1/namespaces/a/deployments/b/scale",
            "deployments.apps/scale",
            True,
            False,
        ),
        ("WATCHLIST /api/v1/pods", "pods", False, True),
        ("POD_LOG /api/v1/namespaces/a/pods/b/log", "pods/log", False, True),
    ],
)
def test_a_request_is_named_as_rbac_does(
    name: str, qualified: str, changes: bool, streams: bool
) -> None:
    request = parse_api_request(name)
    assert request is not None
    assert (request.qualified, request.changes, request.streams) == (qualified, changes, streams)
