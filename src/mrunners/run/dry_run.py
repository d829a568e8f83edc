"""Lets the API server judge a run's objects before anything is created, or deleted for it.

A Job is accepted whatever its pods are: quotas that demand limits, LimitRanges, Pod Security and
most policies refuse the pods only, one by one, while the run is thought to be starting. So a pod as
the Job controller would create it is judged too, where pods may be created. But it is the user who
asks then: a policy that says nothing of a field of the pod may be about who creates it, and a run
is only warned of it.
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
from mrunners.kube.responses import is_of_policy
from mrunners.kube.retry import request_deadline
from mrunners.plan.job import job_manifest
from mrunners.plan.metadata import Manifest
from mrunners.plan.plan import PlannedJob, RunPlan
from mrunners.plan.pod_options import PodSettings
from mrunners.plan.tracker import assign_profiles, tracker_manifest
from mrunners.run.observer import RunObserver
from mrunners.run.preflight import RunAction
from mrunners.status.pod_remedies import remedies

__all__ = ["dry_run", "dry_run_jobs"]

# The owners do not exist yet, and the API server does not look for them.
_NO_UID = "00000000-0000-0000-0000-000000000000"

# A webhook for pods that is away keeps the pods from starting, and not us from asking.
_PODS_SECONDS = 10.0

# A webhook that has side effects; the real request may pass.
_NOT_SUPPORTED = "does not support dry run"

# May be over when the objects are created; the Job controller tries again.
_PASSING = "exceeded quota"

# The admission plugin OwnerReferencesPermissionEnforcement asks for rights on the owner, as which
# the Job is named that does not exist.
_NO_OWNER = ("cannot set an ownerRef", "cannot set blockOwnerDeletion")

# What the API server answers about an object that is none, or is not valid.
_WRONG = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


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
        # The run that is replaced is deleted before its successor is created.
        full = action.replaces is not None and _PASSING in str(error)
        if not full and _NOT_SUPPORTED not in str(error):
            raise
    dry_run_jobs(cluster, action)


def dry_run_jobs(cluster: Cluster, action: RunAction, observer: RunObserver | None = None) -> None:
    """Let the API server judge a new run's first Job, and a pod of each ServiceAccount.

    Args:
        cluster: The cluster.
        action: What `preflight` has returned.
        observer: Is warned of what may refuse the pods; None where a caller will ask again.

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
    manifests = {
        job.index: job_manifest(
            plan,
            job,
            profile_config_map=config_maps[job.profile_digest],
            tracker_uid=_NO_UID,
            start_at=plan.start_at(cluster.now()),
        )
        for job in by_account.values()
    }
    _judge_job(cluster, plan, manifests[plan.jobs[0].index])
    for job in by_account.values():
        if not _judge_pod(cluster, plan, job, manifests[job.index], observer):
            return


def _judge_job(cluster: Cluster, plan: RunPlan, manifest: Manifest) -> None:
    try:
        cluster.dry_run_job(plan.namespace, manifest)
    except ApiStatusError as error:
        text = str(error)
        if _NOT_SUPPORTED in text or _PASSING in text:
            return
        if _is_wrong_input(plan, error):
            raise InvalidInputError(
                f"the Jobs are not valid with the pod template and options given: {text}"
            ).suggest(plan.ref, *_steps(text)) from error
        raise error.suggest(plan.ref, *_steps(text)) from error


def _judge_pod(
    cluster: Cluster,
    plan: RunPlan,
    job: PlannedJob,
    manifest: Manifest,
    observer: RunObserver | None,
) -> bool:
    """Let the API server judge a pod; return whether it can be asked about others."""
    deadline = time.monotonic() + _PODS_SECONDS
    try:
        with request_deadline(deadline, time.monotonic):
            cluster.dry_run_pod(plan.namespace, _first_pod(manifest))
    except (ForbiddenError, UnreachableError):
        return False  # the first event of the Job tells
    except ApiStatusError as error:
        text = str(error)
        if any(passing in text for passing in (_NOT_SUPPORTED, _PASSING, *_NO_OWNER)):
            return True
        of_runner = f"the pods of runner {job.index + 1} of {len(plan.jobs)} ({job.uri})"
        steps = _steps(text)
        if is_of_policy(text) and not {*steps} - {NextStep.SET_TEMPLATE}:
            if observer is not None:
                observer.warn(
                    f"{of_runner} may be refused, unless the policy is about who creates them: "
                    f"{text}"
                )
            return True
        message = f"{of_runner} would be refused: {text}"
        if _is_wrong_input(plan, error):
            raise InvalidInputError(message).suggest(plan.ref, *steps) from error
        refused = ApiStatusError(message, status=error.status, reason=error.reason)
        raise refused.suggest(plan.ref, *steps) from error
    return True


def _is_wrong_input(plan: RunPlan, error: ApiStatusError) -> bool:
    """Whether an object is none because of what the user gave; a policy chooses its status."""
    given = plan.pods != PodSettings(platform=plan.pods.platform)
    return given and error.status in _WRONG and not is_of_policy(str(error))


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
    if "strict decoding error" in text:  # a misspelt field may look like one that has an option
        return ()
    return remedies("FailedCreate", text)
