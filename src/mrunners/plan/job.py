"""Builds the manifest of a runner's Job from the plan."""

from __future__ import annotations

import math
from datetime import datetime

from mrunners.plan.metadata import (
    ANNOTATION_CREATED_BEFORE,
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
from mrunners.plan.option_table import Spread
from mrunners.plan.plan import PlannedJob, RunPlan, digest_of
from mrunners.plan.pod_fit import fit_pod, metadata_of, with_report_logs
from mrunners.plan.tracker import profile_key
from mrunners.reports.runner_script import runner_command

__all__ = ["job_digest", "job_manifest"]

HOSTNAME = "kubernetes.io/hostname"

# The user "nonroot" of distroless images. Any UID but 0 works, because the files of the image are
# world-readable.
RUNNER_UID = 65532

# kperf exits on TERM at once, and the script then only prints that there is no report.
GRACE_SECONDS = 5

# What a runner of a few hundred requests per second uses (measured). There are no limits, because a
# CPU limit would throttle the load generator and distort the latencies that it measures.
REQUESTS = {"cpu": "100m", "memory": "128Mi"}


def job_manifest(
    plan: RunPlan,
    job: PlannedJob,
    *,
    profile_config_map: str,
    tracker_uid: str,
    start_at: datetime | None = None,
    created_before: int | None = None,
) -> Manifest:
    """Return the manifest of the Job for one runner URI.

    Args:
        plan: The run's plan.
        job: One of its Jobs.
        profile_config_map: The name of the ConfigMap that holds the Job's profile.
        tracker_uid: The UID of the tracker that owns the Job.
        start_at: When all pods of the run begin their load; None lets each begin at once.
        created_before: How many Jobs, from the first of the plan, exist already; None means all
            before this one, which is what a Job without a note of it says.
    """
    labels = common_labels(plan, Component.RUNNER) | {LABEL_RUNNER: str(job.index)}
    spec = _job_spec(plan, job, labels, profile_config_map, start_at)
    given = metadata_of(plan.pods)
    notes = {ANNOTATION_URI: job.uri, ANNOTATION_DIGEST: digest_of(spec)}
    if created_before is not None and created_before < job.index:
        notes[ANNOTATION_CREATED_BEFORE] = str(created_before)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job.name,
            "namespace": plan.namespace,
            "labels": given["labels"] | labels,
            "annotations": given["annotations"] | notes,
            "ownerReferences": owner_references(plan.tracker, tracker_uid),
        },
        "spec": spec,
    }


def job_digest(manifest: Manifest) -> str:
    """Return the digest of a Job's spec as sent, which tells whether an existing Job has it."""
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["annotations"][ANNOTATION_DIGEST])


def _job_spec(
    plan: RunPlan,
    job: PlannedJob,
    labels: dict[str, str],
    profile_config_map: str,
    start_at: datetime | None,
) -> dict[str, object]:
    pod = {
        "metadata": {"labels": labels, "annotations": {ANNOTATION_URI: job.uri}},
        "spec": _pod_spec(plan, job, profile_config_map, start_at),
    }
    return {
        "completionMode": "Indexed",
        "completions": job.pod_count,
        "parallelism": job.pod_count,
        # With backoffLimit, the failure of one pod would delete its siblings.
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
        "template": with_report_logs(fit_pod(pod, plan.pods), plan.report_logs),
    }


def _pod_spec(
    plan: RunPlan, job: PlannedJob, profile_config_map: str, start_at: datetime | None
) -> dict[str, object]:
    spec: dict[str, object] = {
        "restartPolicy": "Never",
        "serviceAccountName": job.service_account or plan.service_account,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUNNER_UID,
            "runAsGroup": RUNNER_UID,
            "fsGroup": RUNNER_UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(plan, job, start_at)],
        "volumes": [
            {
                "name": "profile",
                "configMap": {
                    "name": profile_config_map,
                    "items": [
                        {"key": profile_key(job.profile_digest), "path": "load_profile.yaml"}
                    ],
                },
            },
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    affinity = _node_affinity(job) | _pod_anti_affinity(plan)
    if affinity:
        spec["affinity"] = affinity
    return spec | _spread(plan)


def _container(plan: RunPlan, job: PlannedJob, start_at: datetime | None) -> dict[str, object]:
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
            *_report_logs(plan),
            *_common_start(plan, start_at),
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


def _report_logs(plan: RunPlan) -> list[dict[str, object]]:
    """Return into how many logs the report may be written; nothing for one, the default."""
    logs = plan.report_logs
    return [{"name": "MRUNNERS_REPORT_LOGS", "value": str(logs)}] if logs > 1 else []


def _common_start(plan: RunPlan, moment: datetime | None) -> list[dict[str, object]]:
    if moment is None:
        return []
    return [
        {"name": "MRUNNERS_START_AT", "value": f"{moment.timestamp():.0f}"},
        {"name": "MRUNNERS_START_DELAY", "value": str(math.ceil(plan.start_delay_seconds))},
    ]


def _node_affinity(job: PlannedJob) -> dict[str, object]:
    """Return the part of `affinity` that keeps the pods on nodes with certain labels."""
    if not job.node_affinity:
        return {}
    expressions = [
        {"key": key, "operator": "In", "values": list(values)} for key, values in job.node_affinity
    ]
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _pod_anti_affinity(plan: RunPlan) -> dict[str, object]:
    """Return the part of `affinity` that puts at most one pod of the run on a node."""
    if plan.spread is not Spread.REQUIRE:
        return {}
    # With a hard spread constraint, nodes get a second pod once each has one.
    term = {"labelSelector": _pods_of_run(plan), "topologyKey": HOSTNAME}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _spread(plan: RunPlan) -> dict[str, object]:
    """Return the field that spreads the pods of the whole run, not only of one Job, over nodes."""
    if plan.spread is not Spread.PREFER:
        return {}
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": HOSTNAME,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": _pods_of_run(plan),
                # By default a tainted node counts as an empty domain.
                "nodeTaintsPolicy": "Honor",
            }
        ]
    }


def _pods_of_run(plan: RunPlan) -> dict[str, object]:
    return {"matchLabels": {LABEL_RUN_ID: plan.run_id}}
