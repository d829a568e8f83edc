"""The tests' own cluster, clock and listener: small classes that keep to the core's Protocols.

They must not decide anything that a real API server would not: objects get a UID and a time, a
name is taken once, selectors select, and a test says what happens to Jobs and pods.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mrunners.kube.api import Cluster
from mrunners.kube.objects import (
    ConfigMap,
    Event,
    Job,
    Pod,
)
from mrunners.plan.metadata import Manifest
from mrunners.run.observer import RunObserver
from mrunners.status.run_state import RunState

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Raw = dict[str, Any]


class FakeClock:
    """Time that passes only while somebody sleeps; then also the next thing happens.

    Attributes:
        slept: each sleep, in seconds.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._next: deque[Callable[[], object]] = deque()

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        if self._next:
            self._next.popleft()()

    def then(self, *events: Callable[[], object]) -> None:
        """What happens during the coming sleeps, one in each."""
        self._next.extend(events)


@dataclass
class RecordingObserver:
    """A listener that remembers."""

    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    trackers: list[str] = field(default_factory=list)
    home: list[str] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)

    def info(self, text: str) -> None:
        self.infos.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def tracker(self, name: str) -> None:
        self.trackers.append(name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        self.home.extend(pods)

    def progress(self, state: RunState, reports: int) -> None:
        self.reports.append(reports)


@dataclass(frozen=True)
class _Mishap:
    carried_out: bool
    error: Exception | None


class FakeCluster:
    """An API server in memory.

    Attributes:
        clock: moves its time.
        asked: the name of each method of the Protocol that was called, in order.
        events: warning events; their `about_uid` is free.
        logs: by pod; an exception is raised.
        ignores: fields of a Job's spec that it drops, as an old server does.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.asked: list[str] = []
        self.events: list[Event] = []
        self.logs: dict[str, bytes | Exception] = {}
        self.ignores: set[str] = set()
        self._objects: dict[tuple[str, str, str], Raw] = {}
        self._mishaps: dict[str, deque[_Mishap]] = {}
        self._uids = 0

    # What the Protocol asks for.

    @property
    def requests(self) -> int:
        return len(self.asked)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds)

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        self._asks("get_config_map")
        raw = self._objects.get(("ConfigMap", namespace, name))
        return None if raw is None else ConfigMap.from_json(raw)

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        self._asks("list_config_maps")
        return [ConfigMap.from_json(raw) for raw in self._select("ConfigMap", namespace, selector)]

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        raw = self._create("create_config_map", namespace, manifest)
        return None if raw is None else ConfigMap.from_json(raw)

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        self._asks("dry_run_config_map")

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        self._asks("annotate_config_map")
        raw = self._objects.get(("ConfigMap", namespace, name))
        if raw is None or raw["metadata"]["uid"] != uid:
            return False
        raw["metadata"].setdefault("annotations", {}).update(annotations)
        return True

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        self._asks("delete_config_map")
        raw = self._objects.get(("ConfigMap", namespace, name))
        if raw is None or raw["metadata"]["uid"] != uid:
            return False
        del self._objects["ConfigMap", namespace, name]
        return True

    def get_job(self, namespace: str, name: str) -> Job | None:
        self._asks("get_job")
        raw = self._objects.get(("Job", namespace, name))
        return None if raw is None else Job.from_json(raw)

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        self._asks("list_jobs")
        return [Job.from_json(raw) for raw in self._select("Job", namespace, selector)]

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        raw = self._create("create_job", namespace, manifest)
        return None if raw is None else Job.from_json(raw)

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        self._asks("list_pods")
        return [Pod.from_json(raw) for raw in self._select("Pod", namespace, selector)]

    def list_warnings(self, namespace: str) -> list[Event]:
        self._asks("list_warnings")
        return list(self.events)

    def read_log(self, namespace: str, pod: str, *, limit_bytes: int) -> bytes | None:
        self._asks("read_log")
        log = self.logs.get(pod)
        if isinstance(log, Exception):
            raise log
        return None if log is None else log[:limit_bytes]

    # What a test says beforehand.

    def fail(self, method: str, error: Exception, *, carried_out: bool = False) -> None:
        """The next call of a method raises, before or after it did its work."""
        self._mishaps.setdefault(method, deque()).append(_Mishap(carried_out, error))

    def lose_answer(self, method: str) -> None:
        """The next create is carried out, but its answer is lost and it is sent again."""
        self._mishaps.setdefault(method, deque()).append(_Mishap(carried_out=True, error=None))

    # What happens in the cluster.

    def raw(self, kind: str, name: str, namespace: str = "load") -> Raw:
        """An object, to be looked at or changed."""
        return self._objects[kind, namespace, name]

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind, in the order of their creation."""
        return [name for of, _, name in self._objects if of == kind]

    def put(self, manifest: Manifest, **meta: object) -> Raw:
        """Create or replace an object as somebody else."""
        raw: Raw = deepcopy(manifest)
        self._uids += 1
        raw["metadata"] |= {"uid": f"uid-{self._uids}", "creationTimestamp": self._stamp(), **meta}
        self._objects[raw["kind"], raw["metadata"]["namespace"], raw["metadata"]["name"]] = raw
        return raw

    def hold_pod(
        self, job: str, index: int, *, waiting: str = "ContainerCreating", message: str = ""
    ) -> str:
        """A pod of a Job is there, and its container waits."""
        state = {"waiting": {"reason": waiting, "message": message}}
        return self._put_pod(job, index, "Pending", state)

    def unschedule_pod(self, job: str, index: int, message: str) -> str:
        """A pod of a Job is there, and the scheduler finds no node for it."""
        name = self._put_pod(job, index, "Pending", {})
        pod = self.raw("Pod", name)
        del pod["spec"]["nodeName"], pod["status"]["containerStatuses"]
        pod["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "message": message}
        ]
        return name

    def start_pod(self, job: str, index: int) -> str:
        """A pod of a Job runs."""
        return self._put_pod(job, index, "Running", {"running": {"startedAt": self._stamp()}})

    def end_pod(self, job: str, index: int, *, exit_code: int = 0, log: bytes = b"") -> str:
        """A pod of a Job has ended and left a log."""
        state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": "Error" if exit_code else "Completed",
                "startedAt": self._stamp(),
                "finishedAt": self._stamp(),
            }
        }
        name = self._put_pod(job, index, "Failed" if exit_code else "Succeeded", state)
        self.logs[name] = log
        return name

    def finish_job(self, job: str) -> None:
        """The Job gets its condition, by what its indexes say."""
        status = self.raw("Job", job)["status"]
        condition: Raw = {"type": "Complete", "status": "True"}
        if status.get("failedIndexes"):
            condition |= {"type": "Failed", "reason": "FailedIndexes", "message": "some failed"}
        status["conditions"] = [condition]

    def remove(self, kind: str, name: str, namespace: str = "load") -> None:
        """Somebody deletes an object."""
        del self._objects[kind, namespace, name]

    def collect_garbage(self) -> None:
        """What has only owners that are gone, goes."""
        while True:
            uids = {raw["metadata"]["uid"] for raw in self._objects.values()}
            orphans = [
                key
                for key, raw in self._objects.items()
                if (owners := raw["metadata"].get("ownerReferences"))
                and not any(owner["uid"] in uids for owner in owners)
            ]
            if not orphans:
                return
            for key in orphans:
                del self._objects[key]

    # How.

    def _asks(self, method: str) -> _Mishap | None:
        self.asked.append(method)
        mishaps = self._mishaps.get(method)
        mishap = mishaps.popleft() if mishaps else None
        if mishap is not None and mishap.error is not None and not mishap.carried_out:
            raise mishap.error
        return mishap

    def _create(self, method: str, namespace: str, manifest: Manifest) -> Raw | None:
        mishap = self._asks(method)
        wanted: Raw = manifest
        assert wanted["metadata"]["namespace"] == namespace
        if (wanted["kind"], namespace, wanted["metadata"]["name"]) in self._objects:
            return None
        raw = self.put(manifest)
        if raw["kind"] == "Job":
            raw["status"] = {"startTime": self._stamp()}
            raw["spec"] = {k: v for k, v in raw["spec"].items() if k not in self.ignores}
        if mishap is not None and mishap.error is not None:
            raise mishap.error
        return None if mishap is not None else raw

    def _select(self, kind: str, namespace: str, selector: str) -> list[Raw]:
        return [
            raw
            for (of, where, _), raw in self._objects.items()
            if (of, where) == (kind, namespace)
            and _selected(raw["metadata"].get("labels") or {}, selector)
        ]

    def _put_pod(self, job: str, index: int, phase: str, state: Raw) -> str:
        owner = self.raw("Job", job)
        name = f"{job}-{index}-abcde"
        labels = {
            **owner["spec"]["template"]["metadata"]["labels"],
            "batch.kubernetes.io/controller-uid": owner["metadata"]["uid"],
            "batch.kubernetes.io/job-completion-index": str(index),
        }
        meta = {"name": name, "namespace": owner["metadata"]["namespace"], "labels": labels}
        refs = [{"kind": "Job", "name": job, "uid": owner["metadata"]["uid"]}]
        before = self._objects.get(("Pod", meta["namespace"], name))
        kept = {} if before is None else {"creationTimestamp": _created(before)}
        self.put(
            {
                "kind": "Pod",
                "metadata": {**meta, "ownerReferences": refs},
                "spec": {"nodeName": f"node-{index}"},
                "status": {
                    "phase": phase,
                    "containerStatuses": [{"name": "runner", "state": state}],
                },
            },
            **kept,
        )
        self._recount(owner)
        return name

    def _recount(self, job: Raw) -> None:
        """What the Job controller writes into the status, conditions apart."""
        uid = job["metadata"]["uid"]
        phases: dict[str, list[str]] = {}
        for (kind, _, _), raw in self._objects.items():
            labels = raw["metadata"].get("labels") or {}
            if kind == "Pod" and labels["batch.kubernetes.io/controller-uid"] == uid:
                index = labels["batch.kubernetes.io/job-completion-index"]
                phases.setdefault(raw["status"]["phase"], []).append(index)
        running, pending = len(phases.get("Running", [])), len(phases.get("Pending", []))
        job["status"] |= {"active": running + pending, "ready": running}
        for key, phase in (("completedIndexes", "Succeeded"), ("failedIndexes", "Failed")):
            job["status"][key] = ",".join(sorted(phases.get(phase, []), key=int))

    def _stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _created(raw: Raw) -> object:
    return raw["metadata"]["creationTimestamp"]


def _selected(labels: Mapping[str, str], selector: str) -> bool:
    for part in filter(None, selector.split(",")):
        name, unequal, unwanted = part.partition("!=")
        if unequal:
            if labels.get(name) == unwanted:
                return False
        else:
            name, _, wanted = part.partition("=")
            if labels.get(name) != wanted:
                return False
    return True


def _keep_to_the_protocols(
    cluster: FakeCluster, observer: RecordingObserver
) -> tuple[Cluster, RunObserver]:
    """Checked by mypy, not run."""
    return cluster, observer
