import pytest

from mrunners.errors import RefusedError
from mrunners.plan.options import IfExists
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.lookup import ExistingRun
from mrunners.run.result import merge_outcomes
from mrunners_flows.collect import CollectedRun
from mrunners_flows.policy import RunPolicy
from mrunners_flows.previous_run import collects_previous_run, require_nothing_to_lose
from tests.fakes import FakeCluster
from tests.unit.env import deploy, options, planned

COLLECT = RunPolicy(previous_run="collect")
FOR_NOW = [MissingReason.LOG_UNAVAILABLE, MissingReason.LOG_FORBIDDEN]


def previous_run(*reasons: MissingReason, saved: bool = True) -> tuple[ExistingRun, CollectedRun]:
    """A run that an earlier flow left, one pod for each reason."""
    found = deploy(FakeCluster(), planned(len(reasons)))
    (job,) = found.plan.jobs
    outcomes = [
        PodOutcome(job=job.name, job_index=0, uri=job.uri, index=index, missing=reason, detail="x")
        for index, reason in enumerate(reasons)
    ]
    return found, CollectedRun(
        merge_outcomes(found, outcomes, requests=0), (), saved, collected=False
    )


@pytest.mark.parametrize("reason", FOR_NOW)
def test_a_leftover_whose_logs_cannot_be_read_for_now_is_not_removed(reason: MissingReason) -> None:
    with pytest.raises(RefusedError) as refused:
        require_nothing_to_lose(*previous_run(MissingReason.NOT_STARTED, reason))
    assert str(refused.value) == (
        "1 reports of the earlier run under tracker mrunners in namespace load could not be read: "
        f"mrunners-0 index 1: {reason.value}: x; start again when its logs can be read, or give "
        "them up with: mrunners delete load --tracker mrunners --force"
    )


@pytest.mark.parametrize("reason", sorted(set(MissingReason) - set(FOR_NOW)))
def test_a_leftover_of_which_nothing_more_can_be_had_is_removed(reason: MissingReason) -> None:
    require_nothing_to_lose(*previous_run(reason))


def test_a_leftover_whose_report_could_not_be_written_is_not_removed() -> None:
    with pytest.raises(RefusedError, match="could not be written to its folder; mend the folder"):
        require_nothing_to_lose(*previous_run(MissingReason.NOT_STARTED, saved=False))


@pytest.mark.parametrize("if_exists", IfExists)
def test_a_run_that_is_to_be_resumed_is_no_leftover(if_exists: IfExists) -> None:
    asked = options(if_exists=if_exists)
    assert collects_previous_run(asked, COLLECT) is (if_exists is not IfExists.RESUME)
    assert not collects_previous_run(asked, RunPolicy())
