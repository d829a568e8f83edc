"""What was run, as the report says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from mrunners.reports.provenance import (
    ProfileCopy,
    RunFacts,
    RunnerImage,
    first_known,
    provenance_of,
)
from tests.factories import RUN, RUN_ID, START, flat, merged_pod, missing_pod

OLD, NEW = "ghcr.io/azure/kperf@sha256:01d", "ghcr.io/azure/kperf@sha256:2ew"
FACTS = RunFacts(
    image="ghcr.io/azure/kperf:0.3.5",
    kperf_release="0.3.5",
    server_version="v1.37.2",
    node_count=4,
    profiles=(ProfileCopy(digest="ab", jobs=("mrunners-0",), text="version: 1\n"),),
    options={"spread": "prefer"},
    labels={"team": "sre"},
)


def test_times_nodes_and_images_are_those_of_the_pods() -> None:
    outcomes = [
        replace(merged_pod(0, 0, flat(), node="b", second=3, lasting=7), image_id=NEW),
        replace(merged_pod(0, 1, flat(), node="a", second=1, lasting=2), image_id=NEW),
        replace(missing_pod(1, 0, MissingReason.KPERF_FAILED), image_id=OLD),
        replace(
            missing_pod(1, 1, MissingReason.NOT_STARTED),
            started_at=None,
            finished_at=None,
            node=None,
        ),
    ]
    found = provenance_of(FACTS, outcomes)
    assert found.started_at == START
    assert found.finished_at == START + timedelta(seconds=10)
    assert found.nodes == ("a", "b", "node-0")
    assert found.images == (
        RunnerImage(image_id=NEW, pods=2),
        RunnerImage(image_id=OLD, pods=1),
    )
    assert found.mrunners_version == version("mrunners")
    assert (found.image, found.kperf_release) == ("ghcr.io/azure/kperf:0.3.5", "0.3.5")
    assert (found.server_version, found.node_count) == ("v1.37.2", 4)
    assert (found.profiles, found.options, found.labels) == (
        FACTS.profiles,
        {"spread": "prefer"},
        {"team": "sre"},
    )


def test_without_a_pod_that_started_there_is_no_time() -> None:
    never = replace(
        missing_pod(0, 0, MissingReason.NOT_CREATED), started_at=None, finished_at=None, node=None
    )
    found = provenance_of(RunFacts(image="x"), [never])
    assert (found.started_at, found.finished_at) == (None, None)
    assert (found.nodes, found.images, found.profiles) == ((), (), ())


def test_a_merge_without_facts_has_none() -> None:
    pods = [merged_pod(0, 0, flat())]
    assert merge(RUN, RUN_ID, pods).provenance is None
    assert merge(RUN, RUN_ID, pods, facts=FACTS).provenance == provenance_of(FACTS, pods)


def test_what_was_known_first_stays_true() -> None:
    later = FACTS.model_copy(update={"server_version": "v1.38.0", "node_count": 9, "profiles": ()})
    assert first_known(FACTS, later) == FACTS
    assert first_known(None, later) == later
    unknown = FACTS.model_copy(update={"server_version": None, "node_count": None})
    assert first_known(unknown, later).server_version == "v1.38.0"
    assert first_known(unknown, later).node_count == 9
    lost = ProfileCopy(digest="ab" * 32, jobs=("mrunners-0",))
    without_text = FACTS.model_copy(update={"profiles": (lost,)})
    assert first_known(without_text, FACTS).profiles == FACTS.profiles
