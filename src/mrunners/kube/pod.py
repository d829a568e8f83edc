"""The frozen record of a pod, made from raw JSON by a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mrunners.kube.payloads import Raw, optional_time, read_time, reason_and_message
from mrunners.plan.metadata import CONTAINER

__all__ = ["Pod"]

JOB_INDEX = "batch.kubernetes.io/job-completion-index"
JOB_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
# The Job controller takes it off once it has counted the pod.
JOB_FINALIZER = "batch.kubernetes.io/job-tracking"

# Reasons of an ended container that do not say why it ended.
_SAY_NOTHING = frozenset({None, "", "Completed", "Error", "ContainerStatusUnknown"})


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with the state of its runner container.

    Attributes:
        job_uid: The UID of the Job that controls it.
        job_name: The name of that Job, which the pod may outlive.
        index: The completion index; None for a pod that has none.
        waiting: The reason of a waiting container, such as ErrImagePull; of an init container
            that was injected, while the runner waits for it.
        waiting_message: The message that comes with it.
        unschedulable: The scheduler's message while no node fits.
        started: When the container started; None also if it could not be started.
        finished: When the container ended.
        exit_code: The exit code of an ended container.
        reason: Why the container ended, such as OOMKilled, or the pod, such as Evicted.
        message: What is said with that reason.
        disrupted: The reason and message of a true DisruptionTarget condition, such as
            DeletionByTaintManager.
        deleting: Whether its deletion has begun.
        deletion_due: When the grace period of its deletion ends.
        silent_since: Since when its node does not answer, although the container ran when it last
            did.
        other_containers: The names of the containers beside the runner that have not ended.
        resource_version: Of this state of the pod.
        image_id: The image that the runner container runs, with its digest; empty until it is
            known.
        finalizers: What keeps the pod from being deleted, except for the Job's own finalizer.
    """

    name: str
    uid: str
    job_uid: str | None
    index: int | None
    phase: str
    created: datetime
    node: str | None = None
    waiting: str = ""
    waiting_message: str = ""
    unschedulable: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    disrupted: str = ""
    deleting: bool = False
    deletion_due: datetime | None = None
    silent_since: datetime | None = None
    other_containers: tuple[str, ...] = ()
    finalizers: tuple[str, ...] = ()
    job_name: str | None = None
    resource_version: str = ""
    image_id: str = ""

    @property
    def final(self) -> bool:
        """Whether all of its containers have ended, so that the Job can count the pod."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def ended(self) -> bool:
        """Whether its runner container has ended, which does not run again.

        A container that was injected beside it may still run, and then the phase is Running.
        """
        return self.final or self.exit_code is not None

    @property
    def succeeded(self) -> bool:
        """Whether its runner container ended without an error."""
        return self.phase == "Succeeded" if self.exit_code is None else self.exit_code == 0

    @classmethod
    def from_json(cls, raw: Raw) -> Pod:
        """Return the pod that the JSON describes."""
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        scheduled = conditions.get("PodScheduled", {})
        disruption = conditions.get("DisruptionTarget", {})
        containers = status.get("containerStatuses") or []
        container = _container(containers)
        state = container.get("state") or {}
        waiting = _waiting(state, status.get("initContainerStatuses") or [])
        ended = state.get("terminated") or {}
        running = state.get("running") or {}
        labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
        index = labels.get(JOB_INDEX, annotations.get(JOB_INDEX))
        end = _end(ended, status)
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            job_uid=labels.get(JOB_UID),
            index=int(index) if index is not None and index.isdecimal() else None,
            phase=status.get("phase") or "Pending",
            created=read_time(meta["creationTimestamp"]),
            node=spec.get("nodeName"),
            waiting=waiting.get("reason") or "",
            waiting_message=waiting.get("message") or "",
            unschedulable=(
                scheduled.get("message") or "" if scheduled.get("status") == "False" else ""
            ),
            started=_start(ended.get("startedAt") or running.get("startedAt")),
            finished=optional_time(ended.get("finishedAt")),
            exit_code=ended.get("exitCode"),
            reason=end.get("reason") or "",
            message=end.get("message") or "",
            disrupted=(
                reason_and_message(disruption) if disruption.get("status") == "True" else ""
            ),
            deleting="deletionTimestamp" in meta,
            deletion_due=optional_time(meta.get("deletionTimestamp")),
            silent_since=_silent_since(spec, conditions) if running else None,
            other_containers=tuple(
                other["name"]
                for other in containers
                if other.get("name") != CONTAINER and "terminated" not in (other.get("state") or {})
            ),
            finalizers=tuple(f for f in meta.get("finalizers") or [] if f != JOB_FINALIZER),
            job_name=labels.get(JOB_NAME),
            resource_version=meta.get("resourceVersion") or "",
            image_id=container.get("imageID") or "",
        )


def _container(statuses: Sequence[Raw]) -> Raw:
    """Return the runner container's status; a pod can have injected sidecars too."""
    return next((status for status in statuses if status.get("name") == CONTAINER), {})


def _end(terminated: Raw, status: Raw) -> Raw:
    """Return the part of a status that says more about why a pod has ended.

    Of a pod that its kubelet has evicted, the container's only says that it failed, or that it is
    gone.
    """
    says_nothing = terminated.get("reason") in _SAY_NOTHING
    return status if says_nothing and status.get("reason") else terminated


def _start(text: str | None) -> datetime | None:
    """Return when a container started; a kubelet writes the epoch for one that could not be."""
    time = optional_time(text)
    return None if time is None or time.timestamp() == 0 else time


def _silent_since(spec: Raw, conditions: Mapping[str, Raw]) -> datetime | None:
    """Return since when the node of a running pod does not answer.

    The node lifecycle controller then sets the condition Ready to False, and leaves the kubelet's
    ContainersReady as it was. A readiness gate could do the same.
    """
    ready, containers = conditions.get("Ready", {}), conditions.get("ContainersReady", {})
    if spec.get("readinessGates"):
        return None
    if (ready.get("status"), containers.get("status")) not in {
        ("False", "True"),
        ("Unknown", "True"),
    }:
        return None
    return optional_time(ready.get("lastTransitionTime"))


def _waiting(state: Raw, init_statuses: Sequence[Raw]) -> Raw:
    """Return what the runner container waits for: itself, or an init container before it."""
    own: Raw = state.get("waiting") or {}
    if own.get("reason") in {None, "PodInitializing"} and not state.get("terminated"):
        for status in init_statuses:
            waiting: Raw = (status.get("state") or {}).get("waiting") or {}
            # Of a sidecar that is started again, which says more than that it is.
            last: Raw = (status.get("lastState") or {}).get("terminated") or {}
            if waiting.get("reason") == "CrashLoopBackOff" and last.get("reason") == "StartError":
                return last
            if waiting.get("reason") not in {None, "PodInitializing"}:
                return waiting
    return own
