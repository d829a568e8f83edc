from collections.abc import Mapping

import pytest

from mrunners.errors import MrunnersError
from mrunners.plan.plan import RunPlan
from mrunners.reports.conclusion import Conclusion, FailOn
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason, PodOutcome
from mrunners.run.result import CollectedRun
from mrunners_flows import finish
from mrunners_flows.finish import FinishedRun, finish_run, previous_attempt
from mrunners_flows.policy import IncompletePolicy, RunPolicy
from mrunners_flows.states import RunIncompleteError, RunInDoubtError
from mrunners_tasks.events import RunEvent, event_figures
from mrunners_tasks.reports import artifact_key
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod
from tests.fakes import FakeCluster
from tests.unit.env import deploy, options, planned

SUCCESSES = {"LIST https://api/pods": [0.001] * 34}
WELL = [merged_pod(0, 0, flat())]
FORBIDDEN = [merged_pod(0, 0, flat(SUCCESSES, errors=266))]
GAP = missing_pod(0, 1, MissingReason.TRUNCATED)


def test_no_other_run_of_a_pipeline_with_the_same_key_gets_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identities: list[str] = []
    monkeypatch.setattr(finish, "load_attempt", lambda run, _: identities.append(run))
    runs = [
        options(),
        options(namespace="other"),
        options(tracker="other"),
        options(context="other"),
        options(),
    ]
    for run in runs:
        previous_attempt(run, "key of the pipeline")
    assert identities[0] == identities[-1]
    assert len(set(identities)) == 4


@pytest.mark.parametrize(
    ("pods", "fail_on", "on_incomplete", "event", "error"),
    [
        (WELL, "error", "fail", RunEvent.FINISHED, None),
        (FORBIDDEN, "error", "fail", RunEvent.IN_DOUBT, RunInDoubtError),
        (FORBIDDEN, "error", "report", RunEvent.IN_DOUBT, RunInDoubtError),
        (FORBIDDEN, "never", "fail", RunEvent.FINISHED, None),
        ([*WELL, GAP], "error", "fail", RunEvent.INCOMPLETE, RunIncompleteError),
        ([*WELL, GAP], "error", "report", RunEvent.INCOMPLETE, None),
        ([*FORBIDDEN, GAP], "error", "fail", RunEvent.INCOMPLETE, RunIncompleteError),
        ([*FORBIDDEN, GAP], "error", "report", RunEvent.INCOMPLETE, RunInDoubtError),
        ([*FORBIDDEN, GAP], "never", "report", RunEvent.INCOMPLETE, None),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_the_event_and_the_end_of_a_flow_follow_from_the_conclusion(
    pods: list[PodOutcome],
    fail_on: FailOn,
    on_incomplete: IncompletePolicy,
    event: RunEvent,
    error: type[MrunnersError] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emitted: list[tuple[RunEvent, RunPlan, str, Mapping[str, object]]] = []
    monkeypatch.setattr(finish, "emit_run_event", lambda *call: emitted.append(call))
    run = deploy(FakeCluster(), planned(2))
    collected = CollectedRun(merge(RUN, RUN_ID, pods))
    requested, policy = options(fail_on=fail_on), RunPolicy(on_incomplete=on_incomplete)
    ended: type[MrunnersError] | None = None
    try:
        outcome = finish_run(requested, policy, "key", FinishedRun(run, collected))
    except MrunnersError as caught:
        ended, outcome = type(caught), caught.outcome  # type: ignore[attr-defined]
    assert (ended, outcome.merged_report) == (error, collected.report)
    conclusion = collected.conclusion(fail_on)
    figures = event_figures(collected.report, conclusion, artifact_key(run.ref, "report"))
    assert emitted == [(event, run.plan, collected.summary, figures)]


def test_an_automation_can_decide_by_what_the_last_event_says() -> None:
    report = merge(RUN, RUN_ID, FORBIDDEN)
    figures = event_figures(report, Conclusion.IN_DOUBT, None)
    assert figures == {
        "conclusion": "in-doubt",
        "samples": report.total,
        "errors": report.error_count,
        "p50Seconds": report.percentile(0.5),
        "p99Seconds": report.percentile(0.99),
        "artifact": None,
    }


def test_without_percentiles_the_event_has_none() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({}, errors=3))])
    figures = event_figures(report, Conclusion.INCOMPLETE, "key")
    assert (figures["p99Seconds"], figures["artifact"]) == (None, "key")
