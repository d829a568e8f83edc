"""A run's status as a table for people."""

from mrunners.render.terminal.run_status import render_status, run_status
from mrunners.status.run_state import run_state
from tests.unit.env import planned


def test_the_options_that_fitted_the_pods_to_the_cluster_are_shown() -> None:
    plan = planned(1, run_as_user="platform", priority_class="high").plan
    status = run_status(
        plan.ref,
        run_id=plan.run_id,
        state=run_state(plan, []),
        collected=False,
        problems=(),
        pod_options=tuple(plan.pods.described()),
    )
    assert status.pod_options == ("priority-class high", "run-as-user platform")
    lines = render_status(status, "the run").splitlines()
    assert lines[:2] == ["the run", "pods: priority-class high, run-as-user platform"]
