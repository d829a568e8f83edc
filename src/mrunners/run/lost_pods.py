"""Finds out where pods ran that do not exist any more.

A deleted pod leaves nothing in the cluster but a failed index of its Job, and for an hour the
scheduler's event: only who has seen it can say for sure where it ran. So a wait keeps beside the
reports which pods it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import AwareDatetime, RootModel, ValidationError

from mrunners.kube.api import Cluster
from mrunners.kube.objects import Placement, Pod
from mrunners.records import Record
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.store_files import StoreFiles
from mrunners.status.run_state import JobState

__all__ = ["LostPods", "SeenPods", "deletion_line", "latest_version"]


def deletion_line(pod: Pod, last: Pod | None) -> str:
    """Return the line that tells of a pod that was deleted before it ended.

    Args:
        pod: As it was when it was seen last.
        last: As it was when it was deleted; None if that is unknown. Pods are not read at each
            poll, so then nobody knows whether one had started that was not seen to.
    """
    when = "while it ran" if pod.started or (last and last.started) else "before it ended"
    if last is None:
        why = ": drained, evicted, by hand, or with its node"
    else:
        # Kubernetes says why it deletes a pod; what is left is a request like kubectl delete's.
        why = f": {last.disrupted}" if last.disrupted else ", by a person or a program"
    return f"pod/{pod.name} on {(last or pod).node} was deleted {when}{why}"


def latest_version(pods: Iterable[Pod]) -> str:
    """Return the resource version of what changed last of some pods; empty if there is none."""
    # Decimal numbers, of which a later one is larger (KEP-5504).
    versions = [pod.resource_version for pod in pods if pod.resource_version.isdecimal()]
    return max(versions, key=int, default="")


@dataclass(slots=True)
class LostPods:
    """The placements of a namespace's pods, read once, and only when a pod is gone.

    A cluster keeps events for an hour by default, so that a pod's node is known for that long.

    Attributes:
        cluster: Where the placements are read.
        namespace: The run's namespace.
    """

    cluster: Cluster
    namespace: str
    _placements: list[Placement] | None = field(default=None, init=False)

    def located(self, job: JobState, outcome: PodOutcome) -> PodOutcome:
        """Return the outcome with the pod's name and node, where it lacks them and they are known.

        Args:
            job: The Job of the pod.
            outcome: Of any pod of the Job.
        """
        if outcome.missing is not MissingReason.POD_GONE or outcome.pod or job.actual is None:
            return outcome
        if self._placements is None:
            self._placements = self.cluster.list_placements(self.namespace)
        # As the Job controller names the pods of an Indexed Job. An earlier Job may have had this
        # name, so that only what is younger than the Job counts.
        name = re.compile(rf"{re.escape(outcome.job)}-{outcome.index}-[a-z0-9]{{5}}")
        placements = [
            placement
            for placement in self._placements
            if placement.node is not None
            and placement.at >= job.actual.created
            and name.fullmatch(placement.pod)
        ]
        if not placements:
            return outcome
        last = max(placements, key=lambda placement: placement.at)
        return replace(outcome, pod=last.pod, node=last.node)


class _SeenPod(Record):
    name: str
    uid: str
    job_uid: str
    node: str
    created: AwareDatetime
    started: AwareDatetime | None
    disrupted: str = ""


class _SeenPodsOfJob(RootModel[dict[int, _SeenPod]]):
    """The pods of one Job, by completion index."""


class SeenPods:
    """The pods of one run that were ever seen on a node, by Job and completion index."""

    def __init__(self, files: StoreFiles, folder: Path) -> None:
        """Read nothing yet.

        Args:
            files: The files of the report store.
            folder: The run's folder, with one folder per Job: `JOB/pods.json`.
        """
        self._files, self._folder = files, folder
        self._jobs: dict[str, dict[int, _SeenPod]] = {}

    def get(self, job: str, index: int) -> Pod | None:
        """Return what is known of a pod that may be gone; None if it was never seen."""
        seen = self._of_job(job).get(index)
        if seen is None:
            return None
        return Pod(
            name=seen.name,
            uid=seen.uid,
            job_uid=seen.job_uid,
            index=index,
            phase="Unknown",
            created=seen.created,
            node=seen.node,
            started=seen.started,
            job_name=job,
            disrupted=seen.disrupted,
        )

    def add(self, job: str, pods: Iterable[Pod]) -> None:
        """Keep what these pods of a Job show, once they are on a node."""
        of_job = self._of_job(job)
        changed = False
        for pod in pods:
            if pod.job_uid is None or pod.index is None or pod.node is None:
                continue
            seen = _SeenPod(
                name=pod.name,
                uid=pod.uid,
                job_uid=pod.job_uid,
                node=pod.node,
                created=pod.created,
                started=pod.started,
                disrupted=pod.disrupted,
            )
            changed = changed or of_job.get(pod.index) != seen
            of_job[pod.index] = seen
        if changed:
            content = _SeenPodsOfJob(of_job).model_dump_json().encode()
            self._files.write(self._path(job), content)

    def _of_job(self, job: str) -> dict[int, _SeenPod]:
        if job not in self._jobs:
            try:
                content = self._files.read(self._path(job))
                self._jobs[job] = _SeenPodsOfJob.model_validate_json(content).root
            except (OSError, ValidationError):
                self._jobs[job] = {}
        return self._jobs[job]

    def _path(self, job: str) -> Path:
        return self._folder / job / "pods.json"
