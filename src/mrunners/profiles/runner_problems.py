"""What is wrong with the runners of a run: line by line, and once for a profile that many have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrunners.errors import InvalidInputError
from mrunners.profiles.uris import show_uri

__all__ = ["Place", "RunnerProblems", "raise_problems"]

# A profile's scheme and path.
Place = tuple[str, str]


class RunnerProblems(NamedTuple):
    """What is wrong with a runner: with its URI, and with the profile, which others may share."""

    uri: str
    of_uri: tuple[str, ...]
    place: Place | None = None
    of_profile: tuple[str, ...] = ()


def raise_problems(runners: Sequence[RunnerProblems]) -> None:
    """Raise an error if anything is wrong with a runner.

    Args:
        runners: All runners of a run, in the order of the URIs.

    Raises:
        InvalidInputError: One line per problem; what is wrong with a profile that several runners
            have is told once, with the numbers of all of them.
    """
    sharing: dict[Place, list[int]] = {}
    for number, runner in enumerate(runners, start=1):
        if runner.place is not None:
            sharing.setdefault(runner.place, []).append(number)
    lines: list[str] = []
    for number, runner in enumerate(runners, start=1):
        alone = _named([number], len(runners), runner.uri)
        lines += [f"{alone}: {problem}" for problem in runner.of_uri]
        # A thousand runners may have one profile; its problems come with the first of them.
        numbers = sharing[runner.place] if runner.place is not None else [number]
        if number == numbers[0]:
            together = _named(numbers, len(runners), runner.uri)
            lines += [f"{together}: {problem}" for problem in runner.of_profile]
    if lines:
        raise InvalidInputError(lines)


def _named(numbers: Sequence[int], count: int, uri: str) -> str:
    if len(numbers) == 1:
        return f"runner {numbers[0]} of {count} ({show_uri(uri)})"
    more = len(numbers) - 2
    last = f"{more} more" if more > 1 else str(numbers[-1])
    shown = ", ".join(map(str, numbers[:2] if more > 0 else numbers[:1]))
    # Their URIs differ in the query only.
    return f"runners {shown} and {last} of {count} ({show_uri(uri.partition('?')[0])})"
