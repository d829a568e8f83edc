"""A cluster, a clock and an observer for the tests: small classes with the core's Protocols.

The cluster does what every API server does: it gives objects a UID and a time, gives a name to only
one of them and applies selectors. What happens to Jobs and pods is up to the test.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mrunners.kube.api import Cluster
from mrunners.kube.objects import ConfigMap, Event, Job, Placement, Pod
from mrunners.plan.metadata import Manifest
from mrunners.refs import ClusterLocation
from mrunners.reports.traffic import Traffic, VerbTraffic
from mrunners.run.observer import RunObserver
from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft, progress_texts

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

LOCATION = ClusterLocation("https://cluster:6443", "test", "load")

Raw = dict[str, Any]

# By the first word of the Protocol's methods; the others are GETs.
_VERBS = {
    "create": "create",
    "dry": "create",
    "list": "list",
    "count": "list",
    "annotate": "patch",
    "suspend": "patch",
    "delete": "delete",
}


class FakeClock:
    """A clock that moves only during a sleep, when the next prepared event happens too.

    Attributes:
        seconds: The time since the start.
        slept: The length of each sleep, in seconds.
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
        """Let these events happen during the next sleeps, one in each."""
        self._next.extend(events)


@dataclass
class RecordingObserver:
    """An observer that records every call, each kind of call in a list of its own."""

    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    trackers: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    progress_texts: list[str] = field(default_factory=list, compare=False)

    def info(self, text: str) -> None:
        self.infos.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def tracker_created(self, name: str) -> None:
        self.trackers.append(name)

    def reports_fetched(self, pods: Sequence[str]) -> None:
        self.fetched.extend(pods)

    def progress(self, state: RunState, reports: int, left: TimeLeft | None) -> None:
        self.reports.append(reports)
        self.progress_texts.append(progress_texts(state, reports, left)[0])


@dataclass(frozen=True)
class _PreparedFailure:
    carried_out: bool
    error: Exception | None


