"""What was run: when, what, with which software, on which nodes, and why its figures can differ.

Two reports can be compared only as far as these facts agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from pydantic import AwareDatetime, Field

from mrunners.records import Record
from mrunners.reports.outcomes import PodOutcome

__all__ = [
    "ProfileCopy",
    "Provenance",
    "RunFacts",
    "RunnerImage",
    "first_known",
    "images_of",
    "provenance_of",
]


class ProfileCopy(Record):
    """A load profile as its pods had it.

    Attributes:
        digest: SHA-256 (hex) of the text.
        jobs: The Jobs whose pods had it, in plan order.
        text: The profile in YAML; None where it is not known any more, or there are very many.
    """

    digest: str
    jobs: tuple[str, ...]
    text: str | None = None


class RunnerImage(Record):
    """An image that ran, which a tag alone does not say.

    Attributes:
        image_id: As the container runtime names it, with its digest.
        pods: How many pods ran it.
    """

    image_id: str = Field(alias="imageID")
    pods: int


class Provenance(Record):
    """What was run.

    Attributes:
        start_at: When all pods were to begin their load together; None when each began at once.
        started_at: When the first pod's load began, by its node's clock.
        finished_at: When the last one ended.
        mrunners_version: Of the mrunners that made the report.
        image: As the options name it.
        kperf_release: That the image's tag promises; None when it promises none.
        images: Those that ran, the most frequent first.
        server_version: The API server's, when the report was made.
        node_count: How many nodes the cluster had then; None where they may not be listed.
        nodes: Those that runners ran on, by name.
        profiles: In plan order.
        options: The values of the options, by option.
        labels: The user's own.
    """

    start_at: AwareDatetime | None = Field(default=None, alias="startAt")
    started_at: AwareDatetime | None = Field(alias="startedAt")
    finished_at: AwareDatetime | None = Field(alias="finishedAt")
    mrunners_version: str = Field(alias="mrunnersVersion")
    image: str
    kperf_release: str | None = Field(alias="kperfRelease")
    images: tuple[RunnerImage, ...]
    server_version: str | None = Field(alias="serverVersion")
    node_count: int | None = Field(alias="nodeCount")
    nodes: tuple[str, ...]
    profiles: tuple[ProfileCopy, ...]
    options: dict[str, str]
    labels: dict[str, str]


class RunFacts(Record):
    """What plan and cluster know of a run; its pods know the rest. See `Provenance`."""

    start_at: AwareDatetime | None = None
    image: str
    kperf_release: str | None = None
    server_version: str | None = None
    node_count: int | None = None
    profiles: tuple[ProfileCopy, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)


def first_known(kept: RunFacts | None, now: RunFacts) -> RunFacts:
    """Return the facts that were known first: an upgrade after a run does not change what ran.

    Args:
        kept: As an earlier collection found them; None if there was none.
        now: As they are found now.
    """
    if kept is None:
        return now
    whole = all(profile.text is not None for profile in kept.profiles)
    return now.model_copy(
        update={
            "server_version": kept.server_version or now.server_version,
            "node_count": now.node_count if kept.node_count is None else kept.node_count,
            "profiles": kept.profiles if whole and kept.profiles else now.profiles,
        }
    )


def images_of(outcomes: Iterable[PodOutcome]) -> tuple[RunnerImage, ...]:
    """Return the images that pods ran, the most frequent first."""
    images = Counter(outcome.image_id for outcome in outcomes if outcome.image_id)
    ordered = sorted(images.items(), key=lambda item: (-item[1], item[0]))
    return tuple(RunnerImage(image_id=image, pods=count) for image, count in ordered)


def provenance_of(facts: RunFacts, outcomes: Sequence[PodOutcome]) -> Provenance:
    """Return what was run.

    Args:
        facts: What plan and cluster know.
        outcomes: One for each planned pod.
    """
    starts = [outcome.started_at for outcome in outcomes if outcome.started_at is not None]
    ends = [outcome.finished_at for outcome in outcomes if outcome.finished_at is not None]
    return Provenance(
        start_at=facts.start_at,
        started_at=min(starts, default=None),
        finished_at=max(ends, default=None),
        mrunners_version=version("mrunners"),
        image=facts.image,
        kperf_release=facts.kperf_release,
        images=images_of(outcomes),
        server_version=facts.server_version,
        node_count=facts.node_count,
        nodes=tuple(sorted({outcome.node for outcome in outcomes if outcome.node is not None})),
        profiles=facts.profiles,
        options=dict(facts.options),
        labels=dict(facts.labels),
    )
