"""The table of `status`: one line per Job, also in a pipe."""

from __future__ import annotations

from mrunners.refs import ClusterLocation
from mrunners.render.terminal.run_status import JobStatus, RunStatus, render_status, run_status
from mrunners.status.run_state import JobPhase, run_state
from tests.factories import RUN_ID
from tests.unit.env import planned


def job(number: int, uri: str) -> JobStatus:
    return JobStatus(
        job=f"mrunners-{number}",
        uri=uri,
        phase=JobPhase.RUNNING,
        pods=10,
        ended=1,
        running=8,
        starting=1,
    )


STATUS = RunStatus(
    server="https://127.0.0.1:6443",
    context="here",
    namespace="load",
    tracker="mrunners",
    run=RUN_ID,
    state="running",
    finished=False,
    collected=False,
    jobs=(
        job(0, "file:///home/someone/projects/load-tests/profiles/list-configmaps.yaml?numbers=10"),
        job(1, "configmap:///load/mixed?numbers=10"),
    ),
    pods=(),
    problems=(f"job.batch/mrunners-0: 1 of 10 pods cannot start: {'quota ' * 20}".rstrip(),),
)


def test_a_job_is_one_line_with_the_name_of_its_profile() -> None:
    lines = render_status(STATUS, "the run", width=80).splitlines()
    assert lines[:6] == [
        "the run",
        "",
        "job         profile               state    pods  ended  running  starting",
        "─────────────────────────────────────────────────────────────────────────",
        "mrunners-0  list-configmaps.yaml  running    10      1        8         1",
        "mrunners-1  mixed                 running    10      1        8         1",
    ]


def test_in_a_pipe_a_problem_is_one_line() -> None:
    assert render_status(STATUS, "the run", width=None).splitlines()[6:] == [*STATUS.problems]


def test_on_a_terminal_no_line_is_wider() -> None:
    for width in (60, 80):
        lines = render_status(STATUS, "the run", width=width).splitlines()
        assert max(map(len, lines)) <= width


def test_the_options_that_fitted_the_pods_to_the_cluster_are_shown() -> None:
    plan = planned(1, run_as_user="platform", priority_class="high").plan
    status = run_status(
        plan.ref,
        location=ClusterLocation("https://127.0.0.1:6443", "here"),
        run_id=plan.run_id,
        state=run_state(plan, []),
        pods=(),
        collected=False,
        problems=(),
        pod_options=tuple(plan.pods.described()),
    )
    assert status.pod_options == ("priority-class high", "run-as-user platform")
    lines = render_status(status, "the run", width=80).splitlines()
    assert lines[:2] == ["the run", "pods: priority-class high, run-as-user platform"]
