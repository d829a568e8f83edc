"""Checks and splits the names of container images.

It must not ask a registry whether an image exists.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mrunners.text import quoted

__all__ = [
    "LATEST_KNOWN_RELEASE",
    "OLDEST_USABLE_RELEASE",
    "KperfRelease",
    "image_problem",
    "release_of_image",
    "release_problem",
    "split_image",
]

# The grammar of the distribution project's reference package, which the kubelet's runtimes use:
# https://pkg.go.dev/github.com/distribution/reference
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST_PART: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = re.compile(
    rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_MAX_NAME: Final = 255
_MAX_IMAGE: Final = 1024


def image_problem(image: str) -> str | None:
    """What keeps a text from being an image reference.

    Args:
        image: such as `ghcr.io/azure/kperf:0.3.5` or `host:5000/kperf@sha256:…`.
    Returns: a sentence for the user; None when the reference is well-formed.
    """
    if not image:
        return "the image name is empty"
    if len(image) > _MAX_IMAGE:
        return f"the image name is longer than {_MAX_IMAGE} characters"
    shown = quoted(image, limit=200)
    if any(char.isspace() or not char.isprintable() for char in image):
        return f"the image name contains a blank or control character: {shown}"
    _, at, digest = image.partition("@")
    if at and _DIGEST.fullmatch(digest) is None:
        return f"the image's digest is not like sha256:…: {shown}"
    repository, tag = split_image(image)
    if tag is not None and _TAG.fullmatch(tag) is None:
        return f"the image's tag must be letters, digits, '_', '.' and '-': {shown}"
    host, path = _split_host(repository)
    if host is not None and _HOST.fullmatch(host) is None:
        return f"the image's registry is not a host name: {shown}"
    if path != path.lower():
        return f"the image's repository must be lowercase: {shown}"
    if _REPOSITORY.fullmatch(path) is None:
        return f"the image name is not like registry/repository:tag: {shown}"
    if len(repository) > _MAX_NAME:
        return f"the image's repository is longer than {_MAX_NAME} characters"
    return None


def split_image(image: str) -> tuple[str, str | None]:
    """The repository (with its registry) and the tag of an image reference.

    Args:
        image: with or without tag and digest.
    Returns: (`host:5000/azure/kperf`, `0.3.5`); the tag is None when there is none.
    """
    name = image.partition("@")[0]
    # A colon before the last slash belongs to the registry's port.
    directory, slash, last = name.rpartition("/")
    base, colon, tag = last.partition(":")
    return f"{directory}{slash}{base}", tag if colon else None


def _split_host(repository: str) -> tuple[str | None, str]:
    first, slash, rest = repository.partition("/")
    # Docker's rule: the first part is a registry only if it looks like a host.
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return first, rest
    return None, repository


# Published images are tagged 0.3.5, git tags are v0.3.5. What has a suffix (-rc.1, -patched) is
# somebody's own build: unknown.
_RELEASE: Final = re.compile(r"v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


class KperfRelease(NamedTuple):
    """A release of kperf; ordered as its numbers are."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """Without a `v`, as images are tagged."""
        return f"{self.major}.{self.minor}.{self.patch}"


# The newest one whose sources were read; what it lacks needs 'a release later than' it.
LATEST_KNOWN_RELEASE: Final = KperfRelease(0, 3, 5)
# From 0.1.7 on `errorStats` is a flat mapping and errors have a list (api/types/metric.go); 0.1.5
# and 0.1.6 have latencies by URL, but errors in an older form; earlier ones have neither.
OLDEST_USABLE_RELEASE: Final = KperfRelease(0, 1, 7)


def release_of_image(image: str) -> KperfRelease | None:
    """The kperf release that an image's tag promises.

    Args:
        image: such as `ghcr.io/azure/kperf:0.3.5`, with or without a digest.
    Returns: None when it is unknown: another image name, no tag, `latest`, a tag with a suffix, an
        invalid name; then nothing is checked against a release.
    """
    if image_problem(image) is not None:
        return None
    repository, tag = split_image(image)
    if repository.rpartition("/")[2] != "kperf" or tag is None:
        return None
    match = _RELEASE.fullmatch(tag)
    return KperfRelease(int(match[1]), int(match[2]), int(match[3])) if match else None


def release_problem(release: KperfRelease | None) -> str | None:
    """Why the reports of a release cannot be merged.

    Args:
        release: None when it is unknown.
    Returns: a sentence for the user; None when they can be, or nobody knows.
    """
    if release is None or release >= OLDEST_USABLE_RELEASE:
        return None
    return (
        f"kperf {release} reports in a form that cannot be merged; "
        f"use {OLDEST_USABLE_RELEASE} or later"
    )
