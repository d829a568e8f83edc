"""The runs whose reports are kept on this machine.

A run's plan, what was run, and why reports are missing are kept beside its reports
(`run.report_store`), so that `run.kept_report` can merge them again after the run was deleted.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, ValidationError

from mrunners.errors import InvalidInputError
from mrunners.formatting import counted
from mrunners.plan.plan import RunPlan
from mrunners.records import Record
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.reports.provenance import RunFacts
from mrunners.run.store_files import StoreFiles

__all__ = ["KeptRun", "KeptRuns", "MissingPod", "RunEnd", "find_kept_run", "name_of_kept_run"]

R = TypeVar("R", bound=Record)

_RUN, _END, _FACTS = "run.json.gz", "end.json.gz", "facts.json.gz"

# A plan fits into a ConfigMap of 1 MiB, and 150,000 missing pods take less than this.
_MAX_BYTES = 64 * 1024 * 1024


class KeptRun(Record):
    """A run whose reports are kept.

    Attributes:
        tracker_uid: The UID of its tracker, which no other run has.
        created: When the tracker was created, by the API server's clock.
        server: The URL of the API server that was loaded.
    """

    tracker_uid: str
    created: AwareDatetime
    server: str
    plan: RunPlan

    @property
    def name(self) -> str:
        """The name of its folder, which no other run has."""
        return f"{self.plan.run_id}.{self.tracker_uid}"


class MissingPod(Record):
    """A pod without a report that could be merged, and why: as `PodOutcome` has it."""

    job: str
    index: int
    missing: MissingReason
    detail: str
    pod: str | None
    node: str | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    exit_code: int | None
    image_id: str = ""


class RunEnd(Record):
    """What was missing when the run's report was collected last, which no report says."""

    failures: tuple[str, ...] = ()
    missing: tuple[MissingPod, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """The runs in a report store, one folder each: `RUN-ID.TRACKER-UID`."""

    files: StoreFiles
    root: Path

    def add(self, plan: RunPlan, tracker_uid: str, created: datetime, server: str) -> None:
        """Keep a run's plan, unless it is kept already."""
        path = self.root / f"{plan.run_id}.{tracker_uid}" / _RUN
        if not self.files.exists(path):
            run = KeptRun(tracker_uid=tracker_uid, created=created, server=server, plan=plan)
            self._write(path, run)

    def note_end(
        self,
        plan: RunPlan,
        tracker_uid: str,
        outcomes: Iterable[PodOutcome],
        failures: Sequence[str],
        facts: RunFacts,
    ) -> None:
        """Keep why reports are missing and what was run, of a run that has ended and is kept."""
        folder = self.root / f"{plan.run_id}.{tracker_uid}"
        if not self.files.exists(folder / _RUN):
            return
        missing = [
            MissingPod(**{name: getattr(outcome, name) for name in MissingPod.model_fields})
            for outcome in outcomes
            if outcome.missing is not None
        ]
        self._write(folder / _END, RunEnd(failures=tuple(failures), missing=tuple(missing)))
        self._write(folder / _FACTS, facts)

    def count_reports(self, run: KeptRun) -> int:
        """Return how many reports of a run are kept; they are not read."""
        folder = self.root / run.name
        names = (name for job in run.plan.jobs for name in self.files.names(folder / job.name))
        return sum(name.endswith(".report.json.gz") for name in names)

    def end_of(self, run_id: str, tracker_uid: str) -> RunEnd:
        """Return what was missing when a run was collected; nothing if it never was."""
        path = self.root / f"{run_id}.{tracker_uid}" / _END
        return self._load(path, RunEnd) or RunEnd()

    def facts_of(self, run_id: str, tracker_uid: str) -> RunFacts | None:
        """Return what was run, as it was known when the run was collected; None if it never was."""
        return self._load(self.root / f"{run_id}.{tracker_uid}" / _FACTS, RunFacts)

    def all(self) -> list[KeptRun]:
        """Return the runs that can be read, the newest first."""
        folders = [self.root / name for name in self.files.names(self.root) if "." in name]
        runs = [run for folder in folders if (run := self._read(folder)) is not None]
        return sorted(runs, key=lambda run: (run.created, run.tracker_uid), reverse=True)

    def _read(self, folder: Path) -> KeptRun | None:
        run = self._load(folder / _RUN, KeptRun)
        # A folder that was moved would lend its reports to another run.
        if run is None or folder.name != run.name:
            return None
        return run

    def _load(self, path: Path, kind: type[R]) -> R | None:
        try:
            packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            return kind.model_validate_json(packed.decompress(self.files.read(path), _MAX_BYTES))
        except (OSError, zlib.error, ValidationError):
            return None

    def _write(self, path: Path, record: Record) -> None:
        content = record.model_dump_json(by_alias=True).encode()
        self.files.write(path, gzip.compress(content, mtime=0))


def name_of_kept_run(run: KeptRun, runs: Sequence[KeptRun]) -> str:
    """Return the shortest name by which `find_kept_run` finds this run, and no other, among all."""
    alone = sum(other.plan.run_id == run.plan.run_id for other in runs) == 1
    return run.plan.run_id if alone else run.name


def find_kept_run(runs: Sequence[KeptRun], run_id: str) -> KeptRun:
    """Return the run with this ID, or the only one whose ID begins so.

    Args:
        runs: The newest first.
        run_id: Of runs with the same run key, which have the same one, the newest is meant, unless
            the UID of its tracker follows behind a dot.

    Raises:
        InvalidInputError: There is none, or different runs begin so.
    """
    found = [run for run in runs if run.name.startswith(run_id)]
    if not found or not run_id:
        raise InvalidInputError(f"no reports of a run {run_id!r} are kept on this machine")
    if len(ids := {run.plan.run_id for run in found}) > 1:
        raise InvalidInputError(
            f"{counted(len(ids), 'run')} kept on this machine begin with {run_id}: "
            f"{', '.join(sorted(ids))}; give more of the ID"
        )
    return found[0]
