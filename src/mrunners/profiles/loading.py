"""Loads the checked profiles of a run's runner URIs.

All errors of all URIs and all profiles are reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from mrunners.errors import InvalidInputError
from mrunners.profiles.images import KperfRelease
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.reading import ReadProfile, read_profile
from mrunners.profiles.release_rules import release_problems
from mrunners.profiles.sources import SOURCES, ProfileSource, SourceContext
from mrunners.profiles.uris import RunnerSpec, UriCheck, check_runner_uri, show_uri

__all__ = ["MAX_RUNNERS", "LoadedRunner", "load_runners", "parse_runners", "read_runners"]

# Each runner is a Job, and a line of the plan.
MAX_RUNNERS: Final = 1_000


class LoadedRunner(BaseModel):
    """A runner URI and its load profile.

    Attributes:
        spec: The parsed URI.
        profile: What the pods run.
        rendered: The profile as YAML, for the Job.
        digest: SHA-256 of `rendered`, in hexadecimal.
        warnings: What the profile's author should know, one line each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    spec: RunnerSpec
    profile: LoadProfile
    rendered: str
    digest: str
    warnings: tuple[str, ...] = ()


def parse_runners(
    uris: Sequence[str], sources: Mapping[str, ProfileSource] = SOURCES
) -> list[RunnerSpec]:
    """Parse all runner URIs, without loading any profile.

    Args:
        uris: As the user gave them; 1 to 1,000.
        sources: By scheme.

    Returns:
        In the order of the URIs.

    Raises:
        InvalidInputError: One line per error, `runner 2 of 3 (URI): …`.
    """
    checks = _check_uris(uris, sources)
    _raise_problems(
        [_RunnerProblems(uri, check.problems) for uri, check in zip(uris, checks, strict=True)]
    )
    return [check.spec() for check in checks]


def load_runners(
    specs: Sequence[RunnerSpec],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
) -> list[LoadedRunner]:
    """Load and check the profiles of parsed runner URIs.

    Args:
        specs: What `parse_runners` returned.
        context: What the sources may use.
        release: Of the runner image. None when it is unknown; then nothing is checked against it.
        sources: By scheme.

    Returns:
        In the order of the specs.

    Raises:
        InvalidInputError: One line per error, `runner 2 of 3 (URI): …`; of a profile that several
            runners have, `runners 1 and 3 of 3 (URI without its query): …`.
        ClusterError: A request to the cluster failed.
    """
    profiles = _Profiles(context, release, sources)
    places = [(spec.scheme, spec.path) for spec in specs]
    _raise_problems(
        [
            _RunnerProblems(spec.uri, (), place, profiles.problems(place))
            for spec, place in zip(specs, places, strict=True)
        ]
    )
    return [profiles.loaded_runner(spec) for spec in specs]


def read_runners(
    uris: Sequence[str],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
) -> tuple[LoadedRunner, ...]:
    """Parse the runner URIs and load their profiles, and report the errors of both at once.

    The profile of a URI whose query is invalid is still checked.

    Args:
        uris: As the user gave them; 1 to 1,000.
        context: What the sources may use.
        release: Of the runner image. None when it is unknown; then nothing is checked against it.
        sources: By scheme.

    Returns:
        In the order of the URIs.

    Raises:
        InvalidInputError: As of `load_runners`.
        ClusterError: A request to the cluster failed.
    """
    checks = _check_uris(uris, sources)
    profiles = _Profiles(context, release, sources)
    places = [_place(check) for check in checks]
    _raise_problems(
        [
            _RunnerProblems(uri, check.problems, place, profiles.problems(place))
            for uri, check, place in zip(uris, checks, places, strict=True)
        ]
    )
    return tuple(profiles.loaded_runner(check.spec()) for check in checks)


# A profile's scheme and path.
_Place = tuple[str, str]


class _RunnerProblems(NamedTuple):
    """What is wrong with a runner: with its URI, and with the profile, which others may share."""

    uri: str
    of_uri: tuple[str, ...]
    place: _Place | None = None
    of_profile: tuple[str, ...] = ()


class _Profiles:
    """The profiles of one call; URIs that differ only in their query share one."""

    def __init__(
        self,
        context: SourceContext,
        release: KperfRelease | None,
        sources: Mapping[str, ProfileSource],
    ) -> None:
        self._context = context
        self._release = release
        self._sources = sources
        # By scheme and path: the profile, or what is wrong with it.
        self._results: dict[_Place, ReadProfile | tuple[str, ...]] = {}

    def problems(self, place: _Place | None) -> tuple[str, ...]:
        """Return what is wrong with a profile; nothing when the URI does not say where it is."""
        if place is None:
            return ()
        if place not in self._results:
            self._results[place] = self._load(*place)
        result = self._results[place]
        return () if isinstance(result, ReadProfile) else result

    def loaded_runner(self, spec: RunnerSpec) -> LoadedRunner:
        """Return the runner of a spec for which `problems` returned none."""
        result = self._results[spec.scheme, spec.path]
        assert isinstance(result, ReadProfile)
        return LoadedRunner(
            spec=spec,
            profile=result.profile,
            rendered=result.rendered,
            digest=result.digest,
            warnings=result.warnings,
        )

    def _load(self, scheme: str, path: str) -> ReadProfile | tuple[str, ...]:
        try:
            result = read_profile(self._sources[scheme].load(path, self._context))
        except InvalidInputError as error:
            return error.problems
        return tuple(release_problems(result.profile, self._release)) or result


def _check_uris(uris: Sequence[str], sources: Mapping[str, ProfileSource]) -> list[UriCheck]:
    if not uris:
        raise InvalidInputError("no runners: give at least one runner URI")
    if len(uris) > MAX_RUNNERS:
        raise InvalidInputError(
            f"{len(uris)} runner URIs were given; at most {MAX_RUNNERS} are allowed"
        )
    return [_check_path(check_runner_uri(uri, sources), sources) for uri in uris]


def _check_path(check: UriCheck, sources: Mapping[str, ProfileSource]) -> UriCheck:
    if check.scheme is None or check.path is None:
        return check
    problems = sources[check.scheme].path_problems(check.path)
    if not problems:
        return check
    return replace(check, path=None, problems=(*check.problems, *problems))


def _place(check: UriCheck) -> _Place | None:
    return None if check.scheme is None or check.path is None else (check.scheme, check.path)


def _raise_problems(runners: Sequence[_RunnerProblems]) -> None:
    sharing: dict[_Place, list[int]] = {}
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
