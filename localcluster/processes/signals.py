"""Signal processes by their recorded identity, so that a reused pid is never hit."""

import os
import signal
import time
from collections.abc import Iterable

from localcluster.processes.identity import Identity, is_alive

__all__ = ["end_processes", "send_signal"]


def send_signal(identity: Identity, number: signal.Signals) -> bool:
    """Send a signal to a process.

    Args:
        identity: As recorded when the process was started.
        number: The signal.

    Returns:
        False when the process no longer exists.
    """
    if not is_alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def end_processes(
    identities: Iterable[Identity], number: signal.Signals, grace_seconds: float
) -> None:
    """Signal processes, kill those that do not end, and wait until all have ended.

    Args:
        identities: As recorded when the processes were started.
        number: The first signal, which may be SIGKILL.
        grace_seconds: How long the processes have before SIGKILL.
    """
    remaining = [identity for identity in identities if send_signal(identity, number)]
    deadline = time.monotonic() + grace_seconds
    killed = number == signal.SIGKILL
    while remaining := [identity for identity in remaining if is_alive(identity)]:
        if not killed and time.monotonic() > deadline:
            for identity in remaining:
                send_signal(identity, signal.SIGKILL)
            killed = True
        _reap(remaining)
        time.sleep(0.02)


def _reap(identities: Iterable[Identity]) -> None:
    # Child processes of this process remain zombies until their status is read.
    for identity in identities:
        try:
            os.waitpid(identity.pid, os.WNOHANG)
        except ChildProcessError:
            continue
