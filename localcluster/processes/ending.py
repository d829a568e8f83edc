"""End processes by their recorded identity; it must not touch a pid that was given out again."""

import os
import signal
import time
from collections.abc import Iterable

from localcluster.processes.identity import Identity, is_alive

__all__ = ["end_processes", "send_signal"]


def send_signal(identity: Identity, number: signal.Signals) -> bool:
    """Send a signal to this very process.

    Args:
        identity: as recorded.
        number: which signal.
    Returns: False when the process is gone.
    """
    if not is_alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def end_processes(
    identities: Iterable[Identity], first: signal.Signals, grace_seconds: float
) -> None:
    """Ask processes to end, kill those that do not, and wait until all are gone.

    Args:
        identities: as recorded.
        first: the polite signal, SIGKILL for none.
        grace_seconds: how long the polite signal may take.
    """
    left = [one for one in identities if send_signal(one, first)]
    deadline = time.monotonic() + grace_seconds
    killed = first == signal.SIGKILL
    while left := [one for one in left if is_alive(one)]:
        if not killed and time.monotonic() > deadline:
            for one in left:
                send_signal(one, signal.SIGKILL)
            killed = True
        _reap(left)
        time.sleep(0.02)


def _reap(identities: Iterable[Identity]) -> None:
    # Those that are our own children stay zombies until somebody asks for their status.
    for one in identities:
        try:
            os.waitpid(one.pid, os.WNOHANG)
        except ChildProcessError:
            continue
