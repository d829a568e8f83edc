"""The life of a run whose pods never start, with faults while they are kept from starting."""

from __future__ import annotations

from mrunners.connection import Connection
from mrunners.errors import IncompleteError
from mrunners.plan.options import RunOptions
from mrunners.reports.outcomes import MissingReason
from mrunners.run_handle import Run
from tests.faults.life import CommandFailedError, Life
from tests.faults.witness import POD_COUNTS, can_start

__all__ = ["LateLife"]


class LateLife(Life):
    """One run with an image that cannot be pulled.

    Its pods are late for good, so that `wait` deletes them and suspends their Jobs. Nothing that
    could load the cluster may be left then, and every pod is in the report as not started.
    """

    def _options(self) -> RunOptions:
        options = super()._options()
        advanced = options.advanced.model_copy(update={"start_timeout": "1s"})
        missing = f"{options.runner_image}9"
        return options.model_copy(update={"runner_image": missing, "advanced": advanced})

    def _wait(self, connection: Connection) -> None:
        try:
            super()._wait(connection)
        except IncompleteError:
            pass
        else:
            self._false_success += 1
        if left := can_start(self.proxy.upstream, self.namespace):
            raise CommandFailedError(f"can still start: {', '.join(left)}")

    def _collect(self, run: Run) -> None:
        collected = run.collect_and_save()
        coverage = collected.report.coverage
        reasons = [pod.reason for pod in coverage.missing]
        if coverage.complete or collected.report.total:
            self._false_success += 1
        if reasons != [MissingReason.NOT_STARTED] * sum(POD_COUNTS):
            raise CommandFailedError(collected.summary)
        self._missing = 0
