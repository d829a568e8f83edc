"""The whole life of one run by the real command line, of which each process is killed once."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.cluster.commands import Finished, Mrunners
from tests.cluster.env import FAKE_KPERF
from tests.faults.kill_moments import draw_moment
from tests.faults.proxy import FaultProxy, Halt
from tests.faults.tally import Tally
from tests.faults.witness import POD_COUNTS, expected_samples, made_twice, remaining

__all__ = ["KilledLife"]

# How many requests a command sends at least when it is not disturbed (measured).
_REQUESTS = {"run": 14, "wait": 5, "result": 6, "delete": 7}

# The work is done: fully, or (9) with figures in doubt, because on a busy machine the pods of so
# short a load do not run at the same time. Its report is compared in both cases.
_DONE = (0, 9)

# The code of a process that SIGTERM ended before Python could catch it.
_ENDED_BY = {
    signal.SIGKILL: {-signal.SIGKILL},
    signal.SIGTERM: {143, -signal.SIGTERM},
}


@dataclass
class KilledLife:
    """One run, its proxy, and what went wrong.

    Attributes:
        mrunners: The command line with an environment of its own.
        namespace: A namespace in which nothing else is.
        runners: The runner URIs.
        proxy: The way to the API server.
        source: Where the moments come from.
        problems: What should not have happened.
    """

    mrunners: Mrunners
    namespace: str
    runners: tuple[str, ...]
    proxy: FaultProxy
    source: random.Random
    problems: list[str] = field(default_factory=list)
    _kills: int = 0
    _lost: int = 0
    _false_success: int = 0

    def live(self) -> Tally:
        """Give each command again that was killed."""
        where = ("--namespace", self.namespace, "--kubeconfig", str(self.proxy.kubeconfig))
        runners = [word for uri in self.runners for word in ("--runners", uri)]
        start = ("run", *where, "--runner-image", FAKE_KPERF, *runners)
        account = ("--service-account", "runner")
        for attempt in range(self.source.choice((1, 1, 2))):
            self._kill("run", *start, *account, "--wait", *(["--resume"] if attempt else []))
        # Then `wait` has something to do, or has not.
        wait = self.source.choice((["--wait"], []))
        self._finish("run", *start, *account, "--resume", *wait)
        of_run = (self.namespace, "--kubeconfig", str(self.proxy.kubeconfig))
        self._kill("wait", "wait", *of_run)
        self._finish("wait", "wait", *of_run)
        killed = self._kill("result", "result", *of_run)
        if killed.code in _DONE:
            self._check_report(killed)
        self._check_report(self._finish("result", "result", *of_run))
        twice = made_twice(self.proxy, self.namespace)
        killed = self._kill("delete", "delete", *of_run)
        if killed.code:
            # 3: it was killed after its work was done, and nothing is left to delete.
            self._finish("delete", "delete", *of_run, codes=(0, 3))
        if left := remaining(self.proxy.upstream, self.namespace):
            self._false_success += 1
            self.problems.append(f"delete left {', '.join(left)}")
        return Tally(
            kill_runs=1,
            kills=self._kills,
            lost=self._lost,
            twice=twice,
            false_success=self._false_success,
            expected=sum(POD_COUNTS),
            fetched=sum(POD_COUNTS) - self._lost,
        )

    def _kill(self, command: str, *words: str) -> Finished:
        """Kill a command at a random moment, unless it ends before."""
        moment = draw_moment(self.source, _REQUESTS[command])
        halt = Halt(moment.request, moment.carried_out or not moment.held)
        if not moment.held:
            halt.released.set()
        self.proxy.halt_at(halt if moment.request else None)
        process = self.mrunners.start(*words)
        while moment.request and not halt.reached.wait(0.02) and not process.ended:
            pass
        time.sleep(moment.seconds)  # a part of the moment
        running = not process.ended
        process.send(moment.number)
        finished = process.finish()
        halt.released.set()
        self.proxy.halt_at(None)
        self._kills += running
        if not running and finished.code not in _DONE:
            self._report(f"{command} ended before {moment}", finished)
        if running and finished.code not in {*_ENDED_BY[moment.number], *_DONE}:
            self._report(f"{command} at {moment}", finished)
        if running and finished.code in _DONE and (moment.held or moment.request == 0):
            self._report(f"{command} went on after {moment}", finished)
        return finished

    def _finish(self, command: str, *words: str, codes: Collection[int] = _DONE) -> Finished:
        finished = self.mrunners(*words)
        if finished.code not in codes:
            self._report(f"{command} after the kill", finished)
        return finished

    def _report(self, what: str, finished: Finished) -> None:
        lines = finished.stderr.strip().splitlines()[-5:]
        self.problems.append("\n".join((f"{what}: exit {finished.code}", *lines)))

    def _check_report(self, finished: Finished) -> None:
        """Compare a report with what the pods have reported."""
        try:
            report = json.loads(finished.stdout)
        except ValueError:
            self._lost += sum(POD_COUNTS)
            self._report("no report", finished)
            return
        missing = len(report["coverage"]["missing"])
        self._lost += missing
        if not missing and report["total"] != expected_samples(*POD_COUNTS):
            self._false_success += 1
            self.problems.append(f"{report['total']} samples are called complete")
