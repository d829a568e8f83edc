from pathlib import Path

import pytest

from mrunners.errors import RefusedError, UnreachableError, WaitTimeoutError
from mrunners.kube.objects import Event
from mrunners.plan.planning import PlannedRun
from mrunners.run.lookup import ExistingRun
from mrunners.run.report_store import ReportStore
from mrunners.run.wait import wait_for_run
from tests.fakes import FakeCluster, RecordingObserver
from tests.unit.env import deploy, find, log_of, planned

RUN = planned()
FIRST, SECOND = "mrunners-0", "mrunners-1"

# As they are told to a listener.
HOME_0_0 = "mrunners-0 index 0, pod mrunners-0-0-abcde on node-0"
HOME_0_1 = "mrunners-0 index 1, pod mrunners-0-1-abcde on node-1"
HOME_1_0 = "mrunners-1 index 0, pod mrunners-1-0-abcde on node-0"


class Scene:
    """A deployed run that somebody waits for."""

    def __init__(self, folder: Path, run: PlannedRun = RUN) -> None:
        self.cluster = FakeCluster()
        self.clock = self.cluster.clock
        self.run = run
        self.found = deploy(self.cluster, run)
        self.store = ReportStore(folder)
        self.observer = RecordingObserver()
        self.cluster.asked.clear()

    def wait(self, found: ExistingRun | None = None, **limits: float) -> tuple[str, ...]:
        return wait_for_run(
            self.cluster,
            found or self.found,
            self.store,
            self.observer,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            **limits,
        )

    def start(self) -> None:
        for job in self.run.plan.jobs:
            for index in range(job.pod_count):
                self.cluster.start_pod(job.name, index)

    def end(self, job: str, *indexes: int, finish: bool = False) -> None:
        for index in indexes:
            self.cluster.end_pod(job, index, log=log_of(self.run.plan, job, index))
        if finish:
            self.cluster.finish_job(job)

    def end_all(self) -> None:
        self.end(FIRST, 0, 1, finish=True)
        self.end(SECOND, 0, finish=True)

    def kept(self) -> list[tuple[str, int]]:
        return [
            (job.name, index)
            for job in self.run.plan.jobs
            for index in range(job.pod_count)
            if self.store.has(self.cluster.raw("Job", job.name)["metadata"]["uid"], index)
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_run_that_has_finished_is_not_waited_for(scene: Scene) -> None:
    scene.end_all()
    assert scene.wait() == ()
    assert (scene.clock.slept, scene.observer) == (
        [],
        RecordingObserver(home=[HOME_0_0, HOME_0_1, HOME_1_0], reports=[3]),
    )
    assert scene.kept() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]


def test_each_report_comes_home_as_its_pod_ends(scene: Scene) -> None:
    kept = []
    scene.start()
    scene.clock.then(
        lambda: scene.end(FIRST, 1),
        lambda: kept.append(scene.kept()),
        lambda: scene.end(SECOND, 0, finish=True),
        lambda: kept.append(scene.kept()),
        scene.end_all,
    )
    assert scene.wait() == ()
    assert kept == [[(FIRST, 1)], [(FIRST, 1), (SECOND, 0)]]
    assert scene.observer == RecordingObserver(
        home=[HOME_0_1, HOME_1_0, HOME_0_0], reports=[0, 1, 1, 2, 2, 3]
    )


def test_a_poll_is_one_list_while_nothing_changes(scene: Scene) -> None:
    scene.start()
    scene.clock.then(*[lambda: None] * 50, scene.end_all)
    scene.wait()
    quiet = scene.cluster.asked[2:52]
    assert quiet == ["list_jobs"] * 50
    assert scene.cluster.asked[:2] == ["list_jobs", "list_pods"]


def test_a_log_is_read_once(scene: Scene) -> None:
    scene.start()
    scene.clock.then(
        lambda: scene.end(FIRST, 0), lambda: scene.end(FIRST, 1, finish=True), scene.end_all
    )
    scene.wait()
    assert scene.cluster.asked.count("read_log") == 3
    scene.wait()
    assert scene.cluster.asked.count("read_log") == 3


