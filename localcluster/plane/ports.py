"""Choose free ports on the loopback address. They are not reserved.

kwokctl's own choice counts down from 32767, so two clusters that start at once would collide. And
any outgoing connection may take a port of the ephemeral range while a component restarts.
"""

import random
import socket
from collections.abc import Callable

from localcluster.errors import PlaneError

__all__ = ["LOOPBACK", "choose_ports", "is_free"]

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range (32768 to 60999), above the usual services.
FIRST, LAST = 20000, 32000


def is_free(port: int) -> bool:
    """Return whether no process listens on this TCP port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers do the same, so a connection in TIME_WAIT does not count as in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_ports(
    count: int, free: Callable[[int], bool] = is_free, rng: random.Random | None = None
) -> list[int]:
    """Return different ports that are free at this moment.

    Args:
        count: The number of ports.
        free: Tells whether a port is free.
        rng: The source of randomness.

    Raises:
        PlaneError: The range has too few free ports.
    """
    candidates = list(range(FIRST, LAST))
    (rng or random.SystemRandom()).shuffle(candidates)
    chosen: list[int] = []
    for port in candidates:
        if len(chosen) == count:
            return chosen
        if free(port):
            chosen.append(port)
    raise PlaneError(f"there are no {count} free ports from {FIRST} to {LAST - 1} on {LOOPBACK}")
