"""How much one run may hold in memory: beyond it, further reports are named and not merged.

It must not drop anything silently: what is not admitted has its reason in the coverage.
"""

from __future__ import annotations

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
    """Counts what was admitted so far; one for each run, or for each part that is held at once.

    Attributes:
        max_samples: the most latency samples of all admitted reports together.
        max_errors: the most failed requests with their texts.
    """

    max_samples: int = MAX_RUN_SAMPLES
    max_errors: int = MAX_RUN_ERRORS
    _samples: int = 0
    _errors: int = 0

    def accept(self, outcome: PodOutcome) -> PodOutcome:
        """The outcome, or one without its report and with the reason `over-limit`.

        A smaller report may still be admitted after a larger one was not.
        """
        report = outcome.report
        if report is None:
            return outcome
        samples = 0 if report.latencies_by_url is None else report.samples or 0
        errors = len(report.errors)
        for what, so_far, more, most in (
            ("samples", self._samples, samples, self.max_samples),
            ("errors", self._errors, errors, self.max_errors),
        ):
            if so_far + more > most:
                return replace(
                    outcome,
                    report=None,
                    missing=MissingReason.OVER_LIMIT,
                    detail=f"its {more:,} {what} would make more than the {most:,} that one run "
                    "may have; split the run, or shorten its load",
                )
        self._samples += samples
        self._errors += errors
        return outcome
