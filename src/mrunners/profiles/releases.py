"""Knows kperf's releases by their numbers and reads them off image names.

It must not pull or inspect an image; a tag is all that is known before a pod runs.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mrunners.profiles.images import check_image_name, split_image

__all__ = [
    "LATEST_KNOWN_RELEASE",
    "OLDEST_USABLE_RELEASE",
    "KperfRelease",
    "check_image_name",
    "check_usable",
    "release_of_image",
]

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
    if check_image_name(image) is not None:
        return None
    repository, tag = split_image(image)
    if repository.rpartition("/")[2] != "kperf" or tag is None:
        return None
    match = _RELEASE.fullmatch(tag)
    return KperfRelease(int(match[1]), int(match[2]), int(match[3])) if match else None


def check_usable(release: KperfRelease | None) -> str | None:
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
