"""Turns the runner URIs of a run into checked profiles, and tells all mistakes of all of them.

It must not create anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, ConfigDict

from mrunners.errors import InvalidInputError
from mrunners.profiles.images import KperfRelease
from mrunners.profiles.parsing import ParsedProfile, parse_profile
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.release_rules import release_problems
from mrunners.profiles.rendering import profile_digest, render_profile
from mrunners.profiles.sources import SOURCES, ProfileSource, SourceContext
from mrunners.profiles.uris import RunnerSpec, UriCheck, check_runner_uri, show_uri

__all__ = ["MAX_RUNNERS", "LoadedRunner", "load_runners", "parse_runners", "read_runners"]

# Each is a Job, and a name in the plan.
MAX_RUNNERS: Final = 1_000


class LoadedRunner(BaseModel):
    """A runner URI and what it led to.

    Attributes:
        spec: the URI, understood.
        profile: what its pods run.
        rendered: the same as YAML, for the Job.
        digest: SHA-256 of `rendered`, in hexadecimal.
        warnings: what the profile's author should know, one line each.
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
    """Read all runner URIs, without looking where they lead.

    Args:
        uris: as the user gave them; 1 to 1,000.
        sources: by scheme.
    Returns: in the order of the URIs.
    Raises: InvalidInputError: one line per mistake, `runner 2 of 3 (URI): …`.
    """
    findings = _examine(uris, sources)
    _raise_all(uris, [item.problems for item in findings])
    return [item.spec() for item in findings]


def load_runners(
    specs: Sequence[RunnerSpec],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
) -> list[LoadedRunner]:
    """Load and check the profiles of parsed runner URIs.

    Args:
        specs: what `parse_runners` returned.
        context: the world that the sources may look at.
        release: of the runner image; None when it is unknown, then nothing is checked against it.
        sources: by scheme.
    Returns: in the order of the specs.

    Raises:
        InvalidInputError: one line per mistake, `runner 2 of 3 (URI): …`.
        ClusterError: a source's cluster cannot be asked, or refuses.
    """
    profiles = _Profiles(context, release, sources)
    problems = [profiles.problems(spec.scheme, spec.path) for spec in specs]
    _raise_all([spec.uri for spec in specs], problems)
    return [profiles.runner(spec) for spec in specs]


def read_runners(
    uris: Sequence[str],
    context: SourceContext,
    release: KperfRelease | None,
    sources: Mapping[str, ProfileSource] = SOURCES,
) -> tuple[LoadedRunner, ...]:
    """Parse and load in one step, so that mistakes of both kinds are told together.

    A URI with a mistake in its query still has its profile checked.

    Args:
        uris: as the user gave them; 1 to 1,000.
        context: the world that the sources may look at.
        release: of the runner image; None when it is unknown.
        sources: by scheme.
    Returns: in the order of the URIs.

    Raises:
        InvalidInputError: one line per mistake, `runner 2 of 3 (URI): …`.
        ClusterError: a source's cluster cannot be asked, or refuses.
    """
    findings = _examine(uris, sources)
    profiles = _Profiles(context, release, sources)
    problems = [(*item.problems, *profiles.problems(item.scheme, item.path)) for item in findings]
    _raise_all(uris, problems)
    return tuple(profiles.runner(item.spec()) for item in findings)


class _Profiles:
    """The profiles of one call, each loaded once, however many URIs lead to it."""

    def __init__(
        self,
        context: SourceContext,
        release: KperfRelease | None,
        sources: Mapping[str, ProfileSource],
    ) -> None:
        self._context = context
        self._release = release
        self._sources = sources
        self._known: dict[tuple[str, str], ParsedProfile | tuple[str, ...]] = {}

    def problems(self, scheme: str | None, path: str | None) -> tuple[str, ...]:
        """What is wrong with the profile there; nothing when nobody knows where it is."""
        if scheme is None or path is None:
            return ()
        if (scheme, path) not in self._known:
            self._known[scheme, path] = self._load(scheme, path)
        known = self._known[scheme, path]
        return () if isinstance(known, ParsedProfile) else known

    def runner(self, spec: RunnerSpec) -> LoadedRunner:
        """The record of a runner whose profile has no problems."""
        known = self._known[spec.scheme, spec.path]
        assert isinstance(known, ParsedProfile)
        rendered = render_profile(known.profile)
        return LoadedRunner(
            spec=spec,
            profile=known.profile,
            rendered=rendered,
            digest=profile_digest(rendered),
            warnings=known.warnings,
        )

    def _load(self, scheme: str, path: str) -> ParsedProfile | tuple[str, ...]:
        try:
            parsed = parse_profile(self._sources[scheme].load(path, self._context))
        except InvalidInputError as error:
            return error.problems
        return tuple(release_problems(parsed.profile, self._release)) or parsed


def _examine(uris: Sequence[str], sources: Mapping[str, ProfileSource]) -> list[UriCheck]:
    if not uris:
        raise InvalidInputError("no runners: give at least one runner URI")
    if len(uris) > MAX_RUNNERS:
        raise InvalidInputError(f"{len(uris)} runner URIs are too many; at most {MAX_RUNNERS}")
    return [_check_path(check_runner_uri(uri, sources), sources) for uri in uris]


def _check_path(findings: UriCheck, sources: Mapping[str, ProfileSource]) -> UriCheck:
    if findings.scheme is None or findings.path is None:
        return findings
    problems = sources[findings.scheme].path_problems(findings.path)
    if not problems:
        return findings
    return replace(findings, path=None, problems=(*findings.problems, *problems))


def _raise_all(uris: Sequence[str], problems: Sequence[Sequence[str]]) -> None:
    lines = [
        f"runner {number} of {len(uris)} ({show_uri(uri)}): {problem}"
        for number, (uri, found) in enumerate(zip(uris, problems, strict=True), start=1)
        for problem in found
    ]
    if lines:
        raise InvalidInputError(lines)
