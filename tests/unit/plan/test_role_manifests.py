"""The smallest roles: what load profiles request, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mrunners.plan.role_manifests import own_rbac, runner_rbac
from mrunners.profiles.access import Access, required_access
from mrunners.profiles.profile import LoadProfile

EXAMPLE = Path(__file__).parents[3] / "examples" / "rbac.yaml"


def profile(*requests: dict[str, Any]) -> LoadProfile:
    weighted = [{"shares": 1, **request} for request in requests]
    return LoadProfile.model_validate(
        {"version": 1, "specs": [{"total": 10, "requests": weighted}]}
    )


def of(version: str = "v1", **fields: object) -> dict[str, object]:
    return {"version": version, **fields}


@pytest.mark.parametrize(
    ("request_", "access"),
    [
        ({"staleList": of(resource="pods")}, [("", "", "pods", "", "list")]),
        (
            {"quorumList": of(resource="pods", namespace="a")},
            [("a", "", "pods", "", "list")],
        ),
        ({"watchList": of(resource="pods")}, [("", "", "pods", "", "watch")]),
        (
            {"staleGet": of(group="apps", resource="deployments", namespace="a", name="x")},
            [("a", "apps", "deployments", "x", "get")],
        ),
        ({"quorumGet": of(resource="nodes", name="x")}, [("", "", "nodes", "x", "get")]),
        (
            {
                "put": of(
                    resource="configmaps", namespace="a", name="x", keySpaceSize=9, payloadSize=1
                )
            },
            [("a", "", "configmaps", "", "update")],
        ),
        (
            {
                "patch": of(
                    resource="configmaps", namespace="a", name="x", keySpaceSize=9,
                    patchType="merge", body="{}",
                )
            },
            [("a", "", "configmaps", "", "patch")],
        ),
        (
            {"getPodLog": {"namespace": "a", "name": "x"}},
            [("a", "", "pods/log", "x", "get")],
        ),
        (
            {"postDel": of(resource="pods", namespace="a", deleteRatio=0.1)},
            [("a", "", "pods", "", "create"), ("a", "", "pods", "", "delete")],
        ),
    ],
)  # fmt: skip
def test_each_request_needs_its_right(
    request_: dict[str, Any], access: list[tuple[str, str, str, str, str]]
) -> None:
    assert required_access([profile(request_), profile(request_)]) == [
        Access(*right) for right in access
    ]


def test_a_request_without_shares_needs_none() -> None:
    never = {"shares": 0, "staleList": of(resource="secrets")}
    pods = {"staleList": of(resource="pods")}
    assert [right.resource for right in required_access([profile(pods, never)])] == ["pods"]


def test_roles_are_by_namespace_and_grant_nothing_twice() -> None:
    rights = [
        Access("", "", "pods", "", "list"),
        Access("load", "", "pods", "", "list"),
        Access("load", "", "pods", "", "create"),
        Access("load", "", "pods", "x", "get"),
        Access("default", "", "configmaps", "x", "get"),
        Access("default", "", "configmaps", "y", "get"),
    ]
    found = {
        (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"]): (
            manifest
        )
        for manifest in _any(runner_rbac("load", {"kperf-runner": rights}))
    }
    assert set(found) == {
        ("ServiceAccount", "load", "kperf-runner"),
        *(
            (f"{kind}{suffix}", place, name)
            for kind, place, name in (
                ("ClusterRole", None, "load-kperf-runner"),
                ("Role", "load", "kperf-runner"),
                ("Role", "default", "load-kperf-runner"),
            )
            for suffix in ("", "Binding")
        ),
    }
    assert found["ClusterRole", None, "load-kperf-runner"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    ]
    assert found["Role", "load", "kperf-runner"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"], "verbs": ["get"]},
    ]
    assert [
        rule["resourceNames"] for rule in found["Role", "default", "load-kperf-runner"]["rules"]
    ] == [["x"], ["y"]]
    binding = found["RoleBinding", "default", "load-kperf-runner"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "kperf-runner", "namespace": "load"}
    ]
    assert binding["roleRef"]["name"] == "load-kperf-runner"


def test_our_own_role_is_the_one_that_all_tests_run_with() -> None:
    example = {
        (manifest["kind"], manifest["metadata"]["name"]): manifest
        for manifest in yaml.safe_load_all(EXAMPLE.read_text())
    }
    ours = {manifest["kind"]: manifest for manifest in _any(own_rbac("load"))}
    assert ours["Role"] == example["Role", "mrunners"]
    assert ours["RoleBinding"] == example["RoleBinding", "mrunners"]
    assert ours["ClusterRole"]["rules"] == example["ClusterRole", "mrunners"]["rules"]


def test_profiles_in_other_namespaces_may_be_read() -> None:
    manifests = _any(own_rbac("load", [("load", "mine"), ("shared", "mixed")]))
    (role,) = [m for m in manifests if m["metadata"].get("namespace") == "shared" and "rules" in m]
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["mixed"],
            "verbs": ["get"],
        }
    ]


def _any(manifests: list[Any]) -> list[Any]:
    return manifests
