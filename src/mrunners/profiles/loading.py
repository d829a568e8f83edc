"""Loads the checked profiles of a run's runner URIs.

All errors of all URIs and all profiles are reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from mrunners.errors import InvalidInputError
from mrunners.profiles.images import KperfRelease
from mrunners.profiles.overrides import NO_OVERRIDES, ProfileOverrides
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.reading import ReadProfile, read_profiles
from mrunners.profiles.release_rules import release_problems
from mrunners.profiles.runner_groups import RunnerGroup
from mrunners.profiles.runner_problems import Place, RunnerProblems, raise_problems
from mrunners.profiles.sources import SOURCES, ProfileSource, SourceContext
from mrunners.profiles.uri_query import MAX_PODS
from mrunners.profiles.uris import RunnerSpec, UriCheck, check_runner_uri

__all__ = ["MAX_RUNNERS", "LoadedRunner", "load_runners", "parse_runners", "read_runners"]

# Each runner is a Job, and a line of the plan.
MAX_RUNNERS: Final = 1_000


class LoadedRunner(BaseModel):
    """A load profile of a runner URI, and how it is run.

    Attributes:
        spec: The parsed URI.
        profile: What the pods run.
        rendered: The profile as YAML, for the Job.
        digest: SHA-256 of `rendered`, in hexadecimal.
        pod_count: How many pods run it.
        node_affinity: The pods run only on nodes that have, for each label, one of its values.
        service_account: Of the pods; None is the run's.
        warnings: What the profile's author should know, one line each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    spec: RunnerSpec
    profile: LoadProfile
    rendered: str
    digest: str
    pod_count: int = Field(ge=1, le=MAX_PODS)
    node_affinity: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    service_account: str | None = None
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
    raise_problems(
        [RunnerProblems(uri, check.problems) for uri, check in zip(uris, checks, strict=True)]
    )
    return [check.spec() for check in checks]


def load_runners(
    specs: Sequence[RunnerSpec],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
    *,
    overrides: ProfileOverrides = NO_OVERRIDES,
) -> list[LoadedRunner]:
    """Load and check the profiles of parsed runner URIs.

    Args:
        specs: What `parse_runners` returned.
        context: What the sources may use.
        release: Of the runner image. None when it is unknown; then nothing is checked against it.
        sources: By scheme.
        overrides: What replaces values of the profiles.

    Returns:
        In the order of the specs; a file of several documents is as many runners.

    Raises:
        InvalidInputError: One line per error, `runner 2 of 3 (URI): …`; of a profile that several
            runners have, `runners 1 and 3 of 3 (URI without its query): …`.
        ClusterError: A request to the cluster failed.
    """
    profiles = _Profiles(context, release, sources, overrides)
    places = [(spec.scheme, spec.path) for spec in specs]
    raise_problems(
        [
            RunnerProblems(
                spec.uri,
                profiles.count_problems(place, spec.pod_count),
                place,
                profiles.problems(place),
            )
            for spec, place in zip(specs, places, strict=True)
        ]
    )
    return profiles.loaded_runners(specs)


def read_runners(
    uris: Sequence[str],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
    *,
    overrides: ProfileOverrides = NO_OVERRIDES,
) -> tuple[LoadedRunner, ...]:
    """Parse the runner URIs and load their profiles, and report the errors of both at once.

    The profile of a URI whose query is invalid is still checked.

    Args:
        uris: As the user gave them; 1 to 1,000.
        context: What the sources may use.
        release: Of the runner image. None when it is unknown; then nothing is checked against it.
        sources: By scheme.
        overrides: What replaces values of the profiles.

    Returns:
        In the order of the URIs; a file of several documents is as many runners.

    Raises:
        InvalidInputError: As of `load_runners`.
        ClusterError: A request to the cluster failed.
    """
    checks = _check_uris(uris, sources)
    profiles = _Profiles(context, release, sources, overrides)
    places = [_place(check) for check in checks]
    raise_problems(
        [
            RunnerProblems(
                uri,
                check.problems or profiles.count_problems(place, check.values.get("numbers")),
                place,
                profiles.problems(place),
            )
            for uri, check, place in zip(uris, checks, places, strict=True)
        ]
    )
    return tuple(profiles.loaded_runners([check.spec() for check in checks]))


