"""What was run, in the words of every output."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mrunners.durations import format_duration
from mrunners.formatting import counted, grouped
from mrunners.reports.provenance import Provenance, RunnerImage
from mrunners.text import listed, printable

__all__ = ["run_details"]

_MAX_NODES = 5
_MAX_PROFILES = 10
_MAX_IMAGES = 5
_DIGEST_CHARACTERS = 12
_VALUE_CHARACTERS = 1_000


def run_details(provenance: Provenance | None) -> list[tuple[str, str]]:
    """Return what is known of what was run, as names and printable texts; nothing without it."""
    if provenance is None:
        return []
    return [
        (name, printable(text, _VALUE_CHARACTERS)) for name, text in _details(provenance) if text
    ]


def _details(provenance: Provenance) -> Iterator[tuple[str, str]]:
    yield "Load", _when(provenance.started_at, provenance.finished_at)
    yield "Common start", "" if provenance.start_at is None else _moment(provenance.start_at)
    yield "Image", provenance.image
    yield "Image that ran", listed([_image(image) for image in provenance.images], _MAX_IMAGES)
    yield "kperf", provenance.kperf_release or "of an unknown release"
    yield "Kubernetes", provenance.server_version or ""
    yield "Nodes", _nodes(provenance)
    yield (
        "Load profiles",
        listed(
            [
                f"{profile.digest[:_DIGEST_CHARACTERS]} ({listed(profile.jobs, 3)})"
                for profile in provenance.profiles
            ],
            _MAX_PROFILES,
        ),
    )
    yield "Options", ", ".join(f"{name} {value}" for name, value in provenance.options.items())
    yield "Labels", ", ".join(f"{key}={value}" for key, value in provenance.labels.items())
    yield "mrunners", provenance.mrunners_version


def _when(start: datetime | None, end: datetime | None) -> str:
    if start is None:
        return "no pod started"
    first = f"from {_moment(start)}"
    if end is None:
        return first
    return f"{first} to {_moment(end)} ({format_duration((end - start).total_seconds())})"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _image(image: RunnerImage) -> str:
    return f"{image.image_id} in {counted(image.pods, 'pod')}"


def _nodes(provenance: Provenance) -> str:
    used = len(provenance.nodes)
    if not used:
        return ""
    of_all = (
        "" if provenance.node_count is None else f" of {grouped(max(provenance.node_count, used))}"
    )
    return f"{grouped(used)}{of_all} had runners: {listed(provenance.nodes, _MAX_NODES)}"
