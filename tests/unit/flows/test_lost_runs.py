import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.events.schemas.automations import EventTrigger
from prefect.settings.models.flows import FlowsSettings

from deploy.lost_runs import FLOWS, lost_runs, silence
from mrunners_flows import delete, multirunners, result, wait


def test_lost_runs_are_searched_among_all_our_flows_and_no_others() -> None:
    ours: list[Any] = [multirunners, wait, result, delete]
    assert [flow.name for flow in ours] == FLOWS


def test_a_healthy_run_is_never_silent_for_so_long_whatever_its_heartbeat() -> None:
    default = FlowsSettings.model_fields["heartbeat_frequency"].default
    trigger = lost_runs().trigger
    assert isinstance(trigger, EventTrigger)
    assert trigger.within is not None
    assert trigger.within > timedelta(seconds=2 * default)


def test_the_shipped_deployments_send_a_heartbeat_every_half_minute() -> None:
    document = yaml.safe_load((Path(__file__).parents[3] / "prefect.yaml").read_text())
    environments = [
        deployment["work_pool"]["job_variables"]["env"] for deployment in document["deployments"]
    ]
    assert [env["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] for env in environments] == ["30"] * 5


def test_a_silence_of_two_of_the_shortest_heartbeats_or_longer_is_taken() -> None:
    assert [silence(text) for text in ("60s", "1m30s")] == [
        timedelta(seconds=60),
        timedelta(seconds=90),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("59s", "must be at least 60s, got 59s: no run sends a heartbeat more often"),
        ("90", "not a duration: '90'; write it like 90s"),
    ],
)
def test_a_silence_that_would_end_healthy_runs_is_refused_with_the_reason(
    text: str, reason: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=reason):
        silence(text)
