"""What the fault tests count, so that `make test-faults` can say it in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from tests.cluster.fault_rows import FaultRow
from tests.cluster.hosts import HOSTS

__all__ = ["PROPERTY", "Tally"]

# The name under which a test's report carries its tally, also from another process.
PROPERTY = "fault tally"


@dataclass(frozen=True)
class Tally:
    """Numbers that add up over tests.

    Attributes:
        fault_runs: Runs behind a proxy that lets requests go wrong.
        faults: How many requests went wrong there.
        kill_runs: Runs of which a process was killed.
        kills: How many processes were killed.
        lost: Reports that were planned and are in no merged report, although the run was marked as
            collected, or nothing more could be done to get them.
        twice: Jobs of a plan that were created, or completion indexes that were run, once more.
        false_success: Successes that were claimed and were none.
        expected: Reports that were planned.
        fetched: Reports that are in a merged report.
    """

    fault_runs: int = 0
    faults: int = 0
    kill_runs: int = 0
    kills: int = 0
    lost: int = 0
    twice: int = 0
    false_success: int = 0
    expected: int = 0
    fetched: int = 0

    @classmethod
    def total(cls, tallies: Iterable[Self]) -> Self:
        """Return the sum."""
        listed = list(tallies)
        return cls(*(sum(getattr(one, field.name) for one in listed) for field in fields(cls)))

    @property
    def flawless(self) -> bool:
        """Whether nothing was lost, made twice or wrongly called a success."""
        return (self.lost, self.twice, self.false_success) == (0, 0, 0)

    def row(self, fault: str) -> FaultRow:
        """Return these numbers as a row of the table of faults."""
        return FaultRow(
            fault=fault,
            hosts=HOSTS,
            runs=self.fault_runs + self.kill_runs,
            expected=self.expected,
            fetched=self.fetched,
            missing={},
            lost=self.lost,
            twice=self.twice,
            false_success=self.false_success,
        )

    def __str__(self) -> str:
        return (
            f"faults: {self.fault_runs} runs, {self.faults} faults met; "
            f"kills: {self.kill_runs} runs, {self.kills} kills; "
            f"lost {self.lost}, twice {self.twice}, false success {self.false_success}"
        )
