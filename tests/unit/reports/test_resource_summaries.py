"""Samples of all requests about a resource are pooled, by verb and scope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from tests.factories import RUN, RUN_ID, flat, merged_pod

SERVER = "https://10.0.0.1:6443"
CONFIG_MAP = f"GET {SERVER}/api/v1/namespaces/load/configmaps/x"
SCALE = f"PATCH {SERVER}/apis/apps/v1/namespaces/load/deployments/x/scale"


def test_names_namespaces_and_queries_do_not_matter_and_scopes_do() -> None:
    first = {
        f"{CONFIG_MAP}{number}": [0.001 * number, 0.002 * number] for number in range(1, 101)
    } | {f"LIST {SERVER}/api/v1/pods?limit=5": [0.5], f"GET {SERVER}/healthz": [0.1]}
    second = {
        f"{CONFIG_MAP}1".replace("/load/", "/other/"): [9.0],
        f"LIST {SERVER}/api/v1/pods": [0.7],
        f"LIST {SERVER}/api/v1/namespaces/load/pods": [0.2],
        SCALE: [0.3],
    }
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat(first)), merged_pod(1, 0, flat(second))])
    found = {resource.name: resource for resource in report.resources or ()}
    assert {name: (found[name].urls, found[name].samples) for name in found} == {
        "GET configmaps resource": (101, 201),
        "LIST pods cluster": (2, 2),
        "LIST pods namespace": (1, 1),
        "PATCH deployments.apps/scale resource": (1, 1),
    }
    pooled = sorted(
        [value for name, values in first.items() if "configmaps" in name for value in values]
        + [9.0]
    )
    assert dict(found["GET configmaps resource"].percentile_latencies) == {
        0.0: pooled[0],
        0.5: pooled[100],
        0.9: pooled[180],
        0.95: pooled[190],
        0.99: pooled[198],
        1.0: 9.0,
    }
    assert list(found) == sorted(found)


def test_failures_of_a_resource_are_counted_even_where_nothing_succeeded() -> None:
    document = flat({CONFIG_MAP: [0.1]}, errors=2)
    url = f"{SERVER}/api/v1/namespaces/load/secrets/x"
    failed: Any = document["errors"]
    document["errors"] = [{**error, "method": "GET", "url": url} for error in failed]
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, document)])
    assert {r.name: (r.samples, r.errors) for r in report.resources or ()} == {
        "GET configmaps resource": (1, 0),
        "GET secrets resource": (0, 2),
    }
    (_, secrets) = json.loads(to_json(report))["resources"]
    assert secrets["percentileLatencies"] == []


@pytest.mark.parametrize(
    ("name", "own", "without_group"),
    [
        ("PATCH deployments.apps/scale", True, False),
        ("PATCH deployments.apps/scale resource", True, False),
        ("PATCH deployments/scale", False, True),
        ("PATCH deployments/scale resource", False, True),
        ("PATCH deployments/scale cluster", False, False),
        ("PATCH deployments", False, False),
        ("GET deployments.apps/scale", False, False),
    ],
)
def test_a_resource_is_named_with_or_without_its_group_and_scope(
    name: str, own: bool, without_group: bool
) -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({SCALE: [0.3]}))])
    (scale,) = report.resources or ()
    assert (scale.is_named(name), scale.is_named_without_group(name)) == (own, without_group)
