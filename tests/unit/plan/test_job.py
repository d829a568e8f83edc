from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mrunners.plan.job import job_digest, job_manifest
from mrunners.plan.plan import digest_of
from mrunners.plan.planning import plan_run
from mrunners.plan.pod_template import read_pod_template
from mrunners.reports.part_script import part_command
from mrunners.reports.runner_script import ReportMode, runner_command
from tests.fakes import Raw
from tests.unit.env import IMAGE, RUN_ID, loaded, options, planned, uris

URI = "file:///load/1.yaml?numbers=3"
LABELS = {
    "app.kubernetes.io/name": "mrunners",
    "app.kubernetes.io/managed-by": "mrunners",
    "app.kubernetes.io/component": "runner",
    "mrunners.dev/tracker": "mrunners",
    "mrunners.dev/run-id": RUN_ID,
    "mrunners.dev/runner": "1",
}
PODS_OF_RUN = {"matchLabels": {"mrunners.dev/run-id": RUN_ID}}
PREFER = {
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": PODS_OF_RUN,
            "nodeTaintsPolicy": "Honor",
        }
    ]
}
PLATFORM = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {
                    "matchExpressions": [
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                    ]
                }
            ]
        }
    }
}
REQUIRE = {
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": PODS_OF_RUN, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    }
}
PLAIN_COMMAND = [
    "/kperf",
    "-v=0",
    "runner",
    "run",
    "--config=/config/load_profile.yaml",
    "--raw-data",
]


def manifest_of(**changes: str) -> Raw:
    run = planned(2, 3, **changes)
    job = run.plan.jobs[1]
    return job_manifest(run.plan, job, profile_config_map="mrunners", tracker_uid="tracker-uid")


def expected(
    spread: Mapping[str, Any],
    *,
    command: list[str],
    account: str = "default",
    limit: str = "10485760",
) -> Raw:
    digest = planned(2, 3).plan.jobs[1].profile_digest
    container = {
        "name": "runner",
        "image": IMAGE,
        "command": command,
        "env": [
            {"name": "MRUNNERS_RUN_ID", "value": RUN_ID},
            {"name": "MRUNNERS_JOB", "value": "mrunners-1"},
            {"name": "MRUNNERS_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "MRUNNERS_LOG_LIMIT_BYTES", "value": limit},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "profile", "mountPath": "/config", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    item = {"key": f"profile-{digest[:16]}.yaml", "path": "load_profile.yaml"}
    pod: dict[str, object] = {
        "restartPolicy": "Never",
        "serviceAccountName": account,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "profile", "configMap": {"name": "mrunners", "items": [item]}},
            {"name": "tmp", "emptyDir": {}},
        ],
        **spread,
        "affinity": {**spread.get("affinity", {}), **PLATFORM},
    }
    spec = {
        "completionMode": "Indexed",
        "completions": 3,
        "parallelism": 3,
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
        "template": {
            "metadata": {"labels": LABELS, "annotations": {"mrunners.dev/runner-uri": URI}},
            "spec": pod,
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "mrunners-1",
            "namespace": "load",
            "labels": LABELS,
            "annotations": {
                "mrunners.dev/runner-uri": URI,
                "mrunners.dev/digest": digest_of(spec),
            },
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "name": "mrunners",
                    "uid": "tracker-uid",
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("spread", "fields"), [("prefer", PREFER), ("require", REQUIRE), ("off", {})]
)
def test_a_framed_job_is_this_whole_manifest(spread: str, fields: Mapping[str, Any]) -> None:
    assert manifest_of(spread=spread) == expected(fields, command=runner_command(ReportMode.FRAMED))


def test_a_plain_job_runs_kperf_alone() -> None:
    assert manifest_of(report="plain") == expected(PREFER, command=PLAIN_COMMAND)


def test_the_service_account_and_the_log_limit_come_from_the_options() -> None:
    manifest = manifest_of(service_account="loader", node_log_limit="50Mi")
    framed = runner_command(ReportMode.FRAMED)
    assert manifest == expected(PREFER, command=framed, account="loader", limit="52428800")


def test_pods_that_start_together_know_the_second() -> None:
    run = planned(1, start_delay="1500ms")
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    moment = run.plan.start_at(created)
    assert moment == datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)
    manifests: list[Any] = [
        job_manifest(
            run.plan, run.plan.jobs[0], profile_config_map="p", tracker_uid="u", start_at=start_at
        )
        for start_at in (None, moment)
    ]
    usual, together = (m["spec"]["template"]["spec"]["containers"][0]["env"] for m in manifests)
    assert together == [
        *usual,
        {"name": "MRUNNERS_START_AT", "value": "1767323047"},
        {"name": "MRUNNERS_START_DELAY", "value": "2"},
    ]
    assert planned(1).plan.start_at(created) is None


RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def test_each_further_log_of_a_report_is_that_of_a_small_native_sidecar() -> None:
    one, three = (manifest_of(report_logs=logs)["spec"]["template"]["spec"] for logs in "13")
    sidecars = three.pop("initContainers")
    assert sidecars == [
        {
            "name": name,
            "image": IMAGE,
            "securityContext": RESTRICTED,
            "command": part_command(name),
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
        for name in ("report-2", "report-3")
    ]
    assert three["containers"][0]["env"].pop() == {"name": "MRUNNERS_REPORT_LOGS", "value": "3"}
    assert three == one


def test_sidecars_have_limits_where_the_runner_has_and_what_a_template_says_of_them() -> None:
    requested = options(report_logs="2", memory_limit="1Gi", image_pull_policy="Always")
    text = (
        b"spec: {containers: [{name: runner, securityContext: {runAsUser: 7}}], initContainers: ["
        b"{name: report-2, resources: {requests: {cpu: 50m}}}, {name: mesh, image: m}]}"
    )
    template = read_pod_template(text)
    runners = [loaded(uri) for uri in requested.runners]
    plan = plan_run(requested, runners, run_key="k", pod_template=template).plan
    manifest: Any = job_manifest(plan, plan.jobs[0], profile_config_map="p", tracker_uid="u")
    assert manifest["spec"]["template"]["spec"]["initContainers"] == [
        {
            "name": "report-2",
            "image": IMAGE,
            "imagePullPolicy": "Always",
            "securityContext": {**RESTRICTED, "runAsUser": 7},
            "command": part_command("report-2"),
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "32Mi"}},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        },
        {"name": "mesh", "image": "m"},
    ]


