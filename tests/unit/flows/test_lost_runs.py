from typing import Any

from deploy.lost_runs import FLOWS
from mrunners_flows import delete, multirunners, result, wait


def test_lost_runs_are_searched_among_all_our_flows_and_no_others() -> None:
    ours: list[Any] = [multirunners, wait, result, delete]
    assert [flow.name for flow in ours] == FLOWS