def test_pods_are_looked_at_every_10_seconds_while_some_have_not_started(scene: Scene) -> None:
    scene.clock.then(*[lambda: None] * 24, scene.start, scene.end_all)
    scene.wait(interval_seconds=1)
    before_the_end = scene.cluster.asked[: scene.cluster.asked.index("read_log")]
    assert before_the_end.count("list_jobs") == 27
    assert before_the_end.count("list_pods") == 4


def test_failed_pods_are_told_at_the_end(scene: Scene) -> None:
    scene.end(FIRST, 0)
    scene.cluster.end_pod(FIRST, 1, exit_code=1, log=b"panic\n")
    scene.cluster.finish_job(FIRST)
    scene.end(SECOND, 0, finish=True)
    assert scene.wait() == (
        "job mrunners-0: 1 of 2 pods failed (FailedIndexes: some failed); see: kubectl logs "
        "--namespace load job/mrunners-0",
    )
    assert scene.observer == RecordingObserver(
        warnings=["pod mrunners-0-1-abcde: no report: no-frame: no report frame in 2 lines of log"],
        home=[HOME_0_0, HOME_1_0],
        reports=[2],
    )


def test_pods_that_never_start_end_the_wait_with_a_line(tmp_path: Path) -> None:
    scene = Scene(tmp_path, planned(start_timeout="1m"))
    scene.cluster.hold_pod(FIRST, 0, waiting="ErrImagePull", message="kperf:9")
    scene.end(SECOND, 0, finish=True)
    scene.cluster.start_pod(FIRST, 1)
    scene.clock.then(*[lambda: None] * 5, lambda: scene.end(FIRST, 1))
    cause = "ErrImagePull: kperf:9; check --runner-image"
    assert scene.wait() == (
        f"job mrunners-0: 1 of 2 pods on node-0 did not start in time: {cause}",
    )
    assert scene.observer.warnings == [
        f"job mrunners-0: 1 of 2 pods on node-0 cannot start: {cause}",
        f"job mrunners-0: 1 of 2 pods on node-0 did not start in time: {cause}",
    ]
    assert 60 < scene.clock.seconds < 80
    assert scene.kept() == [(FIRST, 1), (SECOND, 0)]


def test_a_namespace_without_room_is_told_from_the_jobs_event(tmp_path: Path) -> None:
    scene = Scene(tmp_path, planned(1, start_timeout="1m"))
    uid = scene.cluster.raw("Job", FIRST)["metadata"]["uid"]
    scene.cluster.events.append(Event(uid, FIRST, "FailedCreate", "exceeded quota: tiny"))
    assert scene.wait() == (
        "job mrunners-0: 1 of 1 pods did not start in time: FailedCreate: exceeded quota: tiny; "
        "check the namespace's quotas, limits, Pod Security level and ServiceAccount",
    )


def test_a_suspended_run_is_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, planned(1, start_timeout="1m"))
    scene.cluster.raw("Job", FIRST)["spec"]["suspend"] = True
    scene.clock.then(*[lambda: None] * 50, lambda: scene.end(FIRST, 0, finish=True))
    assert scene.wait() == ()
    assert scene.clock.seconds > 300


def test_jobs_that_nobody_creates_any_more_end_the_wait(scene: Scene) -> None:
    scene.cluster.remove("Job", SECOND)
    scene.end(FIRST, 0, 1, finish=True)
    assert scene.wait() == (
        "1 Jobs were never created or are gone (mrunners-1) and nobody is creating them; use: "
        "mrunners run --namespace load --tracker mrunners --resume",
    )
    assert 60 < scene.clock.seconds < 80


