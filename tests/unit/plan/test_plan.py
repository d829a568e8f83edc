import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.plan.option_table import Spread
from mrunners.plan.plan import RunPlan, digest_of, plan_differences, run_id_of
from mrunners.profiles.overrides import ProfileOverrides
from tests.unit.env import IMAGE, RUN_ID, planned


def test_the_same_key_gives_the_same_run_everywhere() -> None:
    assert run_id_of("key") == RUN_ID
    assert run_id_of("another") != RUN_ID


def test_a_plan_has_the_pods_of_all_its_runners() -> None:
    assert planned(2, 1, 30).plan.pod_count == 33


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    assert digest_of(value) == digest_of(dict(reversed(value.items())))


def test_a_plan_does_not_differ_from_itself_even_under_another_run() -> None:
    assert plan_differences(planned().plan, planned(key="another").plan) == []


def test_a_plan_of_an_earlier_release_without_loads_does_not_differ() -> None:
    plan = planned().plan
    document = plan.model_dump(mode="json", by_alias=True)
    del document["loads"]
    earlier = RunPlan.model_validate_json(json.dumps(document))
    assert earlier == plan.model_copy(update={"loads": ()})
    assert plan_differences(earlier, plan) == []


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"image": "kperf:0.3.6"},
            [f"image: {IMAGE} in the existing run, kperf:0.3.6 requested"],
        ),
        (
            {"spread": Spread.OFF, "start_timeout_seconds": 60.0},
            [
                "spread: prefer in the existing run, off requested",
                "start_timeout_seconds: 300.0 in the existing run, 60.0 requested",
            ],
        ),
        (
            {"overrides": ProfileOverrides(total=100)},
            ["overrides: none in the existing run, total 100 requested"],
        ),
        (
            {"jobs": planned(2).plan.jobs},
            ["runners: 2 in the existing run, 1 requested"],
        ),
        (
            {"jobs": planned(2, 5).plan.jobs},
            [
                "runner 2: file:///load/1.yaml?numbers=1 in the existing run, "
                "file:///load/1.yaml?numbers=5 requested"
            ],
        ),
        (
            {
                "jobs": [
                    job.model_copy(update={"profile_digest": "0" * 64})
                    for job in planned().plan.jobs[:1]
                ]
                + list(planned().plan.jobs[1:])
            },
            [
                "runner 1 (file:///load/0.yaml?numbers=2): the load profile has changed "
                f"(digest {planned().plan.jobs[0].profile_digest[:12]}, now 000000000000)"
            ],
        ),
    ],
    ids=["image", "two options", "overrides", "fewer runners", "another URI", "another profile"],
)
def test_each_difference_of_a_plan_is_one_line(
    changes: dict[str, object], lines: list[str]
) -> None:
    existing = planned().plan
    requested = RunPlan.model_validate({**dict(existing), **changes})
    assert plan_differences(existing, requested) == lines
