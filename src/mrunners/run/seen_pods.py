"""Keeps on this machine's disk which pods a wait has seen, for when they are deleted.

A deleted pod leaves nothing in the cluster but a failed index of its Job: only who has seen it can
say where it ran.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import AwareDatetime, RootModel, ValidationError

from mrunners.atomic_write import write_atomic
from mrunners.kube.objects import Pod
from mrunners.records import Record

__all__ = ["SeenPods"]


class _SeenPod(Record):
    name: str
    uid: str
    node: str
    created: AwareDatetime
    started: AwareDatetime | None


class _SeenPodsOfJob(RootModel[dict[int, _SeenPod]]):
    """The pods of one Job, by completion index."""


class SeenPods:
    """The pods of any run that were ever seen on a node, by Job UID and completion index."""

    def __init__(self, root: Path) -> None:
        """Read nothing yet.

        Args:
            root: A folder with one folder per Job UID.
        """
        self._root = root
        self._jobs: dict[str, dict[int, _SeenPod]] = {}

    def get(self, job_uid: str, index: int) -> Pod | None:
        """Return what is known of a pod that may be gone; None if it was never seen."""
        seen = self._of_job(job_uid).get(index)
        if seen is None:
            return None
        return Pod(
            name=seen.name,
            uid=seen.uid,
            job_uid=job_uid,
            index=index,
            phase="Unknown",
            created=seen.created,
            node=seen.node,
            started=seen.started,
        )

    def add(self, pods: Iterable[Pod]) -> None:
        """Keep what these pods show, once they are on a node.

        Raises:
            OSError: The disk is full or not writable.
        """
        changed: set[str] = set()
        for pod in pods:
            if pod.job_uid is None or pod.index is None or pod.node is None:
                continue
            seen = _SeenPod(
                name=pod.name, uid=pod.uid, node=pod.node, created=pod.created, started=pod.started
            )
            of_job = self._of_job(pod.job_uid)
            if of_job.get(pod.index) != seen:
                of_job[pod.index] = seen
                changed.add(pod.job_uid)
        for job_uid in changed:
            text = _SeenPodsOfJob(self._jobs[job_uid]).model_dump_json()
            write_atomic(text.encode(), self._path(job_uid), private=True, sync=False)

    def _of_job(self, job_uid: str) -> dict[int, _SeenPod]:
        if job_uid not in self._jobs:
            try:
                text = self._path(job_uid).read_bytes()
                self._jobs[job_uid] = _SeenPodsOfJob.model_validate_json(text).root
            except (OSError, ValidationError):
                self._jobs[job_uid] = {}
        return self._jobs[job_uid]

    def _path(self, job_uid: str) -> Path:
        return self._root / job_uid / "pods.json"