class FakeCluster:
    """An API server in memory.

    Attributes:
        clock: Its clock.
        calls: The names of the Protocol's methods in the order of the calls.
        events: The warning events, of any object.
        placements: Where the scheduler placed pods.
        logs: The logs by pod; an exception is raised.
        ignores: The fields of a Job's spec that it drops, as an old API server does.
        adds: The fields that a policy adds to a Job's spec.
        deletions: The deleted pods, as they were last, that the API server still knows of.
        nodes: How many nodes take pods; None when listing them is forbidden.
        may_watch_jobs: Whether watching Jobs is allowed.
        connections: How many requests a caller may send at once.
        sent: The bytes of what was created, by verb.
        received: The bytes of the objects and logs that were answered, by verb.
    """

    def __init__(self, clock: FakeClock | None = None, *, connections: int = 1) -> None:
        self.clock = clock or FakeClock()
        self.calls: list[str] = []
        self.connections = connections
        self.sent: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self.events: list[Event] = []
        self.placements: list[Placement] = []
        self.deletions: list[Raw] = []
        self.logs: dict[str, bytes | Exception] = {}
        self.ignores: set[str] = set()
        self.adds: Raw = {}
        self.nodes: int | None = None
        self.may_watch_jobs = True
        self._listed_jobs: dict[tuple[str, str], list[str]] = {}
        self._objects: dict[tuple[str, str, str], Raw] = {}
        self._failures: dict[str, deque[_PreparedFailure]] = {}
        self._uids = 0
        self._lock = threading.Lock()
        self._deleted: dict[str, list[str]] = {}
        self._before: dict[str, Callable[[], object]] = {}

    # The Protocol.

    @property
    def location(self) -> ClusterLocation:
        return LOCATION

    @property
    def requests(self) -> int:
        return len(self.calls)

    @property
    def traffic(self) -> Traffic:
        counts = Counter(_VERBS.get(call.partition("_")[0], "get") for call in self.calls)
        return {
            verb: VerbTraffic(
                requests=count, sent_bytes=self.sent[verb], received_bytes=self.received[verb]
            )
            for verb, count in counts.items()
        }

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds)

    def get_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        said_gone = self._call("get_config_map") is not None
        raw = self._objects.get(("ConfigMap", namespace, name))
        return None if said_gone or raw is None else ConfigMap.from_json(self._answer("get", raw))

    def list_config_maps(self, namespace: str, selector: str) -> list[ConfigMap]:
        self._call("list_config_maps")
        selected = self._select("ConfigMap", namespace, selector)
        return [ConfigMap.from_json(self._answer("list", raw)) for raw in selected]

    def create_config_map(self, namespace: str, manifest: Manifest) -> ConfigMap | None:
        raw = self._create("create_config_map", namespace, manifest)
        return None if raw is None else ConfigMap.from_json(raw)

    def dry_run_config_map(self, namespace: str, manifest: Manifest) -> None:
        self._call("dry_run_config_map")

    def annotate_config_map(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        self._call("annotate_config_map")
        raw = self._objects.get(("ConfigMap", namespace, name))
        if raw is None or raw["metadata"]["uid"] != uid:
            return False
        raw["metadata"].setdefault("annotations", {}).update(annotations)
        return True

    def delete_config_map(self, namespace: str, name: str, uid: str) -> bool:
        self._call("delete_config_map")
        raw = self._objects.get(("ConfigMap", namespace, name))
        if raw is None or raw["metadata"]["uid"] != uid:
            return False
        del self._objects["ConfigMap", namespace, name]
        return True

    def get_job(self, namespace: str, name: str) -> Job | None:
        said_gone = self._call("get_job") is not None
        raw = self._objects.get(("Job", namespace, name))
        return None if said_gone or raw is None else Job.from_json(self._answer("get", raw))

    def list_jobs(self, namespace: str, selector: str) -> list[Job]:
        if self._call("list_jobs") is not None:
            return []
        selected = self._select("Job", namespace, selector)
        self._listed_jobs[namespace, selector] = self._selected_jobs(namespace, selector)
        return [Job.from_json(self._answer("list", raw), listed=True) for raw in selected]

    def jobs_changed(self, namespace: str, selector: str) -> bool | None:
        self._call("jobs_changed")
        if not self.may_watch_jobs:
            return None
        return self._listed_jobs.get((namespace, selector)) != self._selected_jobs(
            namespace, selector
        )

    def create_job(self, namespace: str, manifest: Manifest) -> Job | None:
        raw = self._create("create_job", namespace, manifest)
        return None if raw is None else Job.from_json(raw)

    def dry_run_job(self, namespace: str, manifest: Manifest) -> Job | None:
        self._call("dry_run_job")
        raw: Raw = deepcopy(manifest)
        if ("Job", namespace, raw["metadata"]["name"]) in self._objects:
            return None
        raw["metadata"] |= {"uid": "dry-run", "creationTimestamp": self._stamp()}
        return Job.from_json(raw | {"spec": self._stored_spec(raw), "status": {}})

    def dry_run_pod(self, namespace: str, manifest: Manifest) -> None:
        del namespace, manifest
        self._call("dry_run_pod")

    def annotate_job(
        self, namespace: str, name: str, uid: str, annotations: Mapping[str, str]
    ) -> bool:
        said_gone = self._call("annotate_job") is not None
        raw = self._objects.get(("Job", namespace, name))
        if said_gone or raw is None or raw["metadata"]["uid"] != uid:
            return False
        raw["metadata"].setdefault("annotations", {}).update(annotations)
        return True

    def suspend_job(self, namespace: str, name: str, uid: str) -> bool:
        said_gone = self._call("suspend_job") is not None
        raw = self._objects.get(("Job", namespace, name))
        if said_gone or raw is None or raw["metadata"]["uid"] != uid:
            return False
        raw["spec"]["suspend"] = True
        return True

    def list_pods(self, namespace: str, selector: str) -> list[Pod]:
        if self._call("list_pods") is not None:
            return []
        selected = self._select("Pod", namespace, selector)
        return [Pod.from_json(self._answer("list", raw)) for raw in selected]

    def list_deleted_pods(self, namespace: str, selector: str, since: str) -> list[Pod]:
        self._call("list_deleted_pods")
        assert since.isdecimal()
        return [
            Pod.from_json(raw)
            for raw in self.deletions
            if raw["metadata"]["namespace"] == namespace
            and _matches(raw["metadata"]["labels"], selector)
        ]

    def delete_pod(self, namespace: str, name: str, uid: str) -> bool:
        said_gone = self._call("delete_pod") is not None
        raw = self._objects.get(("Pod", namespace, name))
        if said_gone or raw is None or raw["metadata"]["uid"] != uid:
            return False
        self._fail_index(raw)
        del self._objects["Pod", namespace, name]
        owner = next(r["name"] for r in raw["metadata"]["ownerReferences"])
        self._recount(self.raw("Job", owner, namespace))
        return True

    def count_schedulable_nodes(self, enough: int) -> int | None:
        self._call("count_schedulable_nodes")
        return None if self.nodes is None else min(self.nodes, enough)

    def count_nodes(self) -> int | None:
        self._call("count_nodes")
        return self.nodes

    def server_version(self) -> str | None:
        self._call("server_version")
        return "v1.37.2"

    def list_warnings(self, namespace: str) -> list[Event]:
        self._call("list_warnings")
        return list(self.events)

    def list_placements(self, namespace: str) -> list[Placement]:
        self._call("list_placements")
        return list(self.placements)

    def read_log(self, namespace: str, pod: str, container: str, limit_bytes: int) -> bytes | None:
        self._call("read_log")
        log = self.logs.get(pod if container == "runner" else f"{pod} {container}")
        if isinstance(log, Exception):
            raise log
        if log is None:
            return None
        self.received["get"] += len(log[:limit_bytes])
        return log[:limit_bytes]

    # What a test prepares.

    def fail(self, method: str, error: Exception, *, carried_out: bool = False) -> None:
        """Let the next call of a method raise, before or after the request is carried out."""
        self._failures.setdefault(method, deque()).append(_PreparedFailure(carried_out, error))

    def answer_gone(self, method: str) -> None:
        """Answer the next request as if what it is about did not exist; a LIST is empty."""
        self._failures.setdefault(method, deque()).append(
            _PreparedFailure(carried_out=False, error=None)
        )

    def before(self, method: str, action: Callable[[], object]) -> None:
        """Do something first in every later call of a method."""
        self._before[method] = action

    def lose_answer(self, method: str) -> None:
        """Carry out the next create but lose the response, so that the client sends it again."""
        self._failures.setdefault(method, deque()).append(
            _PreparedFailure(carried_out=True, error=None)
        )

    # What happens in the cluster.

    def raw(self, kind: str, name: str, namespace: str = "load") -> Raw:
        """Return an object, which the test can change."""
        return self._objects[kind, namespace, name]

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind, in the order of their creation."""
        return [name for other_kind, _, name in self._objects if other_kind == kind]

    def put(self, manifest: Manifest, **meta: object) -> Raw:
        """Create or replace an object, as another client would."""
        raw: Raw = deepcopy(manifest)
        self._uids += 1  # under `_lock` where several threads create
        raw["metadata"] |= {
            "uid": f"uid-{self._uids}",
            "resourceVersion": str(self._uids),
            "creationTimestamp": self._stamp(),
            **meta,
        }
        self._objects[raw["kind"], raw["metadata"]["namespace"], raw["metadata"]["name"]] = raw
        return raw

    def hold_pod(
        self, job: str, index: int, *, waiting: str = "ContainerCreating", message: str = ""
    ) -> str:
        """Create a pod of a Job whose container waits."""
        state = {"waiting": {"reason": waiting, "message": message}}
        return self._put_pod(job, index, "Pending", state)

    def unschedule_pod(self, job: str, index: int, message: str) -> str:
        """Create a pod of a Job for which no node fits."""
        name = self._put_pod(job, index, "Pending", {})
        pod = self.raw("Pod", name)
        del pod["spec"]["nodeName"], pod["status"]["containerStatuses"]
        pod["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "message": message}
        ]
        return name

    def start_pod(self, job: str, index: int) -> str:
        """Let a pod of a Job run."""
        return self._put_pod(job, index, "Running", {"running": {"startedAt": self._stamp()}})

    def end_runner(self, job: str, index: int, *, exit_code: int = 0, log: bytes = b"") -> str:
        """Let the runner container of a pod end beside a sidecar that runs on."""
        name = self.end_pod(job, index, exit_code=exit_code, log=log)
        status = self.raw("Pod", name)["status"]
        status["phase"] = "Running"
        status["containerStatuses"].append({"name": "istio-proxy", "state": {"running": {}}})
        self._recount(self.raw("Job", job))
        self.raw("Job", job)["status"]["ready"] = 0
        return name

    def lose_node(self, pod: str) -> None:
        """Let the taint manager delete a pod whose node does not end it."""
        raw = self.raw("Pod", pod)
        raw["metadata"]["deletionTimestamp"] = self._stamp()
        raw["status"]["conditions"] = [
            {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}
        ]

    def end_pod(self, job: str, index: int, *, exit_code: int = 0, log: bytes = b"") -> str:
        """Let a pod of a Job end with a log."""
        state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": "Error" if exit_code else "Completed",
                "startedAt": self._started_at(f"{job}-{index}-abcde") or self._stamp(),
                "finishedAt": self._stamp(),
            }
        }
        name = self._put_pod(job, index, "Failed" if exit_code else "Succeeded", state)
        self.logs[name] = log
        return name

    def finish_job(self, job: str) -> None:
        """Set the Job's condition Complete or Failed, depending on its indexes."""
        status = self.raw("Job", job)["status"]
        condition: Raw = {"type": "Complete", "status": "True"}
        if status.get("failedIndexes"):
            condition |= {"type": "Failed", "reason": "FailedIndexes", "message": "some failed"}
        status["conditions"] = [condition]

    def remove(self, kind: str, name: str, namespace: str = "load") -> None:
        """Delete an object, as another client would."""
        del self._objects[kind, namespace, name]

    def collect_garbage(self) -> None:
        """Delete the objects whose owners no longer exist."""
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

    # Internals.

    def _call(self, method: str) -> _PreparedFailure | None:
        self.calls.append(method)
        if method in self._before:
            self._before[method]()
        failures = self._failures.get(method)
        failure = failures.popleft() if failures else None
        if failure is not None and failure.error is not None and not failure.carried_out:
            raise failure.error
        return failure

    def _create(self, method: str, namespace: str, manifest: Manifest) -> Raw | None:
        failure = self._call(method)
        body: Raw = manifest
        assert body["metadata"]["namespace"] == namespace
        if (body["kind"], namespace, body["metadata"]["name"]) in self._objects:
            return None
        with self._lock:
            self.sent["create"] += len(json.dumps(manifest))
            raw = self._answer("create", self.put(manifest))
        if raw["kind"] == "Job":
            raw["status"] = {"startTime": self._stamp()}
            raw["spec"] = self._stored_spec(raw)
        if failure is not None and failure.error is not None:
            raise failure.error
        return None if failure is not None else raw

    def _answer(self, verb: str, raw: Raw) -> Raw:
        self.received[verb] += len(json.dumps(raw))
        return raw

    def _stored_spec(self, job: Raw) -> Raw:
        return {k: v for k, v in job["spec"].items() if k not in self.ignores} | self.adds

    def _select(self, kind: str, namespace: str, selector: str) -> list[Raw]:
        return [
            raw
            for (other_kind, other_namespace, _), raw in self._objects.items()
            if other_kind == kind
            and namespace in {"", other_namespace}
            and _matches(raw["metadata"].get("labels") or {}, selector)
        ]

    def _selected_jobs(self, namespace: str, selector: str) -> list[str]:
        return [json.dumps(raw) for raw in self._select("Job", namespace, selector)]

    def _put_pod(self, job: str, index: int, phase: str, state: Raw) -> str:
        owner = self.raw("Job", job)
        name = f"{job}-{index}-abcde"
        labels = {
            **owner["spec"]["template"]["metadata"]["labels"],
            "batch.kubernetes.io/controller-uid": owner["metadata"]["uid"],
            "batch.kubernetes.io/job-name": job,
            "batch.kubernetes.io/job-completion-index": str(index),
        }
        meta = {"name": name, "namespace": owner["metadata"]["namespace"], "labels": labels}
        refs = [{"kind": "Job", "name": job, "uid": owner["metadata"]["uid"]}]
        previous = self._objects.get(("Pod", meta["namespace"], name))
        kept = {} if previous is None else {"creationTimestamp": _created(previous)}
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

    def _started_at(self, pod: str) -> object:
        """Return when a pod started that runs; None if there is none."""
        for (kind, _, name), raw in self._objects.items():
            if (kind, name) == ("Pod", pod):
                for status in raw["status"].get("containerStatuses", []):
                    return status["state"].get("running", {}).get("startedAt")
        return None

    def _fail_index(self, pod: Raw) -> None:
        """Count a deleted pod as failed, as the Job controller does (measured)."""
        labels = pod["metadata"]["labels"]
        uid = labels["batch.kubernetes.io/controller-uid"]
        index = labels["batch.kubernetes.io/job-completion-index"]
        self._deleted.setdefault(uid, []).append(index)

    def _recount(self, job: Raw) -> None:
        """Write the Job's status as its controller does, except for the conditions."""
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
            indexes = set(phases.get(phase, []))
            if phase == "Failed":
                indexes.update(self._deleted.get(uid, []))
            job["status"][key] = ",".join(sorted(indexes, key=int))

    def _stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _created(raw: Raw) -> object:
    return raw["metadata"]["creationTimestamp"]


def _matches(labels: Mapping[str, str], selector: str) -> bool:
    for part in filter(None, selector.split(",")):
        name, operator, value = part.partition("!=")
        if operator:
            if labels.get(name) == value:
                return False
        else:
            name, _, value = part.partition("=")
            if labels.get(name) != value:
                return False
    return True


def _check_protocols(
    cluster: FakeCluster, observer: RecordingObserver
) -> tuple[Cluster, RunObserver]:
    """Let mypy check that the fakes implement the Protocols; never called."""
    return cluster, observer
