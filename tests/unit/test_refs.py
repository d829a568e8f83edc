"""References name a cluster and a run, and are equal when they name the same."""

import dataclasses

import pytest

from mrunners.refs import ClusterRef, RunRef


def test_a_run_is_written_as_namespace_and_tracker() -> None:
    assert str(RunRef("load", "nightly")) == f"{RunRef('load', 'nightly')}" == "load/nightly"


def test_runs_are_ordered_by_namespace_and_then_by_tracker() -> None:
    refs = [RunRef("b", "a"), RunRef("a", "z"), RunRef("a", "b")]
    assert sorted(refs) == [RunRef("a", "b"), RunRef("a", "z"), RunRef("b", "a")]


def test_references_to_the_same_thing_are_equal_and_count_once() -> None:
    assert {RunRef("load", "x"), RunRef("load", "x")} == {RunRef("load", "x")}
    assert {ClusterRef(), ClusterRef("", "")} == {ClusterRef()}
    assert RunRef("load", "x") != RunRef("x", "load")
    assert ClusterRef(kubeconfig="a") != ClusterRef(context="a")


def test_a_reference_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunRef("load", "x").tracker = "y"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        ClusterRef().context = "y"  # type: ignore[misc]
