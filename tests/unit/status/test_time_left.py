"""How long a run still takes comes from its plan and its pods, and is never a negative time."""

from datetime import datetime, timedelta

import pytest

from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.plan.metadata import ANNOTATION_GIVEN_UP, run_selector
from mrunners.plan.planning import plan_run
from mrunners.status.observation import observe_pods
from mrunners.status.run_state import RunState
from mrunners.status.time_left import TimeLeft, progress_texts, time_left
from tests.fakes import START, FakeCluster
from tests.unit.env import deploy, find, loaded, options, profile

FIRST, SECOND = "mrunners-0", "mrunners-1"
LONG, SHORT, UNKNOWN = "duration: 300", "total: 600", "total: 7"


class StartedRun:
    """A run of two pods and of one, with these loads; the test lets its pods start and end."""

    def __init__(self, *limits: str, jobs: int | None = None) -> None:
        self.cluster = FakeCluster()
        requested = options()
        runners = [
            loaded(uri, profile(limit=limit, rate=0 if limit == UNKNOWN else 10))
            for uri, limit in zip(requested.runners, limits or (LONG, SHORT), strict=True)
        ]
        run = plan_run(requested, runners, run_key="key")
        self.plan = run.plan
        deploy(self.cluster, run, jobs=jobs)

    def start(self, *, seconds_later: float = 0.0) -> None:
        for job, index in ((FIRST, 0), (FIRST, 1), (SECOND, 0)):
            self.cluster.start_pod(job, index)
        self.cluster.clock.seconds += seconds_later

    @property
    def state(self) -> RunState:
        pods = self.cluster.list_pods("load", run_selector(self.plan.run_id))
        return observe_pods(find(self.cluster, self.plan).state, pods)

    @property
    def left(self) -> TimeLeft | None:
        return self.left_if(None)

    def left_if(self, start_at: datetime | None) -> TimeLeft | None:
        return time_left(self.state, self.cluster.now(), start_at)

    def texts(self, reports: int = 0) -> tuple[str, str, str]:
        return progress_texts(self.state, reports, self.left)


def test_pods_that_start_together_have_all_of_it_left_until_then() -> None:
    run = StartedRun()
    run.start()
    assert run.left_if(run.cluster.now() + timedelta(seconds=30)) == TimeLeft(330, 300)
    assert run.left_if(run.cluster.now() - timedelta(seconds=30)) == TimeLeft(300, 300)


def test_what_is_left_is_what_the_pod_that_started_last_still_has_to_send() -> None:
    run = StartedRun()
    run.cluster.start_pod(FIRST, 0)
    run.cluster.start_pod(SECOND, 0)
    run.cluster.clock.seconds += 20
    run.cluster.start_pod(FIRST, 1)
    run.cluster.clock.seconds += 50
    assert run.left == TimeLeft(250, 300)


def test_what_is_left_is_that_of_the_longest_load() -> None:
    run = StartedRun()
    run.start(seconds_later=50)
    for index in range(2):
        run.cluster.end_pod(FIRST, index)
    assert run.left == TimeLeft(10, 60)


def test_the_load_of_pods_that_have_not_started_is_still_ahead() -> None:
    run = StartedRun()
    run.cluster.start_pod(FIRST, 0)
    run.cluster.clock.seconds += 100
    assert run.left == TimeLeft(300, 300, waiting=True)


def test_the_load_of_a_job_that_was_not_created_is_still_ahead() -> None:
    run = StartedRun(SHORT, LONG, jobs=1)
    for index in range(2):
        run.cluster.start_pod(FIRST, index)
    assert run.left == TimeLeft(300, 300, waiting=True)
    assert run.texts()[0] == (
        "0 of 3 pods ended, 2 running, 1 starting, 1 Job not created, 0 reports, "
        "about 5m once all pods run"
    )


def test_while_one_load_runs_a_shorter_one_may_wait_for_its_start() -> None:
    run = StartedRun()
    for index in range(2):
        run.cluster.start_pod(FIRST, index)
    run.cluster.clock.seconds += 100
    assert run.left == TimeLeft(200, 300)


