"""What plan, tracker and cluster know of a run, for its report."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from mrunners.errors import UnreachableError
from mrunners.run.lookup import ExistingRun
from mrunners.run.run_facts import run_facts
from tests.fakes import FakeCluster
from tests.unit.env import IMAGE, deploy, planned


def deployed(cluster: FakeCluster, **changes: Any) -> ExistingRun:
    return deploy(cluster, planned(2, 1, **changes))


def test_plan_and_cluster_tell_what_was_asked_for() -> None:
    cluster = FakeCluster()
    cluster.nodes = 7
    run = deployed(
        cluster, label=("team=sre",), cpu="2", toleration=("a", "b"), rate="5", duration="2m"
    )
    facts = run_facts(run, cluster)
    assert (facts.image, facts.server_version, facts.node_count) == (IMAGE, "v1.37.2", 7)
    assert facts.labels == {"team": "sre"}
    assert facts.options == {
        "spread": "prefer",
        "report": "framed",
        "node-log-limit": "10Mi",
        "report-logs": "1",
        "start-timeout": "5m",
        "service-account": "default",
        "duration": "120s",
        "rate": "5",
        "toleration": "a, b",
        "cpu": "2",
    }
    (profile,) = facts.profiles
    assert profile.jobs == ("mrunners-0", "mrunners-1")
    assert profile.digest == run.plan.jobs[0].profile_digest
    assert profile.text is not None
    assert hashlib.sha256(profile.text.encode()).hexdigest() == profile.digest


def test_without_a_cluster_nothing_is_asked() -> None:
    cluster = FakeCluster()
    run = deployed(cluster)
    cluster.calls.clear()
    facts = run_facts(run, None)
    assert (facts.server_version, facts.node_count, cluster.calls) == (None, None, [])
    gone = replace(run, tracker=replace(run.tracker, data={}))
    assert [profile.text for profile in run_facts(gone, None).profiles] == [None]


def test_a_report_does_not_wait_for_a_cluster_that_is_away() -> None:
    cluster = FakeCluster()
    run = deployed(cluster)
    for verb in ("server_version", "count_nodes"):
        cluster.fail(verb, UnreachableError("away"))
    facts = run_facts(run, cluster)
    assert (facts.server_version, facts.node_count) == (None, None)
    assert facts.profiles[0].text is not None


@pytest.mark.parametrize("known", [True, False])
def test_a_profile_that_is_not_in_the_tracker_is_looked_for(known: bool) -> None:
    cluster = FakeCluster()
    run = deployed(cluster)
    cluster.calls.clear()
    if not known:
        run = replace(run, tracker=replace(run.tracker, data={}))
    (profile,) = run_facts(run, cluster).profiles
    assert (profile.text is not None) is known
    assert cluster.calls.count("list_config_maps") == (not known)


def test_profiles_beyond_a_million_characters_are_named_by_their_digest_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = FakeCluster()
    run = deployed(cluster)
    monkeypatch.setattr("mrunners.run.run_facts._MAX_TEXT_CHARACTERS", 3)
    assert [profile.text for profile in run_facts(run, cluster).profiles] == [None]


@pytest.mark.parametrize("verb", ["server_version", "count_nodes", "list_config_maps"])
def test_what_the_cluster_does_answer_is_kept(verb: str) -> None:
    cluster = FakeCluster()
    run = deployed(cluster)
    whole = run_facts(run, cluster)
    gone = replace(run, tracker=replace(run.tracker, data={}))
    cluster.fail(verb, UnreachableError("dial tcp: i/o timeout"))
    facts = run_facts(gone, cluster)
    assert whole.server_version
    assert facts.server_version == (None if verb == "server_version" else whole.server_version)
    assert facts.node_count == (None if verb == "count_nodes" else whole.node_count)
