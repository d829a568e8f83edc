"""Files of kperf's users: runner groups, run as they are, with what they say beside the load."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml

from tests.cluster.commands import Finished
from tests.cluster.env import KPERF, Env

NODES = ("host-2", "host-3")
POOL = "pool.example.com/runners"

# The shapes of kperf 0.3.5's own files: lists and GETs of several groups without a total; a total
# with all settings, pages and field selectors; several specs with durations; and patches. The last
# is in the spelling up to kperf 0.3.4.
GROUPS = {
    "mixed": """\
# Reads of two API groups.
count: 3
serviceAccount: group-runner
loadProfile:
  version: 1
  description: "mixed reads"
  specs:
    - rate: 100
      conns: 3
      client: 3
      contentType: json
      requests:
        - staleList:
            version: v1
            resource: pods
            namespace: default
          shares: 10
        - staleGet:
            version: v1
            resource: configmaps
            namespace: default
            name: kube-root-ca.crt
          shares: 300
        - staleList:
            group: batch
            version: v1
            resource: jobs
            namespace: default
          shares: 10
        - staleGet: # cluster scope
            version: v1
            resource: nodes
            name: host-1
          shares: 300
""",
    "paged": """\
count: 2
nodeAffinity:
  pool.example.com/runners: [small, large]
serviceAccount: group-runner
loadProfile:
  version: 1
  description: "paged lists"
  specs:
    - rate: 20
      total: 40
      conns: 2
      client: 10
      contentType: json
      disableHTTP2: false
      maxRetries: 0
      requests:
        - staleList:
            version: v1
            resource: pods
            fieldSelector: "spec.nodeName=host-1"
          shares: 1000 # most of them
        - quorumList:
            version: v1
            resource: events
            limit: 100
          shares: 200
""",
    "phases": """\
count: 1
serviceAccount: group-runner
loadProfile:
  version: 1
  description: "phases"
  specs:
    - rate: 10
      duration: 3
      conns: 2
      client: 2
      contentType: json
      requests:
        - staleList: {version: v1, resource: namespaces}
          shares: 1
    - rate: 10
      duration: 2
      conns: 2
      client: 2
      contentType: json
      requests:
        - quorumGet: {version: v1, resource: nodes, name: host-1}
          shares: 1
""",
    "patches": """\
count: 2
serviceAccount: group-runner
loadProfile:
  version: 1
  description: "reads and updates"
  specs:
    - rate: 20
      total: 30
      conns: 2
      client: 2
      contentType: json
      disableHTTP2: false
      maxRetries: 0
      requests:
        - patch:
            version: v1
            resource: configmaps
            namespace: NAMESPACE
            patchType: merge
            name: patched
            keySpaceSize: 2
            body: |
              {
                "metadata": {"labels": {"seen": "yes"}}
              }
          shares: 50
""",
    "old": """\
count: 1
serviceAccount: group-runner
loadProfile:
  version: 1
  description: "old spelling"
  spec:
    rate: 20
    total: 20
    conns: 1
    client: 1
    requests:
      - quorumList:
          version: v1
          resource: pods
          namespace: default
          limit: 100
          seletor: "app=runner"
        shares: 1
""",
}
COUNTS = {"mixed": 3, "paged": 2, "phases": 1, "patches": 2, "old": 1}


@pytest.fixture
def group_env(env: Env) -> Env:
    """A namespace whose ServiceAccount group-runner has the rights that kperf's runners have."""
    account = {"kind": "ServiceAccount", "name": "group-runner", "namespace": env.namespace}
    role = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin",
    }
    env.kubectl.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named("group-runner", env)},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"group-runner-{env.namespace}"},
            "roleRef": role,
            "subjects": [account],
        },
    )
    for number in range(2):
        env.config_map(f"patched-{number}", value="x")
    for node in NODES:
        env.kubectl("label", "node", node, f"{POOL}=small", "--overwrite")
    return env


def _named(name: str, env: Env) -> dict[str, str]:
    return {"name": name, "namespace": env.namespace}