def test_jobs_that_are_still_being_created_are_waited_for(scene: Scene) -> None:
    job = scene.cluster.raw("Job", SECOND)
    scene.cluster.remove("Job", SECOND)
    scene.end(FIRST, 0, 1, finish=True)

    def create_and_end() -> None:
        scene.cluster.put(job)
        scene.end(SECOND, 0, finish=True)

    scene.clock.then(lambda: None, lambda: None, create_and_end)
    assert scene.wait() == ()


def test_the_time_is_up_to_the_second(scene: Scene) -> None:
    scene.start()
    scene.clock.then(lambda: scene.end(SECOND, 0, finish=True))
    with pytest.raises(WaitTimeoutError) as caught:
        scene.wait(timeout_seconds=30)
    assert str(caught.value) == (
        "after 30s 1 of 2 Jobs have not finished: mrunners-0 (1 of 3 pods ended); the run goes on: "
        "wait again with: mrunners wait load --tracker mrunners"
    )
    assert (caught.value.seconds, scene.clock.seconds) == (30, 30)


def test_a_run_that_ends_with_the_time_has_not_timed_out(scene: Scene) -> None:
    scene.clock.then(scene.end_all)
    assert scene.wait(timeout_seconds=1) == ()


def test_a_given_interval_is_kept(scene: Scene) -> None:
    scene.clock.then(lambda: None, lambda: None, scene.end_all)
    scene.wait(interval_seconds=7)
    assert scene.clock.slept == [7, 7, 7]


@pytest.mark.parametrize("successor", [False, True])
def test_a_tracker_that_is_deleted_meanwhile_ends_the_wait(scene: Scene, successor: bool) -> None:
    def vanish() -> None:
        scene.cluster.remove("ConfigMap", "mrunners")
        scene.cluster.collect_garbage()
        if successor:
            deploy(scene.cluster, planned(key="another"))

    scene.start()
    scene.clock.then(vanish)
    with pytest.raises(RefusedError) as caught:
        scene.wait()
    assert str(caught.value) == (
        "tracker mrunners in namespace load was deleted or replaced meanwhile, and its Jobs with it"
    )


def test_a_log_that_cannot_be_read_now_is_said_and_left_to_the_result(scene: Scene) -> None:
    scene.end_all()
    scene.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("dial tcp: i/o timeout")
    assert scene.wait() == ()
    assert scene.observer == RecordingObserver(
        warnings=[
            "pod mrunners-0-0-abcde: no report: log-unavailable: dial tcp: i/o timeout",
        ],
        home=[HOME_0_1],
        reports=[1],  # mrunners-1-0 is on the same silent node
    )


def test_a_log_that_its_host_did_not_give_is_asked_for_again_while_the_run_goes_on(
    scene: Scene,
) -> None:
    scene.start()
    scene.end(FIRST, 0)
    good = scene.cluster.logs["mrunners-0-0-abcde"]
    scene.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("dial tcp: i/o timeout")

    def come_back() -> None:
        scene.cluster.logs["mrunners-0-0-abcde"] = good

    def lose_the_host_and_end() -> None:
        scene.cluster.logs["mrunners-0-0-abcde"] = UnreachableError("no route to node")
        scene.end(FIRST, 1, finish=True)
        scene.end(SECOND, 0, finish=True)

    scene.clock.then(come_back, *[lambda: None] * 15, lose_the_host_and_end)
    assert scene.wait(interval_seconds=10) == ()
    assert scene.kept() == [(FIRST, 0), (FIRST, 1), (SECOND, 0)]
    assert len(scene.observer.warnings) == 1


def test_a_full_disk_is_said_and_the_wait_goes_on(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    scene.store = ReportStore(tmp_path / "file")
    scene.end_all()
    assert scene.wait() == ()
    assert len(scene.observer.warnings) == 3
    assert scene.observer.warnings[0].startswith(
        "pod mrunners-0-0-abcde: its report could not be kept on disk: [Errno 20] Not a directory"
    )


def test_a_run_found_again_is_the_same(scene: Scene) -> None:
    scene.end_all()
    assert scene.wait(find(scene.cluster, RUN.plan)) == ()
