"""Loads the checked profiles of a run's runner URIs.

All errors of all URIs and all profiles are reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

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
    _raise_problems(uris, [check.problems for check in checks])
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
        InvalidInputError: One line per error, `runner 2 of 3 (URI): …`.
        ClusterError: A request to the cluster failed.
    """
    profiles = _Profiles(context, release, sources)
    problems = [profiles.problems(spec.scheme, spec.path) for spec in specs]
    _raise_problems([spec.uri for spec in specs], problems)
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
        InvalidInputError: One line per error, `runner 2 of 3 (URI): …`.
        ClusterError: A request to the cluster failed.
    """
    checks = _check_uris(uris, sources)
    profiles = _Profiles(context, release, sources)
    problems = [(*check.problems, *profiles.problems(check.scheme, check.path)) for check in checks]
    _raise_problems(uris, problems)
    return tuple(profiles.loaded_runner(check.spec()) for check in checks)


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
        self._results: dict[tuple[str, str], ReadProfile | tuple[str, ...]] = {}

    def problems(self, scheme: str | None, path: str | None) -> tuple[str, ...]:
        """Return what is wrong with a profile; nothing when the URI does not say where it is."""
        if scheme is None or path is None:
            return ()
        if (scheme, path) not in self._results:
            self._results[scheme, path] = self._load(scheme, path)
        result = self._results[scheme, path]
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


def _raise_problems(uris: Sequence[str], problems: Sequence[Sequence[str]]) -> None:
    lines = [
        f"runner {number} of {len(uris)} ({show_uri(uri)}): {problem}"
        for number, (uri, uri_problems) in enumerate(zip(uris, problems, strict=True), start=1)
        for problem in uri_problems
    ]
    if lines:
        raise InvalidInputError(lines)
