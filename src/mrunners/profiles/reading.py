"""Parses and renders a load profile, each distinct text once per process.

A run reads its profiles twice: before Prefect is imported, so that wrong input ends at once, and in
the flow, which may run elsewhere or later. Sources are read each time, so that an edited file
counts; a text that was read before costs nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from mrunners.errors import InvalidInputError
from mrunners.profiles.parsing import parse_profile
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.rendering import profile_digest, render_profile, rendered_size_problem

__all__ = ["ProfileCache", "ReadProfile", "read_profile"]

# Of profile texts. A profile takes some thirty times its text in memory (measured), and a worker
# may live for months; the thousand runners of one run rarely have more text than this.
_MAX_CACHED_BYTES: Final = 2 * 1024 * 1024


class ReadProfile(NamedTuple):
    """A valid profile as it is and as the pods get it.

    Attributes:
        profile: With all defaults filled in.
        warnings: What its author should know, one line each.
        rendered: The profile as YAML, for the Job.
        digest: SHA-256 of `rendered`, in hexadecimal.
    """

    profile: LoadProfile
    warnings: tuple[str, ...]
    rendered: str
    digest: str


class ProfileCache:
    """What was read last; safe to use from several threads, of which two may do the same work."""

    def __init__(
        self, read: Callable[[bytes], ReadProfile], max_bytes: int = _MAX_CACHED_BYTES
    ) -> None:
        """Cache a function.

        Args:
            read: What a text becomes; it may raise InvalidInputError.
            max_bytes: How much text is remembered; the least recently used is dropped.
        """
        self._read = read
        self._max_bytes = max_bytes
        self._bytes = 0
        # By the text's digest: its size, and the profile or what is wrong with it.
        self._known: OrderedDict[bytes, tuple[int, ReadProfile | tuple[str, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, text: bytes) -> ReadProfile:
        """Return the profile of a text.

        Raises:
            InvalidInputError: One line per problem.
        """
        key = hashlib.sha256(text).digest()
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        result = known[1] if known else self._remember(key, text)
        if isinstance(result, ReadProfile):
            return result
        raise InvalidInputError(result)

    def _remember(self, key: bytes, text: bytes) -> ReadProfile | tuple[str, ...]:
        result: ReadProfile | tuple[str, ...]
        try:
            result = self._read(text)
        except InvalidInputError as error:
            result = error.problems
        with self._lock:
            if key not in self._known:
                self._known[key] = (len(text), result)
                self._bytes += len(text)
            while self._bytes > self._max_bytes and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1][0]
        return result


def _parse_and_render(text: bytes) -> ReadProfile:
    profile, warnings = parse_profile(text)
    rendered = render_profile(profile)
    if problem := rendered_size_problem(len(rendered)):
        raise InvalidInputError(problem)
    return ReadProfile(profile, warnings, rendered, profile_digest(rendered))


read_profile: Final = ProfileCache(_parse_and_render)
"""Return the profile of a text, or raise InvalidInputError with one line per problem."""
