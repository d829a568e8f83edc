"""The whole life of one run, in the steps of the command line, with faults in its way.

Each step is a command of its own: it connects anew, and when it fails it is given once more. What
the run has become is read past the proxy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mrunners.connection import Connection, connect
from mrunners.errors import MrunnersError, RefusedError
from mrunners.plan.option_table import Spread
from mrunners.plan.options import AdvancedOptions, IfExists, RunOptions
from mrunners.run.dry_run import dry_run
from mrunners.run.observer import LoggingObserver
from mrunners.run.report_store import ReportStore
from mrunners.run_handle import Run
from tests.cluster.env import FAKE_KPERF
from tests.faults.fault_table import Fault
from tests.faults.proxy import FaultProxy
from tests.faults.request_kinds import RequestKind
from tests.faults.tally import Tally
from tests.faults.witness import POD_COUNTS, expected_samples, made_twice, remaining

__all__ = ["Life"]


class CommandFailedError(Exception):
    """A command ended without what it is for; its user gives it once more."""


@dataclass
class Life:
    """One run behind its own proxy.

    Attributes:
        namespace: Its namespace, in which nothing else is.
        profile: The load profile's file.
        proxy: Its way to the API server.
        kind: Which requests meet the fault, in each command the first of them.
        fault: The fault.
        folder: Where reports are kept.
        failures: Of each command that failed: its name and the error.
        defects: Errors that mrunners does not raise on purpose.
    """

    namespace: str
    profile: Path
    proxy: FaultProxy
    kind: RequestKind
    fault: Fault
    folder: Path
    failures: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    _samples: int = 0
    _missing: int = sum(POD_COUNTS)
    _lost: int = 0
    _false_success: int = 0
    _twice: int = 0
    _attempts: int = 0

    def live(self) -> Tally:
        """Take the run from its start to its deletion; return what was counted."""
        commands = (("run", self._run), ("wait", self._wait), ("result", self._result))
        for name, command in commands:
            if not self._give(name, command):
                break
        self._twice = made_twice(self.proxy, self.namespace)
        if not self.unfinished:
            self._give("delete", self._delete)
            self._check_deleted()
        return Tally(
            fault_runs=1,
            faults=sum(self.proxy.hits.values()),
            lost=max(self._lost, self._missing),
            twice=self._twice,
            false_success=self._false_success,
            expected=sum(POD_COUNTS),
            fetched=sum(POD_COUNTS) - self._missing,
        )

    def _give(self, name: str, command: Callable[[Connection], None]) -> bool:
        """Give a command, and once more if it fails; return whether it succeeded."""
        self.proxy.arm(self.kind, self.fault, number=self._number)
        for self._attempts in (1, 2):
            try:
                # A log is read by `result` only where `wait` has not kept it: on another machine.
                store = name if self.kind is RequestKind.READ_LOG else "reports"
                with connect(
                    str(self.proxy.kubeconfig),
                    observer=LoggingObserver(),
                    store=ReportStore(self.folder / self.namespace / store),
                ) as connection:
                    command(connection)
            except (MrunnersError, CommandFailedError) as error:
                self.failures.append(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001 - what the command line calls a bug
                self.defects.append(f"{name}: {type(error).__name__}: {error}")
            else:
                self.proxy.disarm()
                return True
        self.unfinished.append(name)
        self.proxy.disarm()
        return False

    @property
    def _number(self) -> int:
        """Which of the requests meets the fault: of Jobs the second, so that one exists."""
        return 2 if self.kind is RequestKind.CREATE_JOB else 1

    def _options(self) -> RunOptions:
        return RunOptions(
            namespace=self.namespace,
            runner_image=FAKE_KPERF,
            service_account="runner",
            runners=[f"file://{self.profile}?numbers={count}" for count in POD_COUNTS],
            advanced=AdvancedOptions(
                if_exists=IfExists.RESUME if self._attempts > 1 else IfExists.REFUSE,
                # Only then are nodes counted.
                spread=Spread.REQUIRE if self.kind is RequestKind.LIST_NODES else Spread.PREFER,
            ),
        )

    def _run(self, connection: Connection) -> None:
        options = self._options()
        action = connection.preflight(options, run_key=self.namespace)
        dry_run(connection.cluster, action)
        started = connection.create_tracker(action)
        connection.create_jobs(started, started.missing)
        # As `status` does: why have pods not started?
        connection.bind(started.existing).snapshot()

    def _wait(self, connection: Connection) -> None:
        connection.get(self.namespace).wait(timeout=300).require_complete()

    def _result(self, connection: Connection) -> None:
        self._collect(connection.get(self.namespace))

    def _collect(self, run: Run) -> None:
        collected = run.collect_and_save()
        coverage = collected.report.coverage
        self._missing, self._samples = len(coverage.missing), collected.report.total or 0
        # Coverage alone counts: on a busy machine the figures of so short a load are in doubt.
        if not self._missing and self._samples != expected_samples(*POD_COUNTS):
            self._false_success += 1
        if collected.collected and self._missing:
            self._lost += self._missing
        if self._missing:
            raise CommandFailedError(collected.summary)

    def _delete(self, connection: Connection) -> None:
        if self._attempts > 1:
            self.proxy.disarm()  # `result` is given again too, if the run was not marked
            with suppress(RefusedError):  # the tracker is gone, and the rest is about to be
                run = connection.get(self.namespace)
                if not run.existing.collected:
                    self._collect(run)
        try:
            connection.delete(self.namespace)
        except RefusedError:
            # The first attempt was carried out, and only its answer was lost.
            if self._attempts == 1 or self._left():
                raise

    def _check_deleted(self) -> None:
        if not self.unfinished and (left := self._left()):
            self._false_success += 1
            self.defects.append(f"delete: left {', '.join(left)}")

    def _left(self) -> list[str]:
        return remaining(self.proxy.upstream, self.namespace)
