"""Free ports on the loopback address; it must not keep them.

kwokctl's own choice counts down from 32767, so two clusters that start at once would collide; and
ports of the ephemeral range may be taken by any outgoing connection while a component restarts.
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
    """Whether nobody listens on this port of the loopback address.

    Args:
        port: a TCP port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that lingers in TIME_WAIT does not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_ports(
    count: int, free: Callable[[int], bool] = is_free, chance: random.Random | None = None
) -> list[int]:
    """Different ports that are free now.

    Args:
        count: how many.
        free: says whether a port is.
        chance: the source of randomness.
    Raises: PlaneError: the range is used up.
    """
    order = list(range(FIRST, LAST))
    (chance or random.SystemRandom()).shuffle(order)
    chosen: list[int] = []
    for port in order:
        if len(chosen) == count:
            return chosen
        if free(port):
            chosen.append(port)
    raise PlaneError(f"no {count} free ports between {FIRST} and {LAST} on {LOOPBACK}")
