"""Keeps fetched reports on this machine's disk, safe from lost nodes and deleted Jobs.

A report is known by what the plan says about its pod: the run, the Job's name and the completion
index. So it is found when its Job no longer exists, and counts when its Job was created again. The
store also remembers which Jobs were created, because their load must never run twice, where pods
ran (`run.lost_pods`), and what the run was (`run.kept_runs`). It keeps bytes and checks that they
are what was put in; it parses no report. Where the disk cannot be written, it lasts as long as the
process.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from mrunners.records import Record
from mrunners.reports.gunzip import unpacked
from mrunners.run.kept_runs import KeptRuns
from mrunners.run.lost_pods import SeenPods
from mrunners.run.store_files import MAX_MEMORY_BYTES, StoreFiles

__all__ = ["PodFacts", "ReportAddress", "ReportStore", "StoredRun", "default_store_path"]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store knows it.

    Attributes:
        run_id: Two runs with the same run key, such as those of two nights, have the same one.
        tracker_uid: The UID of the run's tracker, which no other run has.
    """

    run_id: str
    tracker_uid: str


class ReportAddress(Record):
    """What an entry is a report of; kept in it, so that a file that was moved is not believed."""

    run_id: str
    tracker_uid: str
    job: str
    index: int

    @classmethod
    def of(cls, run: StoredRun, job: str, index: int) -> ReportAddress:
        """Return the address of a planned pod's report."""
        return cls(run_id=run.run_id, tracker_uid=run.tracker_uid, job=job, index=index)


# Debian's home of users that have none. It does not exist.
_NO_HOME = Path("/nonexistent/.local/state")


class PodFacts(Record):
    """What a report does not say about its pod; kept beside it.

    Attributes:
        sha256: Of the raw report, in hexadecimal.
        image_id: The image that ran, with its digest; empty in entries of earlier releases.
        load_started_at: When the load began, in more than whole seconds; None where it is not said.
        address: What it is a report of; None in entries of releases that knew the Job's UID only.
    """

    pod: str
    node: str | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    exit_code: int | None
    sha256: str
    image_id: str = ""
    load_started_at: AwareDatetime | None = None
    address: ReportAddress | None = None


def default_store_path() -> Path:
    """Return `$XDG_STATE_HOME/mrunners/reports` (XDG Base Directory Specification).

    Nothing can be kept there when this user has no home, as a random UID in a container.
    """
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    except RuntimeError:
        state = _NO_HOME
    return state / "mrunners" / "reports"