class _Profiles:
    """The profiles of one call; URIs that differ only in their query share one."""

    def __init__(
        self,
        context: SourceContext,
        release: KperfRelease | None,
        sources: Mapping[str, ProfileSource],
        overrides: ProfileOverrides,
    ) -> None:
        self._context = context
        self._release = release
        self._sources = sources
        self._overrides = overrides
        # By scheme and path: the profiles, or what is wrong with them.
        self._results: dict[Place, tuple[ReadProfile, ...] | InvalidInputError] = {}

    def problems(self, place: Place | None) -> tuple[str, ...]:
        """Return what is wrong with profiles; nothing when the URI does not say where they are."""
        result = self._result(place)
        return result.problems if isinstance(result, InvalidInputError) else ()

    def count_problems(self, place: Place | None, pod_count: int | None) -> tuple[str, ...]:
        """Return that nothing says how many pods run a profile, if nothing is wrong with it."""
        result = self._result(place)
        if pod_count is not None or isinstance(result, InvalidInputError):
            return ()
        if all(profile.group is not None and profile.group.count for profile in result):
            return ()
        return ("numbers is missing: add ?numbers=N, the number of pods",)

    def loaded_runners(self, specs: Sequence[RunnerSpec]) -> list[LoadedRunner]:
        """Return the runners of specs for which there are no problems, one per document.

        Raises:
            InvalidInputError: They are too many.
        """
        count = sum(len(self._profiles_of(spec)) for spec in specs)
        if count > MAX_RUNNERS:
            raise InvalidInputError(
                f"the documents of the runner URIs are {count:,} runners; at most "
                f"{MAX_RUNNERS:,} are allowed"
            )
        return [runner for spec in specs for runner in self._runners_of(spec)]

    def _profiles_of(self, spec: RunnerSpec) -> tuple[ReadProfile, ...]:
        result = self._results[spec.scheme, spec.path]
        assert not isinstance(result, InvalidInputError)
        return result

    def _runners_of(self, spec: RunnerSpec) -> Iterator[LoadedRunner]:
        for profile in self._profiles_of(spec):
            group = profile.group or RunnerGroup()
            pod_count = spec.pod_count or group.count
            assert pod_count is not None  # `count_problems` has none
            warnings = profile.warnings
            if group.count not in (None, pod_count):
                warnings = (
                    *warnings,
                    f"count: {group.count} of the runner group is not used, because the URI has "
                    f"numbers={pod_count}",
                )
            yield LoadedRunner(
                spec=spec,
                profile=profile.profile,
                rendered=profile.rendered,
                digest=profile.digest,
                pod_count=pod_count,
                node_affinity=group.node_affinity,
                service_account=group.service_account,
                warnings=warnings,
            )

    def _result(self, place: Place | None) -> tuple[ReadProfile, ...] | InvalidInputError:
        if place is None:
            return ()
        if place not in self._results:
            self._results[place] = self._load(*place)
        return self._results[place]

    def _load(self, scheme: str, path: str) -> tuple[ReadProfile, ...] | InvalidInputError:
        try:
            text = self._sources[scheme].load(path, self._context)
            result = read_profiles(text, self._overrides)
        except InvalidInputError as error:
            return error
        problems = [
            f"document {number} of {len(result)}: {problem}" if len(result) > 1 else problem
            for number, profile in enumerate(result, start=1)
            for problem in release_problems(profile.profile, self._release)
        ]
        return InvalidInputError(problems) if problems else result


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


def _place(check: UriCheck) -> Place | None:
    return None if check.scheme is None or check.path is None else (check.scheme, check.path)
