"""Keeps beside the reports which pods a wait has seen, for when they are deleted.

A deleted pod leaves nothing in the cluster but a failed index of its Job, and for an hour the
scheduler's event: only who has seen it can say for sure where it ran.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import AwareDatetime, RootModel, ValidationError

from mrunners.kube.objects import Pod
from mrunners.records import Record
from mrunners.run.store_files import StoreFiles

__all__ = ["SeenPods"]


class _SeenPod(Record):
    name: str
    uid: str
    job_uid: str
    node: str
    created: AwareDatetime
    started: AwareDatetime | None


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
