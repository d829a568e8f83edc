"""The published schemas match the records, and every document is valid against them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mrunners.render.json_schema import SCHEMAS, json_schema
from mrunners.render.terminal.run_status import JobStatus, PodStatus, RunStatus
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import MissingReason
from mrunners.status.run_state import JobPhase
from tests.factories import RUN, RUN_ID, flat, hostile_report, large_report, merged_pod, missing_pod
from tests.unit.render.test_table import whole, with_gaps, without_raw

PUBLISHED = Path(__file__).parents[3] / "docs" / "schema"


def validator(name: str) -> Any:
    return Draft202012Validator(json.loads(json_schema(name)))


REPORT = validator("report-v1")


def empty() -> MergedReport:
    return merge(RUN, RUN_ID, [])


def with_raw() -> MergedReport:
    missing = missing_pod(0, 1, MissingReason.OVER_LIMIT, "x")
    targets = {"mrunners-0": TargetLoad(None, 1)}
    return merge(
        RUN, RUN_ID, [merged_pod(0, 0, flat(errors=2)), missing], targets=targets, raw=True
    )


def many() -> MergedReport:
    return large_report(pods=100)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_current_or_run_dev_schema(name: str) -> None:
    assert (PUBLISHED / f"{name}.json").read_text(encoding="utf-8") == json_schema(name)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(json_schema(name)))


@pytest.mark.parametrize(
    "make", [empty, whole, with_gaps, without_raw, with_raw, many, hostile_report]
)
def test_every_report_is_valid(make: Callable[[], MergedReport]) -> None:
    assert list(REPORT.iter_errors(json.loads(to_json(make())))) == []


# Each example is a whole merge, which may be slow on a busy machine; that is not a failure.
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.dictionaries(
                st.text(max_size=5), st.lists(st.floats(0, 90), min_size=1), max_size=3
            ),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_a_report_of_any_pods_is_valid(
    pods: list[tuple[int, dict[str, list[float]], int, bool]],
) -> None:
    outcomes = [
        merged_pod(job, index, flat(samples, errors=errors, raw=raw))
        for index, (job, samples, errors, raw) in enumerate(pods)
    ]
    report = merge(RUN, RUN_ID, outcomes, targets={"mrunners-0": TargetLoad(10.0, 2)}, raw=True)
    assert list(REPORT.iter_errors(json.loads(to_json(report)))) == []


def test_the_status_is_valid() -> None:
    status = RunStatus(
        server="https://cluster:6443",
        context="test",
        namespace="load",
        tracker="mrunners",
        run=RUN_ID,
        state="running",
        finished=False,
        collected=False,
        jobs=(
            JobStatus(
                job="mrunners-0",
                uri="file:///load/0.yaml?numbers=2",
                phase=JobPhase.RUNNING,
                pods=2,
                ended=0,
                running=1,
                starting=1,
            ),
        ),
        pods=(PodStatus(pod="p", job="mrunners-0", index=0, phase="Running", node="host-1"),),
        problems=("x",),
    )
    document = json.loads(status.model_dump_json(by_alias=True))
    assert list(validator("status-v1").iter_errors(document)) == []


@pytest.mark.parametrize("key", [*json.loads(json_schema("report-v1"))["required"]])
def test_a_report_without_one_of_its_keys_is_invalid(key: str) -> None:
    document = json.loads(to_json(whole()))
    del document[key]
    assert not REPORT.is_valid(document)


def test_a_key_of_a_later_release_is_accepted() -> None:
    assert REPORT.is_valid(json.loads(to_json(whole())) | {"news": 1})
