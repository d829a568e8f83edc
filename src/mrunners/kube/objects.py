"""What the cluster showed us: one frozen record per kind, made from raw JSON by pure functions.

It must not talk to a cluster; unknown fields are ignored, since every server release adds some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mrunners.plan.metadata import ANNOTATION_DIGEST, CONTAINER, LABEL_RUN_ID

__all__ = [
    "ConfigMap",
    "Event",
    "Job",
    "OwnerReference",
    "Pod",
    "index_ranges",
]

# Raw JSON as the API server sent it; it does not leave this module.
Raw = Mapping[str, Any]

JOB_INDEX = "batch.kubernetes.io/job-completion-index"
JOB_UID = "batch.kubernetes.io/controller-uid"


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """One ownerReference."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap; a tracker when it has a run ID and a plan."""

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
        """A ConfigMap from its raw JSON."""
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
    """A Job and how far it is.

    Attributes:
        succeeded, failed: completion indexes that ended, ascending.
        active, ready: numbers of pods.
        started: when the Job controller started it (again, after a suspension).
        finished: `Complete`, `Failed`, or None while neither condition is true.
        finished_reason: the reason and message of a Failed condition.
        spec_fields: the names of the fields of its spec, to see what an old server dropped.
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
    spec_fields: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, raw: Raw) -> Job:
        """A Job from its raw JSON.

        Finished is the condition Complete or Failed with status True and nothing else: the counters
        can add up before, and FailureTarget or SuccessCriteriaMet are interim.
        """
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        finished, finished_reason = None, ""
        for condition in status.get("conditions") or []:
            if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
                finished = condition["type"]
                finished_reason = _words(condition.get("reason"), condition.get("message"))
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
            spec_fields=frozenset(spec),
        )


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a run and what became of its container.

    Attributes:
        index: the completion index; None for a pod that has none.
        waiting, waiting_message: the container's waiting reason, such as ErrImagePull.
        unschedulable: the scheduler's message while it finds no node.
        exit_code, reason, started, finished: of the terminated (or running) container.
        disrupted: the reason of a true DisruptionTarget condition, such as DeletionByTaintManager.
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

    @property
    def ended(self) -> bool:
        """Whether its container will not run again."""
        return self.phase in {"Succeeded", "Failed"}

    @classmethod
    def from_json(cls, raw: Raw) -> Pod:
        """A pod from its raw JSON."""
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        scheduled = conditions.get("PodScheduled", {})
        disruption = conditions.get("DisruptionTarget", {})
        container = _container(status.get("containerStatuses") or [])
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        ended = state.get("terminated") or {}
        running = state.get("running") or {}
        labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
        index = labels.get(JOB_INDEX, notes.get(JOB_INDEX))
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
                _words(disruption.get("reason"), disruption.get("message"))
                if disruption.get("status") == "True"
                else ""
            ),
            deleting="deletionTimestamp" in meta,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A warning event about a Job or a pod."""

    about_uid: str
    about_name: str
    reason: str
    message: str

    @classmethod
    def from_json(cls, raw: Raw) -> Event:
        """A core/v1 Event from its raw JSON."""
        about = raw.get("involvedObject") or {}
        return cls(
            about_uid=about.get("uid") or "",
            about_name=about.get("name") or "",
            reason=raw.get("reason") or "",
            message=raw.get("message") or "",
        )


def index_ranges(text: str) -> tuple[int, ...]:
    """The completion indexes of a Job's status, such as `0-2,5` for 0, 1, 2, 5."""
    indexes: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        indexes.extend(range(int(first), int(last or first) + 1))
    return tuple(indexes)


def _container(statuses: Sequence[Raw]) -> Raw:
    """Our container's status; an injected sidecar's is another's business."""
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


def _words(reason: str | None, message: str | None) -> str:
    return ": ".join(filter(None, (reason, message)))
