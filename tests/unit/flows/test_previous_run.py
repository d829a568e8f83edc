from dataclasses import replace

import pytest

from mrunners.errors import NextStep, RefusedError
from mrunners.plan.options import IfExists
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.finality import readable_later
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import CollectedRun, merge_outcomes
from mrunners_flows.policy import RunPolicy
from mrunners_flows.previous_run import collects_previous_run, require_nothing_to_lose
from tests.fakes import FakeCluster
from tests.unit.env import deploy, options, planned

COLLECT = RunPolicy(previous_run="collect")
READABLE_LATER = [
    MissingReason.STILL_RUNNING,
    MissingReason.EMPTY_LOG,
    MissingReason.KUBELET_ERROR,
    MissingReason.LOG_UNAVAILABLE,
    MissingReason.LOG_FORBIDDEN,
    MissingReason.NOT_KEPT,
]


def previous_run(*reasons: MissingReason, saved: bool = True) -> tuple[ExistingRun, CollectedRun]:
    """A run that was never collected, with one missing report for each reason."""
    run = deploy(FakeCluster(), planned(len(reasons)))
    (job,) = run.plan.jobs
    outcomes = [
        PodOutcome(job=job.name, job_index=0, uri=job.uri, index=index, missing=reason, detail="x")
        for index, reason in enumerate(reasons)
    ]
    report = merge_outcomes(run, outcomes, traffic={})
    return run, CollectedRun(report, saved=saved, unread=readable_later(outcomes))


@pytest.mark.parametrize("reason", READABLE_LATER)
def test_a_previous_run_is_not_deleted_while_its_logs_cannot_be_read(reason: MissingReason) -> None:
    with pytest.raises(RefusedError) as caught:
        require_nothing_to_lose(*previous_run(MissingReason.NOT_STARTED, reason))
    assert str(caught.value) == (
        "1 report of the earlier run of tracker load/mrunners could not be read: "
        f"mrunners-0 index 1: {reason.value}: x; start again when the logs can be read"
    )
    assert caught.value.next_steps == (NextStep.FORCE_DELETE,)


def test_a_previous_run_is_not_deleted_while_a_pod_on_a_lost_node_exists() -> None:
    run, collected = previous_run(MissingReason.DISRUPTED)
    (lost,) = (
        PodOutcome(job=pod.job, job_index=0, uri="", index=0, missing=pod.reason, unread=True)
        for pod in collected.report.coverage.missing
    )
    with pytest.raises(RefusedError, match="mrunners-0 index 0: disrupted: ") as caught:
        require_nothing_to_lose(run, replace(collected, unread=(lost,)))
    assert caught.value.next_steps == (NextStep.FORCE_DELETE,)


@pytest.mark.parametrize("reason", sorted(set(MissingReason) - set(READABLE_LATER)))
def test_a_previous_run_is_deleted_when_no_more_of_it_can_be_fetched(reason: MissingReason) -> None:
    require_nothing_to_lose(*previous_run(reason))


def test_a_previous_run_is_not_deleted_when_its_report_could_not_be_written() -> None:
    with pytest.raises(RefusedError, match="written to its folder; fix the folder") as caught:
        require_nothing_to_lose(*previous_run(MissingReason.NOT_STARTED, saved=False))
    assert caught.value.next_steps == (NextStep.RESULT,)


@pytest.mark.parametrize("if_exists", IfExists)
def test_a_run_that_is_to_be_resumed_is_not_a_previous_run(if_exists: IfExists) -> None:
    chosen = options(if_exists=if_exists)
    assert collects_previous_run(chosen, COLLECT) is (if_exists is not IfExists.RESUME)
    assert not collects_previous_run(chosen, RunPolicy())