def _uri(env: Env, name: str) -> str:
    """Write a group as it is; return its URI, which leaves the number of pods to it."""
    path = env.folder / f"{name}.yaml"
    path.write_text(GROUPS[name].replace("NAMESPACE", env.namespace))
    return f"file://{path}"


def _run(env: Env, uris: list[str], *options: str) -> Finished:
    runners = [word for uri in uris for word in ("--runners", uri)]
    where = ("run", "--namespace", env.namespace, "--runner-image", KPERF)
    return env.mrunners(*where, *runners, *options)


def _attempts(runner: Any) -> int:
    """How many requests a runner's pods sent."""
    return sum(pod["samples"] + pod["errors"] for pod in runner["pods"])


def _profiles(env: Env) -> list[Any]:
    """The load profiles as the pods of the run get them."""
    (tracker,) = env.kubectl.objects("configmaps", "--field-selector=metadata.name=mrunners")
    texts = [text for key, text in tracker["data"].items() if key != "plan.json"]
    return [yaml.safe_load(text) for text in texts]


def _quorum_lists(profile: Any) -> list[Any]:
    requests = [request for spec in profile["specs"] for request in spec["requests"]]
    return [request["quorumList"] for request in requests if "quorumList" in request]


def test_runner_groups_run_unedited_with_their_counts_accounts_and_nodes(group_env: Env) -> None:
    env = group_env
    done = _run(env, [_uri(env, name) for name in GROUPS], "--wait")
    assert done.stdout == "mrunners\n", done.stderr
    pods = env.kubectl.objects("pods")
    jobs = [pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] for pod in pods]
    assert Counter(jobs) == {f"mrunners-{index}": COUNTS[name] for index, name in enumerate(GROUPS)}
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == {"group-runner"}
    paged = [pod for pod, job in zip(pods, jobs, strict=True) if job == "mrunners-1"]
    assert {pod["spec"]["nodeName"] for pod in paged} <= set(NODES)
    report = env.mrunners("result", env.namespace).report
    assert report["coverage"]["missing"] == []
    assert report["errorStats"] == {}
    sent = dict(zip(GROUPS, map(_attempts, report["runners"]), strict=True))
    # A duration at a rate is an upper bound: 5 s at 10 requests/s.
    assert 0 < sent.pop("phases") <= 52
    # Without a total, kperf sends 1,000 requests.
    assert sent == {"mixed": 3 * 1000, "paged": 2 * 40, "patches": 2 * 30, "old": 20}
    # What kperf does without it looks the same from here: the pods' profile must have it.
    lists = [one for profile in _profiles(env) for one in _quorum_lists(profile)]
    spelled = [(one["selector"], one["seletor"]) for one in lists if one["resource"] == "pods"]
    assert spelled == [("app=runner", "app=runner")]


def test_a_run_overrides_the_load_of_groups_and_says_so_in_its_report(group_env: Env) -> None:
    env = group_env
    uris = [_uri(env, "mixed"), f"{_uri(env, 'paged')}?numbers=1"]
    done = _run(env, uris, "--wait", "--total", "15", "--rate", "0")
    assert done.stdout == "mrunners\n", done.stderr
    assert "count: 2 of the runner group is not used, because the URI has numbers=1" in done.stderr
    loads = [(one["spec"]["total"], one["spec"]["rate"]) for one in _profiles(env)]
    assert loads == [(15, 0)] * 2
    report = env.mrunners("result", env.namespace).report
    assert [_attempts(runner) for runner in report["runners"]] == [3 * 15, 15]
    assert report["notes"][0] == (
        "mrunners-0, mrunners-1: the run overrode its load profile with total 15, rate 0"
    )


def test_several_specs_cannot_be_overridden_and_nothing_is_created(group_env: Env) -> None:
    env = group_env
    uri = _uri(env, "phases")
    done = _run(env, [uri], "--total", "15")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: runner 1 of 1 ({uri}): loadProfile: the load profile has 2 specs, so the run "
        "cannot override them with total 15: kperf allows it for a single spec; change the profile "
        "instead\n"
    )
    assert env.kubectl.names("jobs") == set()