@pytest.mark.parametrize("spread", ["prefer", "require", "off"])
def test_a_runner_groups_nodes_and_account_are_those_of_its_job_alone(spread: str) -> None:
    group = {"node_affinity": {"pool": ("a", "b"), "kperf": ("true",)}, "service_account": "own"}
    runners = [loaded(uri) for uri in uris(1, 1)]
    runners[0] = runners[0].model_copy(update=group)
    plan = plan_run(options(spread=spread), runners, run_key="k").plan
    first, second = (
        job_manifest(plan, job, profile_config_map="p", tracker_uid="u")["spec"]
        for job in plan.jobs
    )
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    pod, other = first["template"]["spec"], second["template"]["spec"]
    assert pod["affinity"].pop("nodeAffinity") == {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {
                    "matchExpressions": [
                        {"key": "pool", "operator": "In", "values": ["a", "b"]},
                        {"key": "kperf", "operator": "In", "values": ["true"]},
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                    ]
                }
            ]
        }
    }
    assert other["affinity"].pop("nodeAffinity") == PLATFORM["nodeAffinity"]
    assert pod.pop("affinity") == other.pop("affinity")
    assert (pod["serviceAccountName"], other["serviceAccountName"]) == ("own", "default")
    assert set(pod) == set(other)


def test_a_job_mounts_its_profile_from_the_config_map_that_holds_it() -> None:
    run = planned(2, 3)
    job = job_manifest(
        run.plan, run.plan.jobs[1], profile_config_map="mrunners-profiles-1", tracker_uid="u"
    )
    spec = job["spec"]
    assert isinstance(spec, dict)
    profile_volume = spec["template"]["spec"]["volumes"][0]
    assert profile_volume["configMap"]["name"] == "mrunners-profiles-1"


def restricted_problems(pod: Raw) -> list[str]:
    """Return how a pod violates the Pod Security level `restricted`, by its documentation."""
    problems = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    context = pod["securityContext"]
    problems += [] if context["seccompProfile"]["type"] == "RuntimeDefault" else ["seccomp"]
    problems += [] if context["runAsNonRoot"] and context["runAsUser"] else ["root"]
    allowed = {"configMap", "emptyDir", "projected", "secret", "downwardAPI", "csi", "ephemeral"}
    for volume in pod["volumes"]:
        problems += sorted(set(volume) - allowed - {"name"})
    for container in pod["containers"]:
        security_context = container["securityContext"]
        problems += [] if security_context["allowPrivilegeEscalation"] is False else ["escalation"]
        problems += (
            [] if security_context["capabilities"] == {"drop": ["ALL"]} else ["capabilities"]
        )
        problems += ["ports"] if "ports" in container else []
    return problems


def test_the_pod_passes_pod_security_restricted() -> None:
    assert restricted_problems(manifest_of()["spec"]["template"]["spec"]) == []


def test_the_digest_depends_on_the_spec_and_on_nothing_else() -> None:
    run = planned(2, 3)
    first, second = run.plan.jobs
    digests = {
        job_digest(job_manifest(run.plan, job, profile_config_map="p", tracker_uid=uid))
        for job, uid in ((first, "a"), (first, "b"), (second, "a"))
    }
    assert len(digests) == 2
    assert job_digest(manifest_of(spread="off")) != job_digest(manifest_of())
