"""The manifest of one runner's Job, whole, from the plan.

It must not decide anything that the plan does not say, nor talk to a cluster.
"""

from __future__ import annotations

from collections.abc import Collection

from mrunners.plan.metadata import (
    ANNOTATION_DIGEST,
    ANNOTATION_URI,
    CONTAINER,
    LABEL_RUN_ID,
    LABEL_RUNNER,
    Component,
    Manifest,
    common_labels,
    owner_references,
)
from mrunners.plan.plan import PlannedJob, RunPlan, Spread, digest_of
from mrunners.plan.tracker import profile_key
from mrunners.reports.runner_script import runner_command

__all__ = ["dropped_fields", "job_digest", "job_manifest"]

HOSTNAME = "kubernetes.io/hostname"

# "nobody" of distroless images; any UID but 0 does, since the image's files are world-readable.
RUNNER_UID = 65532

# kperf ends on TERM at once; the script then only prints that there is no report.
GRACE_SECONDS = 5

# What a runner of a few hundred requests a second was seen to use. There are no limits: a CPU
# limit throttles the load generator and so bends the very latencies it measures.
REQUESTS = {"cpu": "100m", "memory": "128Mi"}

# Guarantees that an old API server drops silently, with what is then no longer true.
_GUARANTEES = {
    "completionMode": "pods are not told apart by index, so reports cannot be matched",
    "backoffLimitPerIndex": "one failing pod ends its siblings and their reports are lost",
    "podReplacementPolicy": "a drained pod is replaced at once and both load the cluster",
}


def job_manifest(
    plan: RunPlan, job: PlannedJob, *, profile_place: str, tracker_uid: str
) -> Manifest:
    """The Job of one runner URI.

    Args:
        plan: the run as decided.
        job: one of its Jobs.
        profile_place: the ConfigMap that holds the Job's profile.
        tracker_uid: the UID of the tracker that owns the Job.
    """
    labels = common_labels(plan, Component.RUNNER) | {LABEL_RUNNER: str(job.index)}
    spec = _job_spec(plan, job, labels, profile_place)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job.name,
            "namespace": plan.namespace,
            "labels": labels,
            "annotations": {ANNOTATION_URI: job.uri, ANNOTATION_DIGEST: digest_of(spec)},
            "ownerReferences": owner_references(plan.tracker, tracker_uid),
        },
        "spec": spec,
    }


def job_digest(manifest: Manifest) -> str:
    """The digest of a Job's spec as sent, by which an existing Job is known as ours."""
    return digest_of(manifest["spec"])


def dropped_fields(returned_fields: Collection[str]) -> list[str]:
    """What an API server left out of a Job's spec that a run relies on, one line each.

    Old servers answer 201 and drop the fields that they do not know.
    """
    return [
        f"this API server ignores spec.{field} of Jobs: {consequence}"
        for field, consequence in _GUARANTEES.items()
        if field not in returned_fields
    ]


def _job_spec(
    plan: RunPlan, job: PlannedJob, labels: dict[str, str], profile_place: str
) -> dict[str, object]:
    return {
        "completionMode": "Indexed",
        "completions": job.pod_count,
        "parallelism": job.pod_count,
        # One pod's failure is its own: with backoffLimit its siblings would be deleted.
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
        "template": {
            "metadata": {"labels": labels, "annotations": {ANNOTATION_URI: job.uri}},
            "spec": _pod_spec(plan, job, profile_place),
        },
    }


def _pod_spec(plan: RunPlan, job: PlannedJob, profile_place: str) -> dict[str, object]:
    spec: dict[str, object] = {
        "restartPolicy": "Never",
        "serviceAccountName": plan.service_account,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUNNER_UID,
            "runAsGroup": RUNNER_UID,
            "fsGroup": RUNNER_UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(plan, job)],
        "volumes": [
            {
                "name": "profile",
                "configMap": {
                    "name": profile_place,
                    "items": [
                        {"key": profile_key(job.profile_digest), "path": "load_profile.yaml"}
                    ],
                },
            },
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return spec | _spread(plan)


def _container(plan: RunPlan, job: PlannedJob) -> dict[str, object]:
    return {
        "name": CONTAINER,
        "image": plan.image,
        "command": runner_command(plan.report_mode),
        "env": [
            {"name": "MRUNNERS_RUN_ID", "value": plan.run_id},
            {"name": "MRUNNERS_JOB", "value": job.name},
            {
                "name": "MRUNNERS_POD",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
            },
            {"name": "MRUNNERS_LOG_LIMIT_BYTES", "value": str(plan.node_log_limit_bytes)},
        ],
        "resources": {"requests": dict(REQUESTS)},
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


def _spread(plan: RunPlan) -> dict[str, object]:
    """How the scheduler lays out the pods of the whole run, not of one Job alone."""
    ours = {"matchLabels": {LABEL_RUN_ID: plan.run_id}}
    match plan.spread:
        case Spread.PREFER:
            return {
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": HOSTNAME,
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": ours,
                        # By default a tainted node counts as an empty domain.
                        "nodeTaintsPolicy": "Honor",
                    }
                ]
            }
        case Spread.REQUIRE:
            # A hard spread still doubles up once every node has one; anti-affinity never does.
            return {
                "affinity": {
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {"labelSelector": ours, "topologyKey": HOSTNAME}
                        ]
                    }
                }
            }
        case Spread.OFF:
            return {}
