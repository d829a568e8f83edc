"""Keeps fetched reports on this machine's disk, safe from lost nodes and deleted Jobs.

The store keeps bytes and checks that they are what was put in; it parses nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from mrunners.atomic_write import write_atomic
from mrunners.records import Record

__all__ = ["PodFacts", "ReportStore", "default_store_path"]


class PodFacts(Record):
    """What a report does not say about its pod; kept beside it.

    Attributes:
        sha256: Of the raw report, in hexadecimal.
    """

    pod: str
    node: str | None
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    exit_code: int | None
    sha256: str


def default_store_path() -> Path:
    """Return `$XDG_STATE_HOME/mrunners/reports` (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "mrunners" / "reports"


class ReportStore:
    """Reports by Job UID and completion index.

    A UID is never used twice, so an entry never goes stale. Entries appear whole or not at all;
    several processes may write the same one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The folder, with one folder per Job UID."""
        return self._root

    def get(self, job_uid: str, index: int) -> tuple[bytes, PodFacts] | None:
        """Return the raw report and its pod's facts; None when there is none or it is damaged."""
        raw_path, facts_path = self._paths(job_uid, index)
        try:
            facts = PodFacts.model_validate_json(facts_path.read_bytes())
            raw = gzip.decompress(raw_path.read_bytes())
        except (OSError, EOFError, zlib.error, ValidationError):
            return None
        return (raw, facts) if hashlib.sha256(raw).hexdigest() == facts.sha256 else None

    def has(self, job_uid: str, index: int) -> bool:
        """Whether there is an entry; cheaper than reading it."""
        return self._paths(job_uid, index)[1].is_file()

    def put(
        self,
        job_uid: str,
        index: int,
        raw: bytes,
        *,
        pod: str,
        node: str | None,
        started_at: datetime | None,
        finished_at: datetime | None,
        exit_code: int | None,
    ) -> PodFacts:
        """Keep a report.

        Raises:
            OSError: The disk is full or not writable.
        """
        facts = PodFacts(
            pod=pod,
            node=node,
            started_at=started_at,
            finished_at=finished_at,
            exit_code=exit_code,
            sha256=hashlib.sha256(raw).hexdigest(),
        )
        raw_path, facts_path = self._paths(job_uid, index)
        # The facts come second: an entry exists once they do. Their hash reveals a damaged one.
        packed = gzip.compress(raw, compresslevel=6, mtime=0)
        write_atomic(packed, raw_path, private=True, sync=False)
        write_atomic(facts.model_dump_json().encode(), facts_path, private=True, sync=False)
        return facts

    def _paths(self, job_uid: str, index: int) -> tuple[Path, Path]:
        folder = self._root / job_uid
        return folder / f"{index}.report.json.gz", folder / f"{index}.json"
