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
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides
from mrunners.profiles.parsing import parse_documents
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.rendering import profile_digest, render_profile, rendered_size_problem
from mrunners.profiles.runner_groups import RunnerGroup

__all__ = ["ProfileCache", "ReadProfile", "read_profiles"]

# Of profile texts. A profile takes some thirty times its text in memory (measured), and a worker
# may live for months; the thousand runners of one run rarely have more text than this.
_MAX_CACHED_BYTES: Final = 2 * 1024 * 1024


# A text's digest, and what the run sets over its profiles.
_Key = tuple[bytes, ProfileOverrides]


class ReadProfile(NamedTuple):
    """A valid profile as it is and as the pods get it.

    Attributes:
        profile: With all defaults filled in.
        warnings: What its author should know, one line each.
        rendered: The profile as YAML, for the Job.
        digest: SHA-256 of `rendered`, in hexadecimal.
        group: The runner group that the profile was in, if any.
    """

    profile: LoadProfile
    warnings: tuple[str, ...]
    rendered: str
    digest: str
    group: RunnerGroup | None = None


class _Known(NamedTuple):
    """A text's size in bytes, and its profiles or what is wrong with them."""

    size: int
    profiles: tuple[ReadProfile, ...] = ()
    problems: tuple[str, ...] = ()


class ProfileCache:
    """What was read last; safe to use from several threads, of which two may do the same work."""

    def __init__(
        self,
        read: Callable[[bytes, ProfileOverrides], tuple[ReadProfile, ...]],
        max_bytes: int = _MAX_CACHED_BYTES,
    ) -> None:
        """Cache a function.

        Args:
            read: What a text becomes under overrides; it may raise InvalidInputError.
            max_bytes: How much text is remembered; the least recently used is dropped.
        """
        self._read = read
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[_Key, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, text: bytes, overrides: ProfileOverrides = NO_OVERRIDES
    ) -> tuple[ReadProfile, ...]:
        """Return the profiles of a text, with what a run sets over them.

        Raises:
            InvalidInputError: One line per problem.
        """
        key = (hashlib.sha256(text).digest(), overrides)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        known = known or self._remember(key, text)
        if known.problems:
            raise InvalidInputError(known.problems)
        return known.profiles

    def _remember(self, key: _Key, text: bytes) -> _Known:
        try:
            known = _Known(len(text), profiles=self._read(text, key[1]))
        except InvalidInputError as error:
            known = _Known(len(text), problems=error.problems)
        with self._lock:
            if key not in self._known:
                self._known[key] = known
                self._bytes += known.size
            while self._bytes > self._max_bytes and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1].size
        return known


def _parse_and_render(text: bytes, overrides: ProfileOverrides) -> tuple[ReadProfile, ...]:
    documents = parse_documents(text, overrides)
    read: list[ReadProfile] = []
    problems: list[str] = []
    for number, document in enumerate(documents, start=1):
        rendered = render_profile(document.profile)
        if problem := rendered_size_problem(len(rendered)):
            place = f"document {number} of {len(documents)}: " if len(documents) > 1 else ""
            problems.append(f"{place}{problem}")
        read.append(
            ReadProfile(
                document.profile,
                document.warnings,
                rendered,
                profile_digest(rendered),
                document.group,
            )
        )
    if problems:
        raise InvalidInputError(problems)
    return tuple(read)


read_profiles: Final = ProfileCache(_parse_and_render)
"""Return the profiles of a text, one per document, or raise InvalidInputError, line by line."""
