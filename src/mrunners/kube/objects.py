"""Frozen records of Kubernetes objects, made from raw JSON by pure functions.

Unknown fields are ignored, because every release of the API server adds some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mrunners.plan.metadata import ANNOTATION_DIGEST, ANNOTATION_URI, CONTAINER, LABEL_RUN_ID
from mrunners.plan.spec_changes import mounted_profile, spec_fields

__all__ = [
    "ConfigMap",
    "Event",
    "Job",
    "OwnerReference",
    "Pod",
    "index_ranges",
]

# JSON as the API server sent it; it does not leave this module.
Raw = Mapping[str, Any]

JOB_INDEX = "batch.kubernetes.io/job-completion-index"
JOB_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """One ownerReference."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap; it is a tracker when it has a run ID and a plan."""

    name: str
    uid: str
    created: datetime
    run_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[OwnerReference, ...] = ()
    deleting: bool = False

    @classmethod
    def from_json(cls, raw: Raw) -> ConfigMap:
        """Return the ConfigMap that the JSON describes."""
        meta = raw["metadata"]
        labels = meta.get("labels") or {}
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            created=_time(meta["creationTimestamp"]),
            run_id=labels.get(LABEL_RUN_ID),
            labels=labels,
            annotations=meta.get("annotations") or {},
            data=raw.get("data") or {},
            owners=_owners(meta),
            deleting="deletionTimestamp" in meta,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A Job with its status.

    Attributes:
        digest: The digest of its spec as mrunners sent it; None for a Job of another owner.
        succeeded: The completion indexes whose pods succeeded, ascending.
        failed: The completion indexes whose pods failed, ascending.
        active: How many pods are pending or running.
        ready: How many pods are ready.
        started: When the Job controller started it, or resumed it after a suspension.
        finished: `Complete`, `Failed`, or None while neither condition is true.
        finished_reason: The reason and message of a Failed condition.
        deleting: Whether its deletion has begun.
        uri: The runner URI that it was made from; None for a Job of another owner.
        profile_key: The key of its load profile in the ConfigMap that holds it.
        ttl_seconds: How long after its end the cluster removes it; None keeps it.
        spec_fields: The fields of its spec, which show what the API server dropped or added.
    """

    name: str
    uid: str
    created: datetime
    run_id: str | None
    digest: str | None
    owners: tuple[OwnerReference, ...] = ()
    completions: int = 0
    succeeded: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    active: int = 0
    ready: int = 0
    started: datetime | None = None
    suspended: bool = False
    finished: str | None = None
    finished_reason: str = ""
    deleting: bool = False
    uri: str | None = None
    profile_key: str | None = None
    ttl_seconds: int | None = None
    spec_fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, raw: Raw) -> Job:
        """Return the Job that the JSON describes.

        Only the condition Complete or Failed with status True finishes a Job. The counters can add
        up before, and the conditions FailureTarget and SuccessCriteriaMet come before the end.
        """
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        finished, finished_reason = None, ""
        for condition in status.get("conditions") or []:
            if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
                finished = condition["type"]
                finished_reason = _reason_and_message(condition)
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            created=_time(meta["creationTimestamp"]),
            run_id=(meta.get("labels") or {}).get(LABEL_RUN_ID),
            digest=(meta.get("annotations") or {}).get(ANNOTATION_DIGEST),
            owners=_owners(meta),
            completions=spec.get("completions") or 0,
            succeeded=index_ranges(status.get("completedIndexes") or ""),
            failed=index_ranges(status.get("failedIndexes") or ""),
            active=status.get("active") or 0,
            ready=status.get("ready") or 0,
            started=_optional_time(status.get("startTime")),
            suspended=bool(spec.get("suspend")),
            finished=finished,
            finished_reason=finished_reason if finished == "Failed" else "",
            deleting="deletionTimestamp" in meta,
            uri=(meta.get("annotations") or {}).get(ANNOTATION_URI),
            profile_key=mounted_profile(spec),
            ttl_seconds=spec.get("ttlSecondsAfterFinished"),
            spec_fields=spec_fields(spec),
        )


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with the state of its runner container.

    Attributes:
        job_uid: The UID of the Job that controls it.
        job_name: The name of that Job, which the pod may outlive.
        index: The completion index; None for a pod that has none.
        waiting: The reason of a waiting container, such as ErrImagePull.
        waiting_message: The message that comes with it.
        unschedulable: The scheduler's message while no node fits.
        started: When the container started.
        finished: When the container ended.
        exit_code: The exit code of an ended container.
        reason: The reason of an ended container, such as OOMKilled, or else of the pod.
        disrupted: The reason and message of a true DisruptionTarget condition, such as
            DeletionByTaintManager.
        deleting: Whether its deletion has begun.
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
    disrupted: str = ""
    deleting: bool = False
    job_name: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the pod has ended; its container does not run again."""
        return self.phase in {"Succeeded", "Failed"}

    @classmethod
    def from_json(cls, raw: Raw) -> Pod:
        """Return the pod that the JSON describes."""
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        scheduled = conditions.get("PodScheduled", {})
        disruption = conditions.get("DisruptionTarget", {})
        container = _container(status.get("containerStatuses") or [])
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        ended = state.get("terminated") or {}
        running = state.get("running") or {}
        labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
        index = labels.get(JOB_INDEX, annotations.get(JOB_INDEX))
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            job_uid=labels.get(JOB_UID),
            index=int(index) if index is not None and index.isdecimal() else None,
            phase=status.get("phase") or "Pending",
            created=_time(meta["creationTimestamp"]),
            node=spec.get("nodeName"),
            waiting=waiting.get("reason") or "",
            waiting_message=waiting.get("message") or "",
            unschedulable=(
                scheduled.get("message") or "" if scheduled.get("status") == "False" else ""
            ),
            started=_optional_time(ended.get("startedAt") or running.get("startedAt")),
            finished=_optional_time(ended.get("finishedAt")),
            exit_code=ended.get("exitCode"),
            reason=ended.get("reason") or status.get("reason") or "",
            disrupted=(
                _reason_and_message(disruption) if disruption.get("status") == "True" else ""
            ),
            deleting="deletionTimestamp" in meta,
            job_name=labels.get(JOB_NAME),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A warning event.

    Attributes:
        about_uid: The UID of the object that it is about.
        about_name: The name of that object.
    """

    about_uid: str
    about_name: str
    reason: str
    message: str

    @classmethod
    def from_json(cls, raw: Raw) -> Event:
        """Return the core/v1 Event that the JSON describes."""
        about = raw.get("involvedObject") or {}
        return cls(
            about_uid=about.get("uid") or "",
            about_name=about.get("name") or "",
            reason=raw.get("reason") or "",
            message=raw.get("message") or "",
        )


def index_ranges(text: str) -> tuple[int, ...]:
    """Return the completion indexes in a Job's status: `0-2,5` is 0, 1, 2 and 5."""
    indexes: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        indexes.extend(range(int(first), int(last or first) + 1))
    return tuple(indexes)


def _container(statuses: Sequence[Raw]) -> Raw:
    """Return the runner container's status; a pod can have injected sidecars too."""
    return next((status for status in statuses if status.get("name") == CONTAINER), {})


def _owners(meta: Raw) -> tuple[OwnerReference, ...]:
    return tuple(
        OwnerReference(kind=ref["kind"], name=ref["name"], uid=ref["uid"])
        for ref in meta.get("ownerReferences") or []
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _optional_time(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _reason_and_message(condition: Raw) -> str:
    return ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
