"""The objectives of SIG Scalability: which requests they are about, and their limits."""

from __future__ import annotations

import pytest

from mrunners.reports.slo import objective_problem, parse_objective
from mrunners.reports.slo_presets import PRESETS, preset_objectives

SERVER = "https://10.0.0.1:6443"


@pytest.mark.parametrize(
    ("request_name", "objective"),
    [
        # Reads, by their scope.
        (f"GET {SERVER}/api/v1/namespaces/a/pods/x", "GET pods resource: p99 <= 1s"),
        (f"GET {SERVER}/api/v1/nodes/x", "GET nodes resource: p99 <= 1s"),
        (f"LIST {SERVER}/api/v1/namespaces/a/pods?limit=5", "LIST pods namespace: p99 <= 30s"),
        (f"LIST {SERVER}/api/v1/pods", "LIST pods cluster: p99 <= 30s"),
        (f"LIST {SERVER}/apis/apps/v1/deployments", "LIST deployments.apps cluster: p99 <= 30s"),
        # Changes of one object.
        (f"POST {SERVER}/api/v1/namespaces/a/configmaps", "POST configmaps resource: p99 <= 1s"),
        (
            f"PATCH {SERVER}/apis/apps/v1/namespaces/a/deployments/x/scale",
            "PATCH deployments.apps/scale resource: p99 <= 1s",
        ),
        # Neither: a change of many, streams, custom, virtual, and no resource at all.
        (f"DELETE {SERVER}/api/v1/namespaces/a/pods", None),
        (f"WATCHLIST {SERVER}/api/v1/pods", None),
        (f"POD_LOG {SERVER}/api/v1/namespaces/a/pods/x/log", None),
        (f"LIST {SERVER}/apis/example.com/v1/widgets", None),
        (f"LIST {SERVER}/api/v1/componentstatuses", None),
        (f"POST {SERVER}/apis/authorization.k8s.io/v1/subjectaccessreviews", None),
        (f"GET {SERVER}/healthz", None),
    ],
)
def test_the_objective_of_a_request(request_name: str, objective: str | None) -> None:
    found = preset_objectives("kubernetes", [request_name, request_name])
    assert found == ([] if objective is None else [objective])
    for text in found:
        assert parse_objective(text).text == text


def test_the_name_of_a_preset_is_taken_as_an_objective() -> None:
    assert [objective_problem(preset) for preset in PRESETS] == [None] * len(PRESETS)
