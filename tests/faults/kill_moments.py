"""When processes are killed: moments drawn at random from a seed that can be given again."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass

__all__ = ["SEED_VARIABLE", "Moment", "draw_moment", "seed"]

SEED_VARIABLE = "TESTS_KILL_SEED"

# So that two releases are compared under the same kills, unless another seed is given.
_DEFAULT_SEED = 20261126

# A command needs about a second until its first request.
_STARTING_SECONDS = 1.5

# Long enough for a report to be written after the request that read it.
_LATER_SECONDS = 0.3


@dataclass(frozen=True)
class Moment:
    """When and how a process is killed.

    Attributes:
        number: The signal.
        request: At which of its requests, from 1; 0 means before the first, by time alone.
        seconds: How long after that moment.
        held: Whether that request is held until the process is dead. If not, it goes on meanwhile.
        carried_out: Whether a request that was held is carried out afterwards.
    """

    number: signal.Signals
    request: int
    seconds: float
    held: bool
    carried_out: bool


def seed() -> int:
    """Return the seed: that of the environment variable, or always the same one."""
    return int(os.environ.get(SEED_VARIABLE, _DEFAULT_SEED))


def draw_moment(source: random.Random, requests: int) -> Moment:
    """Return a moment in the life of a command that sends about so many requests."""
    request = source.randint(0, requests)
    held = request > 0 and source.random() < 0.6
    latest = 0.0 if held else _LATER_SECONDS if request else _STARTING_SECONDS
    return Moment(
        number=source.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)),
        request=request,
        seconds=source.uniform(0, latest),
        held=held,
        carried_out=source.random() < 0.5,
    )
