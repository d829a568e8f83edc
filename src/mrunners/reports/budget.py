"""The bounds on what one run may hold in memory.

Samples beyond theirs go to a file; reports with errors beyond theirs are named as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mrunners.reports.latency_column import SampleFile
from mrunners.reports.outcomes import MissingReason, PodOutcome

__all__ = ["MAX_RAW_SAMPLES", "MAX_RUN_ERRORS", "MAX_SAMPLES_IN_MEMORY", "SampleBudget"]

# A sample is 8 bytes in its column: 256 MB. Three times what 1,000 pods with a full log of 10,000
# samples give.
MAX_SAMPLES_IN_MEMORY = 32_000_000

# A merged report that keeps every sample has a Python object of some 100 bytes for each: 10 GB.
MAX_RAW_SAMPLES = 100_000_000

# A failed request is a record with its own texts, some 500 bytes: 1 GB.
MAX_RUN_ERRORS = 2_000_000


@dataclass(slots=True)
class SampleBudget:
    """How much the reports of one run may have together, and where their samples are kept.

    Use one budget for all outcomes that are held at the same time, and pass each outcome through
    it once, in plan order. `accept_all()` is lazy, so the samples of a report that does not fit
    into memory are in the file before the next one is read:

        outcomes = list(SampleBudget(SpillFile()).accept_all(read_outcomes()))

    Nothing is dropped silently: an outcome whose report does not fit stays, without its report and
    with the reason `over-limit`, so that the coverage names its pod.

    Attributes:
        file: Keeps the samples of the reports that do not fit into memory; None has no room.
        raw: Whether the merged report is to keep every sample, which must then be in memory.
        max_samples: Maximum number of latency samples of all accepted reports together; None if
            only the file limits it.
        max_errors: Maximum number of failed requests, which are kept with their texts.
        max_samples_in_memory: How many samples are not in the file.
    """

    file: SampleFile | None = None
    raw: bool = False
    max_samples: int | None = None
    max_errors: int = MAX_RUN_ERRORS
    max_samples_in_memory: int = MAX_SAMPLES_IN_MEMORY
    _samples: int = 0
    _samples_in_memory: int = 0
    _errors: int = 0

    def accept(self, outcome: PodOutcome) -> PodOutcome:
        """Count an outcome's report, and take the report away if it does not fit.

        A smaller report may still fit after a larger one did not.

        Returns:
            The outcome itself; without its report and with the reason `over-limit` when the
            report would exceed the budget, or when its samples cannot be written to the file.
        """
        report = outcome.report
        if report is None:
            return outcome
        samples = 0 if report.latencies_by_url is None else report.samples or 0
        errors = len(report.errors)
        for noun, used, more, maximum in (
            ("samples", self._samples, samples, self._most_samples()),
            ("errors", self._errors, errors, self.max_errors),
        ):
            if maximum is not None and used + more > maximum:
                return _over_limit(
                    outcome,
                    f"with its {more:,} {noun} the run would exceed the limit of {maximum:,}; "
                    "split the run, or shorten its load",
                )
        columns = (report.latencies_by_url or {}).values()
        # A batch of Jobs has a file of its own.
        in_memory = sum(column.samples_in_memory for column in columns)
        if self._samples_in_memory + in_memory <= self.max_samples_in_memory:
            self._samples_in_memory += in_memory
        elif self.file is not None:
            try:
                for column in columns:
                    column.spill(self.file)
            except OSError as error:
                return _over_limit(
                    outcome,
                    f"its {samples:,} samples do not fit into memory, and there is no room for "
                    f"them on disk: {error.strerror or error}",
                )
        self._samples += samples
        self._errors += errors
        return outcome

    def accept_all(self, outcomes: Iterable[PodOutcome]) -> Iterator[PodOutcome]:
        """Yield every outcome as `accept()` returns it; the next one is read only after that."""
        for outcome in outcomes:
            yield self.accept(outcome)

    def _most_samples(self) -> int | None:
        limits = (
            self.max_samples,
            self.max_samples_in_memory if self.file is None else None,
            MAX_RAW_SAMPLES if self.raw else None,
        )
        return min((limit for limit in limits if limit is not None), default=None)


def _over_limit(outcome: PodOutcome, detail: str) -> PodOutcome:
    return replace(outcome, report=None, missing=MissingReason.OVER_LIMIT, detail=detail)
