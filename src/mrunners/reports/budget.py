"""The bound on how much one run may hold in memory; reports beyond it are named as missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mrunners.reports.outcomes import MissingReason, PodOutcome

__all__ = ["MAX_RUN_ERRORS", "MAX_RUN_SAMPLES", "SampleBudget"]

# A sample is 8 bytes in its array: 800 MB. Ten times what 1,000 pods with a full log of 10,000
# samples give.
MAX_RUN_SAMPLES = 100_000_000

# A failed request is a record with its own texts, some 500 bytes: 1 GB.
MAX_RUN_ERRORS = 2_000_000


@dataclass(slots=True)
class SampleBudget:
    """How many samples and errors the reports of one run may have together.

    Use one budget for all outcomes that are held at the same time, and pass each outcome through
    it once, in plan order. `accept_all()` is lazy, so a report that does not fit is released
    before the next one is read:

        outcomes = list(SampleBudget().accept_all(read_outcomes()))

    Nothing is dropped silently: an outcome whose report does not fit stays, without its report and
    with the reason `over-limit`, so that the coverage names its pod.

    Attributes:
        max_samples: Maximum number of latency samples of all accepted reports together.
        max_errors: Maximum number of failed requests, which are kept with their texts.
    """

    max_samples: int = MAX_RUN_SAMPLES
    max_errors: int = MAX_RUN_ERRORS
    _samples: int = 0
    _errors: int = 0

    def accept(self, outcome: PodOutcome) -> PodOutcome:
        """Count an outcome's report, and take the report away if it does not fit.

        A smaller report may still fit after a larger one did not.

        Returns:
            The outcome itself; without its report and with the reason `over-limit` when the
            report would exceed the budget.
        """
        report = outcome.report
        if report is None:
            return outcome
        samples = 0 if report.latencies_by_url is None else report.samples or 0
        errors = len(report.errors)
        for noun, used, more, maximum in (
            ("samples", self._samples, samples, self.max_samples),
            ("errors", self._errors, errors, self.max_errors),
        ):
            if used + more > maximum:
                return replace(
                    outcome,
                    report=None,
                    missing=MissingReason.OVER_LIMIT,
                    detail=f"with its {more:,} {noun} the run would exceed the limit of "
                    f"{maximum:,}; split the run, or shorten its load",
                )
        self._samples += samples
        self._errors += errors
        return outcome

    def accept_all(self, outcomes: Iterable[PodOutcome]) -> Iterator[PodOutcome]:
        """Yield every outcome as `accept()` returns it; the next one is read only after that."""
        for outcome in outcomes:
            yield self.accept(outcome)