class ReportStore:
    """Reports by run, Job and completion index: `RUN-ID.TRACKER-UID/JOB/INDEX.json`.

    Entries appear whole or not at all; several processes may write the same one. Entries of
    releases that knew only the Job's UID (`JOB-UID/INDEX.json`) are still read, which costs a look
    at a file that mostly does not exist: a run that was started before an upgrade loses nothing.
    """

    def __init__(
        self,
        root: Path,
        warn: Callable[[str], None] | None = None,
        *,
        max_memory_bytes: int = MAX_MEMORY_BYTES,
    ) -> None:
        """Open a store.

        Args:
            root: Its folder; created when something is put in.
            warn: Is told once when the folder cannot be written; None means the logger `mrunners`.
            max_memory_bytes: How much of what cannot be written is kept.
        """
        self._root = root
        self._files = StoreFiles(root, warn, max_memory_bytes=max_memory_bytes)
        # By raw file: the hash of what it was found to hold.
        self._whole: dict[Path, str] = {}

    def seen_pods(self, run: StoredRun) -> SeenPods:
        """Return what is remembered of the pods of a run, whether they exist or not."""
        return SeenPods(self._files, self._run_folder(run))

    def kept_runs(self) -> KeptRuns:
        """Return the runs whose reports are kept."""
        return KeptRuns(self._files, self._root)

    def get(
        self, address: ReportAddress, *, job_uid: str | None = None
    ) -> tuple[bytes, PodFacts] | None:
        """Return the raw report and its pod's facts; None when there is none or it is damaged.

        Args:
            address: Which report.
            job_uid: The UID of the Job that exists, for entries of earlier releases.
        """
        stored = self._read(*_paths(self._folder(address), address.index), address)
        if stored is None and job_uid is not None:
            stored = self._read(*_paths(self._root / job_uid, address.index), None)
        return stored

    def has(self, address: ReportAddress, *, job_uid: str | None = None) -> bool:
        """Whether `get` would return a report; after the first time it is cheaper to ask."""
        if self._holds(*_paths(self._folder(address), address.index), address) is not None:
            return True
        if job_uid is None:
            return False
        return self._holds(*_paths(self._root / job_uid, address.index), None) is not None

    def put(
        self,
        address: ReportAddress,
        raw: bytes,
        *,
        packed: bytes | None = None,
        pod: str,
        node: str | None,
        started_at: datetime | None,
        finished_at: datetime | None,
        exit_code: int | None,
        image_id: str = "",
        load_started_at: datetime | None = None,
    ) -> PodFacts:
        """Keep a report; if that is impossible, `has` says so.

        Args:
            address: Which report.
            raw: Its text.
            packed: The same as one gzip stream, if there is one; packing takes far more time than
                all else that is done with a report.
            pod: The pod's name.
            node: The node that it ran on.
            started_at: When kperf's container started.
            finished_at: When it ended.
            exit_code: Its exit code.
            image_id: The image that it ran.
            load_started_at: When its load began.
        """
        facts = PodFacts(
            pod=pod,
            node=node,
            started_at=started_at,
            finished_at=finished_at,
            exit_code=exit_code,
            sha256=hashlib.sha256(raw).hexdigest(),
            image_id=image_id,
            load_started_at=load_started_at,
            address=address,
        )
        raw_path, facts_path = _paths(self._folder(address), address.index)
        # The facts come second: an entry exists once they do. Their hash reveals a damaged one.
        if packed is None:
            packed = gzip.compress(raw, compresslevel=6, mtime=0)
        self._whole.pop(raw_path, None)
        if self._files.write(raw_path, packed):
            self._files.write(facts_path, facts.model_dump_json().encode())
        return facts

    def note_created(self, run: StoredRun, job: str) -> None:
        """Remember that a Job was created."""
        self._files.make_folder(self._run_folder(run) / job)

    def created_jobs(self, run: StoredRun) -> frozenset[str]:
        """Return the Jobs that are known to have been created: each has a folder."""
        return self._files.names(self._run_folder(run))

    def succeeded_pods(self, run: StoredRun, job: str) -> int:
        """Return how many pods of a Job have a report here and ended with exit code 0."""
        folder, count = self._run_folder(run) / job, 0
        for name in self._files.names(folder):
            index = name.removesuffix(".json")
            if not index.isdecimal() or index == name:
                continue
            address = ReportAddress.of(run, job, int(index))
            facts = self._holds(*_paths(folder, address.index), address)
            count += facts is not None and facts.exit_code == 0
        return count

    def _read(
        self, raw_path: Path, facts_path: Path, address: ReportAddress | None
    ) -> tuple[bytes, PodFacts] | None:
        facts = self._facts(facts_path, address)
        if facts is None:
            return None
        try:
            packed = self._files.read(raw_path)
            raw = unpacked(packed) or gzip.decompress(packed)
        except (OSError, EOFError, zlib.error):
            return None
        if hashlib.sha256(raw).hexdigest() != facts.sha256:
            return None
        self._whole[raw_path] = facts.sha256
        return raw, facts

    def _holds(
        self, raw_path: Path, facts_path: Path, address: ReportAddress | None
    ) -> PodFacts | None:
        """Return the facts of an entry whose report is whole, which is read once per process.

        After a crash or on a full disk the facts may be there without it.
        """
        facts = self._facts(facts_path, address)
        if facts is None:
            return None
        if self._whole.get(raw_path) != facts.sha256:
            return facts if self._read(raw_path, facts_path, address) else None
        return facts if self._files.exists(raw_path) else None

    def _facts(self, facts_path: Path, address: ReportAddress | None) -> PodFacts | None:
        try:
            facts = PodFacts.model_validate_json(self._files.read(facts_path))
        except (OSError, ValidationError):
            return None
        return facts if facts.address == address else None

    def _run_folder(self, run: StoredRun) -> Path:
        return self._root / f"{run.run_id}.{run.tracker_uid}"

    def _folder(self, address: ReportAddress) -> Path:
        run = StoredRun(address.run_id, address.tracker_uid)
        return self._run_folder(run) / address.job


def _paths(folder: Path, index: int) -> tuple[Path, Path]:
    return folder / f"{index}.report.json.gz", folder / f"{index}.json"
