"""`mrunners rbac`: a run works with exactly what it prints."""

from __future__ import annotations

from dataclasses import replace

import yaml

from tests.cluster.env import Env, profile_text


def test_runners_with_the_printed_roles_send_all_their_requests_and_may_do_nothing_else(
    env: Env,
) -> None:
    load = env.file("load", profile_text(total=100), 2)
    words = ["rbac", "-n", env.namespace, "--runners", load, "--service-account", "smallest"]
    printed = env.as_admin.mrunners(*words)
    assert (printed.code, printed.stderr) == (0, "")
    manifests = list(yaml.safe_load_all(printed.stdout))
    of_runners = [m for m in manifests if m["metadata"]["name"].endswith("smallest")]
    assert {m["kind"] for m in of_runners} == {
        "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    }  # fmt: skip
    kubectl = replace(env.kubectl, namespace="")  # the roles are in several
    kubectl.apply(*of_runners)
    try:
        run = env.run(load, options=["--wait", "--service-account", "smallest"])
        assert run.code == 0, run.stderr
        report = env.mrunners("result", env.namespace).report
        assert (report["total"], report["errorStats"]) == (200, {})
        subject = f"system:serviceaccount:{env.namespace}:smallest"

        def may(*what: str) -> bool:
            answer = kubectl.attempt("auth", "can-i", *what, f"--as={subject}")
            return answer.stdout.strip() == "yes"

        assert may("get", "configmaps/kube-root-ca.crt", "--namespace=default")
        assert not may("get", "configmaps/another", "--namespace=default")
        assert not may("list", "pods", f"--namespace={env.namespace}")
    finally:
        for manifest in of_runners:
            kind, metadata = manifest["kind"].lower(), manifest["metadata"]
            if metadata.get("namespace") != env.namespace:  # which is deleted as a whole
                place = metadata.get("namespace", "default")
                kubectl("delete", kind, metadata["name"], f"--namespace={place}")


def test_a_wrong_profile_is_told_and_nothing_is_printed(env: Env) -> None:
    load = env.file("load", "version: 1\n", 1)
    printed = env.as_admin.mrunners("rbac", "-n", env.namespace, "--runners", load)
    assert (printed.code, printed.stdout) == (2, "")
    assert "specs" in printed.stderr