def test_pods_that_were_given_up_are_not_waited_for() -> None:
    run = StartedRun()
    run.start(seconds_later=30)
    run.cluster.remove("Pod", f"{FIRST}-1-abcde")
    run.cluster.raw("Job", FIRST)["status"]["ready"] = 1
    note = format_given_up((GivenUp((1,), "Unschedulable", "no node fits"),))
    run.cluster.raw("Job", FIRST)["metadata"]["annotations"][ANNOTATION_GIVEN_UP] = note
    assert run.texts()[0] == (
        "0 of 3 pods ended, 2 running, 1 given up, 0 reports, about 4m30s left"
    )


@pytest.mark.parametrize("started", [False, True])
def test_nothing_is_said_of_a_profile_that_does_not_say_how_long_it_takes(started: bool) -> None:
    run = StartedRun(LONG, UNKNOWN)
    if started:
        run.start()
    assert run.left is None
    assert run.texts()[1] == "0 of 3 pods ended"


def test_a_profile_that_says_nothing_does_not_matter_once_its_pods_have_ended() -> None:
    run = StartedRun(LONG, UNKNOWN)
    run.start(seconds_later=10)
    run.cluster.end_pod(SECOND, 0)
    assert run.left == TimeLeft(290, 300)


def test_nothing_is_said_of_a_job_that_someone_suspended() -> None:
    run = StartedRun()
    run.cluster.raw("Job", FIRST)["spec"]["suspend"] = True
    assert run.left is None


def test_when_all_pods_have_ended_their_reports_are_collected() -> None:
    run = StartedRun()
    run.start()
    for job, index in ((FIRST, 0), (FIRST, 1), (SECOND, 0)):
        run.cluster.end_pod(job, index)
    assert run.left is None
    assert run.texts(reports=2) == (
        "3 of 3 pods ended, 2 reports, collecting reports",
        "3 of 3 pods ended, collecting reports",
        "3/3 pods, collecting reports",
    )
    assert run.texts(reports=3) == (
        "3 of 3 pods ended, 3 reports",
        "3 of 3 pods ended",
        "3/3 pods",
    )


def test_progress_is_told_in_full_shorter_and_as_short_as_possible() -> None:
    run = StartedRun()
    run.start(seconds_later=52)
    run.cluster.end_pod(SECOND, 0)
    assert run.texts(reports=1) == (
        "1 of 3 pods ended, 2 running, 1 report, about 4m10s left",
        "1 of 3 pods ended, about 4m10s left",
        "1/3 pods, about 4m10s left",
    )


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (TimeLeft(5000, 9000), "about 1h24m left"),
        (TimeLeft(601, 9000), "about 11m left"),
        (TimeLeft(247.5, 300), "about 4m10s left"),
        (TimeLeft(57.5, 300), "about 1m left"),
        (TimeLeft(12, 300), "about 15s left"),
        (TimeLeft(0.2, 300), "about 1s left"),
        (TimeLeft(0, 300), "finishing"),
        (TimeLeft(-29, 300), "finishing"),
        (TimeLeft(-72, 300), "about 1m20s longer than the profile says"),
        (TimeLeft(300, 300, waiting=True), "about 5m once all pods run"),
    ],
)
def test_a_time_is_rounded_and_never_negative(left: TimeLeft, text: str) -> None:
    assert str(left) == text


def test_time_passes_only_while_pods_run() -> None:
    assert TimeLeft(250, 300).after(60) == TimeLeft(190, 300)
    assert TimeLeft(300, 300, waiting=True).after(60) == TimeLeft(300, 300, waiting=True)


@pytest.mark.parametrize(
    ("left", "share"),
    [
        (TimeLeft(300, 300, waiting=True), 0.0),
        (TimeLeft(225, 300), 0.25),
        (TimeLeft(310, 300), 0.0),
        (TimeLeft(-100, 300), 1.0),
        (TimeLeft(0, 0), 0.0),
    ],
)
def test_the_share_that_is_done_is_between_nothing_and_all(left: TimeLeft, share: float) -> None:
    assert left.share == share


def test_the_start_of_pods_that_were_not_read_yet_counts_from_now() -> None:
    run = StartedRun()
    run.start(seconds_later=5)
    unread = find(run.cluster, run.plan).state
    assert time_left(unread, START + timedelta(seconds=100)) == TimeLeft(300, 300)
