"""Lets the API server judge a run's objects before anything is created, or deleted for it.

A Job is accepted whatever its pods are: quotas that demand limits, LimitRanges, Pod Security and
most policies refuse the pods only, one by one, while the run is thought to be starting. So a pod as
the Job controller would create it is judged too, where pods may be created.
"""

from __future__ import annotations

import time
from copy import deepcopy
from http import HTTPStatus

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    NextStep,
    UnreachableError,
)
from mrunners.kube.api import Cluster
from mrunners.kube.retry import request_deadline
from mrunners.plan.job import job_manifest
from mrunners.plan.metadata import Manifest
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.tracker import assign_profiles, tracker_manifest
from mrunners.run.preflight import RunAction
from mrunners.status.pod_remedies import remedies

__all__ = ["dry_run", "dry_run_jobs"]

# The owners do not exist yet, and the API server does not look for them.
_NO_UID = "00000000-0000-0000-0000-000000000000"

# A webhook for pods that is away keeps the pods from starting, and not us from asking.
_PODS_SECONDS = 10.0

# A webhook that has side effects; the real request may pass.
_NOT_SUPPORTED = "does not support dry run"

# May be over when the pods are created; the Job controller tries again.
_PASSING = "exceeded quota"


def dry_run(cluster: Cluster, action: RunAction) -> None:
    """Let the API server judge all that a new run creates, before anything that takes long begins.

    Raises:
        InvalidInputError: The namespace does not exist, or the pod template or an option is wrong.
        ClusterError: The tracker, its Jobs or their pods may not be created.
    """
    if action.resumes is not None:
        return
    plan, profiles = action.planned.plan, action.planned.profiles
    try:
        cluster.dry_run_config_map(plan.namespace, tracker_manifest(plan, profiles))
    except ApiStatusError as error:
        if _NOT_SUPPORTED not in str(error):
            raise
    dry_run_jobs(cluster, action)


def dry_run_jobs(cluster: Cluster, action: RunAction) -> None:
    """Let the API server judge a new run's first Job, and a pod of each ServiceAccount.

    Raises:
        InvalidInputError: The pod template or an option is wrong.
        ClusterError: Jobs or their pods may not be created.
    """
    if action.resumes is not None:
        return
    plan = action.planned.plan
    config_maps = assign_profiles(plan, action.planned.profiles)
    by_account: dict[str | None, PlannedJob] = {}
    for job in plan.jobs:
        by_account.setdefault(job.service_account, job)
    for job in by_account.values():
        manifest = job_manifest(
            plan, job, profile_config_map=config_maps[job.profile_digest], tracker_uid=_NO_UID
        )
        if job == plan.jobs[0]:
            _judge_job(cluster, plan, manifest)
        _judge_pod(cluster, plan, job, manifest)


def _judge_job(cluster: Cluster, plan: RunPlan, manifest: Manifest) -> None:
    try:
        cluster.dry_run_job(plan.namespace, manifest)
    except ApiStatusError as error:
        text = str(error)
        if _NOT_SUPPORTED in text or _PASSING in text:
            return
        given = plan.pods != PodSettings(platform=plan.pods.platform)
        wrong = error.status == HTTPStatus.UNPROCESSABLE_ENTITY or "strict decoding" in text
        if given and wrong:
            raise InvalidInputError(
                f"the Jobs are not valid with the pod template and options given: {text}"
            ) from error
        raise error.suggest(plan.ref, *_steps(text)) from error


def _judge_pod(cluster: Cluster, plan: RunPlan, job: PlannedJob, manifest: Manifest) -> None:
    deadline = time.monotonic() + _PODS_SECONDS
    try:
        with request_deadline(deadline, time.monotonic):
            cluster.dry_run_pod(plan.namespace, _first_pod(manifest))
    except (ForbiddenError, UnreachableError):
        return  # the first event of the Job tells
    except ApiStatusError as error:
        text = str(error)
        if _NOT_SUPPORTED in text or _PASSING in text:
            return
        refused = ApiStatusError(
            f"the pods of runner {job.index + 1} of {len(plan.jobs)} ({job.uri}) would be refused: "
            f"{text}",
            status=error.status,
            reason=error.reason,
        )
        raise refused.suggest(plan.ref, *_steps(text)) from error


def _first_pod(manifest: Manifest) -> Manifest:
    """Return the pod of completion index 0, as the Job controller creates it."""
    job = deepcopy(manifest)
    metadata, spec = job["metadata"], job["spec"]
    assert isinstance(metadata, dict)
    assert isinstance(spec, dict)
    pod: Manifest = spec["template"]
    of_pod = pod["metadata"]
    assert isinstance(of_pod, dict)
    name = metadata["name"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": _NO_UID}
    of_job = {
        "batch.kubernetes.io/controller-uid": _NO_UID,
        "batch.kubernetes.io/job-name": name,
        "batch.kubernetes.io/job-completion-index": "0",
        "controller-uid": _NO_UID,
        "job-name": name,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **of_pod,
            "name": f"{name}-0-dry-run",
            "namespace": metadata["namespace"],
            "labels": {**of_pod["labels"], **of_job},
            "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": False}],
        },
        "spec": pod["spec"],
    }


def _steps(text: str) -> tuple[NextStep, ...]:
    return remedies("FailedCreate", text)
