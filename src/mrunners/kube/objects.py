"""Frozen records of Kubernetes objects, made from raw JSON by pure functions.

Unknown fields are ignored, because every release of the API server adds some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mrunners.kube.given_up import GivenUp, index_ranges, read_given_up
from mrunners.kube.payloads import Raw, optional_time, read_time, reason_and_message
from mrunners.kube.pod import Pod
from mrunners.plan.metadata import (
    ANNOTATION_CREATED_BEFORE,
    ANNOTATION_DIGEST,
    ANNOTATION_GIVEN_UP,
    ANNOTATION_URI,
    LABEL_RUN_ID,
)
from mrunners.plan.spec_changes import mounted_profile, spec_fields

__all__ = [
    "PLACEMENT_EVENTS",
    "ConfigMap",
    "Event",
    "Job",
    "Node",
    "OwnerReference",
    "Placement",
    "Pod",
    "index_ranges",
]

# A run has at most 150,000 pods, and Python refuses to read numbers of thousands of digits.
_MAX_DIGITS = 9

# What the recorder of client-go puts before the message of an event that stands for several.
_COMBINED = "(combined from similar events): "


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
    namespace: str = ""

    @classmethod
    def from_json(cls, raw: Raw) -> ConfigMap:
        """Return the ConfigMap that the JSON describes."""
        meta = raw["metadata"]
        labels = meta.get("labels") or {}
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            created=read_time(meta["creationTimestamp"]),
            run_id=labels.get(LABEL_RUN_ID),
            labels=labels,
            annotations=meta.get("annotations") or {},
            data=raw.get("data") or {},
            owners=_owners(meta),
            deleting="deletionTimestamp" in meta,
            namespace=meta.get("namespace") or "",
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
        spec_fields: The fields of its spec, which show what the API server dropped or added; empty
            in a LIST.
        given_up: The completion indexes whose pods a wait has given up, because they did not start
            in time.
        created_before: How many Jobs, from the first of the plan, were created before this one, as
            far as it says: without it, all before it were.
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
    given_up: tuple[GivenUp, ...] = ()
    created_before: int | None = None

    @classmethod
    def from_json(cls, raw: Raw, *, listed: bool = False) -> Job:
        """Return the Job that the JSON describes.

        Only the condition Complete or Failed with status True finishes a Job. The counters can add
        up before, and the conditions FailureTarget and SuccessCriteriaMet come before the end.

        Args:
            raw: The JSON.
            listed: Leave `spec_fields` empty: a wait lists thousands of Jobs again and again.
        """
        meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        annotations = meta.get("annotations") or {}
        finished, finished_reason = None, ""
        for condition in status.get("conditions") or []:
            if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
                finished = condition["type"]
                finished_reason = reason_and_message(condition)
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            created=read_time(meta["creationTimestamp"]),
            run_id=(meta.get("labels") or {}).get(LABEL_RUN_ID),
            digest=annotations.get(ANNOTATION_DIGEST),
            owners=_owners(meta),
            completions=spec.get("completions") or 0,
            succeeded=index_ranges(status.get("completedIndexes") or ""),
            failed=index_ranges(status.get("failedIndexes") or ""),
            active=status.get("active") or 0,
            ready=status.get("ready") or 0,
            started=optional_time(status.get("startTime")),
            suspended=bool(spec.get("suspend")),
            finished=finished,
            finished_reason=finished_reason if finished == "Failed" else "",
            deleting="deletionTimestamp" in meta,
            uri=annotations.get(ANNOTATION_URI),
            profile_key=mounted_profile(spec),
            ttl_seconds=spec.get("ttlSecondsAfterFinished"),
            spec_fields={} if listed else spec_fields(spec),
            given_up=read_given_up(annotations.get(ANNOTATION_GIVEN_UP)),
            created_before=_number(annotations.get(ANNOTATION_CREATED_BEFORE)),
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
            message=(raw.get("message") or "").removeprefix(_COMBINED),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        schedulable: Whether the scheduler puts pods without tolerations on it.
    """

    name: str
    schedulable: bool

    @classmethod
    def from_json(cls, raw: Raw) -> Node:
        """Return the node that the JSON describes."""
        spec = raw.get("spec") or {}
        # A node that is cordoned, not ready or under pressure has such a taint too.
        tainted = any(
            taint.get("effect") in {"NoSchedule", "NoExecute"} for taint in spec.get("taints") or []
        )
        return cls(raw["metadata"]["name"], not (tainted or spec.get("unschedulable")))


def _owners(meta: Raw) -> tuple[OwnerReference, ...]:
    return tuple(
        OwnerReference(kind=ref["kind"], name=ref["name"], uid=ref["uid"])
        for ref in meta.get("ownerReferences") or []
    )


# Field selector of the scheduler's events about pods that it has bound to a node.
PLACEMENT_EVENTS = "involvedObject.kind=Pod,reason=Scheduled"

# kube-scheduler, pkg/scheduler/schedule_one.go: `Successfully assigned NAMESPACE/POD to NODE`.
_MESSAGE = re.compile(r"Successfully assigned \S+ to (\S+)")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the scheduler placed a pod.

    Attributes:
        pod: The pod's name.
        node: The node; None when the event does not say it as kube-scheduler does.
        at: When the event was created, by the API server's clock.
    """

    pod: str
    node: str | None
    at: datetime

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Placement:
        """Return the placement that a core/v1 Event describes."""
        match = _MESSAGE.fullmatch(raw.get("message") or "")
        return cls(
            pod=(raw.get("involvedObject") or {}).get("name") or "",
            node=None if match is None else match[1],
            at=datetime.fromisoformat(raw["metadata"]["creationTimestamp"]),
        )


def _number(text: str | None) -> int | None:
    """Return the number that an annotation holds; None if it is absent or not ours."""
    return int(text) if text and text.isdecimal() and len(text) <= _MAX_DIGITS else None
