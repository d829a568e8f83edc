"""Names of runner images, and the kperf release that a tag promises. No registry is contacted."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mrunners.text import quoted

__all__ = [
    "LATEST_KNOWN_RELEASE",
    "OLDEST_USABLE_RELEASE",
    "KperfRelease",
    "image_problem",
    "moving_tag_warning",
    "newer_release_warning",
    "release_of_image",
    "release_problem",
    "split_image",
]

# The grammar of the distribution project's reference package, which container runtimes use:
# https://pkg.go.dev/github.com/distribution/reference
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST_PART: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = re.compile(
    rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_MAX_REPOSITORY: Final = 255
_MAX_IMAGE: Final = 1024

# Published images are tagged 0.3.5, git tags are v0.3.5. A tag with a suffix (-rc.1, -patched) is
# of someone's own build, whose release is unknown.
_RELEASE: Final = re.compile(r"v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


class KperfRelease(NamedTuple):
    """A release of kperf; releases are ordered by their numbers."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """Return `0.3.5`, without a `v`, as images are tagged."""
        return f"{self.major}.{self.minor}.{self.patch}"


# The newest release whose source was read; what it lacks needs "a release later than" it.
LATEST_KNOWN_RELEASE: Final = KperfRelease(0, 3, 5)
# Since 0.1.7, `errorStats` is a flat mapping and errors are a list (api/types/metric.go). 0.1.5 and
# 0.1.6 have latencies by URL, but errors in an older form; earlier releases have neither.
OLDEST_USABLE_RELEASE: Final = KperfRelease(0, 1, 7)


def image_problem(image: str) -> str | None:
    """Return why a text is not an image reference.

    Args:
        image: Such as `ghcr.io/azure/kperf:0.3.5` or `registry:5000/kperf@sha256:…`.

    Returns:
        A message for the user; None when the reference is valid.
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
        return f"the image's digest must look like sha256:…, got {shown}"
    repository, tag = split_image(image)
    if tag is not None and _TAG.fullmatch(tag) is None:
        return f"the image's tag must consist of letters, digits, '_', '.' and '-', got {shown}"
    host, path = _split_host(repository)
    if host is not None and _HOST.fullmatch(host) is None:
        return f"the image's registry must be a host name, without https://, got {shown}"
    if path != path.lower():
        return f"the image's repository must be lowercase, got {shown}"
    if _REPOSITORY.fullmatch(path) is None:
        return f"the image name must look like registry/repository:tag, got {shown}"
    if len(repository) > _MAX_REPOSITORY:
        return f"the image's repository is longer than {_MAX_REPOSITORY} characters"
    return None


def split_image(image: str) -> tuple[str, str | None]:
    """Return the repository (with its registry) and the tag of an image reference.

    Args:
        image: With or without tag and digest.

    Returns:
        Such as (`registry:5000/azure/kperf`, `0.3.5`); the tag is None when the image has none.
    """
    name = image.partition("@")[0]
    # A colon before the last slash belongs to the registry's port.
    directory, slash, last = name.rpartition("/")
    base, colon, tag = last.partition(":")
    return f"{directory}{slash}{base}", tag if colon else None


def release_of_image(image: str) -> KperfRelease | None:
    """Return the kperf release that an image's tag promises.

    Args:
        image: Such as `ghcr.io/azure/kperf:0.3.5`, with or without a digest.

    Returns:
        None when the release is unknown: another image name, no tag, `latest`, a tag with a suffix
        or an invalid name. Then nothing is checked against a release.
    """
    if image_problem(image) is not None:
        return None
    repository, tag = split_image(image)
    if repository.rpartition("/")[2] != "kperf" or tag is None:
        return None
    match = _RELEASE.fullmatch(tag)
    return KperfRelease(int(match[1]), int(match[2]), int(match[3])) if match else None


def release_problem(release: KperfRelease | None) -> str | None:
    """Return why the reports of a release cannot be merged.

    Returns:
        A message for the user; None when they can be merged or the release is unknown.
    """
    if release is None or release >= OLDEST_USABLE_RELEASE:
        return None
    return (
        f"mrunners cannot merge the reports of kperf {release}; "
        f"use {OLDEST_USABLE_RELEASE} or later"
    )


def newer_release_warning(release: KperfRelease | None) -> str | None:
    """Return what to know about a release whose source was not read; None for all others."""
    if release is None or release <= LATEST_KNOWN_RELEASE:
        return None
    return (
        f"the image is kperf {release}, which is newer than this release of mrunners knows; its "
        f"profiles and reports are taken for those of kperf {LATEST_KNOWN_RELEASE}"
    )


def moving_tag_warning(image: str) -> str | None:
    """Return what to know about an image whose name may stand for another one tomorrow.

    Args:
        image: A valid image reference.
    """
    tag = split_image(image)[1]
    if "@" in image or tag not in {None, "latest"}:
        return None
    what = "has no tag, which means latest" if tag is None else "has the tag latest"
    return (
        f"the image {what}: each node pulls it anew for every pod unless the pull policy says "
        "otherwise, and the next run may get another one; name a version or a digest"
    )


def _split_host(repository: str) -> tuple[str | None, str]:
    first, slash, rest = repository.partition("/")
    # Docker's rule: the first part is a registry only if it looks like a host.
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return first, rest
    return None, repository
