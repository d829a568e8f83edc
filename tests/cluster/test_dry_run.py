"""`run --dry-run`: manifests that the real API server takes, and nothing created."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from tests.cluster.env import Env

MODES = [
    [],
    ["--spread", "require", "--report", "plain"],
    ["--spread", "off", "--node-log-limit", "50Mi", "--tracker", "other"],
]


def _manifests(env: Env, options: Sequence[str]) -> list[Any]:
    uris = (env.quick(2), env.slow(3))
    done = env.run(*uris, options=["--dry-run", *options])
    assert (done.code, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("options", MODES, ids=["usual", "require-plain", "off"])
def test_the_api_server_takes_every_manifest_and_its_pods_under_restricted(
    env: Env, options: list[str]
) -> None:
    manifests = _manifests(env, options)
    assert [manifest["kind"] for manifest in manifests] == ["ConfigMap", "Job", "Job"]
    for manifest in manifests:
        words = ["--dry-run=server", "--validate=strict", "--filename=-"]
        applied = env.kubectl.attempt("apply", *words, stdin=json.dumps(manifest))
        assert (applied.code, applied.stderr) == (0, "")
    for job in manifests[1:]:
        # Pod Security judges pods; a Job alone passes anyway.
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "probe", "namespace": env.namespace},
            "spec": job["spec"]["template"]["spec"],
        }
        created = env.kubectl.attempt("create", *words, stdin=json.dumps(pod))
        assert (created.code, created.stderr) == (0, "")
    assert env.kubectl.names("jobs,pods") == set()
    assert env.kubectl.names("configmaps") == {"kube-root-ca.crt"}


def test_the_namespace_would_refuse_a_pod_that_is_not_restricted(env: Env) -> None:
    job = _manifests(env, [])[1]
    spec = job["spec"]["template"]["spec"]
    del spec["securityContext"]["seccompProfile"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}
    words = ["create", "--dry-run=server", "--filename=-"]
    refused = env.kubectl.attempt(*words, stdin=json.dumps(pod))
    assert refused.code != 0
    assert 'violates PodSecurity "restricted:latest": seccompProfile' in refused.stderr


def test_what_is_created_is_what_was_shown(env: Env) -> None:
    shown = _manifests(env, [])[1:]
    assert env.run(env.quick(2), env.slow(3)).code == 0
    created = env.kubectl.objects("jobs")
    digest = "mrunners.dev/digest"
    assert [job["metadata"]["name"] for job in created] == ["mrunners-0", "mrunners-1"]
    # Only the run ID differs, which is given when a run is created, and the spread names it.
    for before, after in zip(shown, created, strict=True):
        run_id = after["metadata"]["labels"]["mrunners.dev/run-id"]
        placeholder = before["metadata"]["labels"]["mrunners.dev/run-id"]
        expected = json.loads(json.dumps(before["spec"]).replace(placeholder, run_id))
        assert _within(expected, after["spec"])
        assert digest in after["metadata"]["annotations"]


def _within(part: Any, whole: Any) -> bool:
    """Whether everything in `part` is in `whole`, which has the API server's defaults too."""
    if isinstance(part, dict):
        return all(key in whole and _within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole)
