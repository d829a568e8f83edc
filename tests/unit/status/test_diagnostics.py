from datetime import timedelta

import pytest

from mrunners.kube.given_up import GivenUp
from mrunners.kube.objects import Event, Job, Pod
from mrunners.status.diagnostics import (
    DiagnosisCategory,
    PodDiagnosis,
    diagnose_pods,
    diagnosis_lines,
    without_names,
)
from mrunners.status.observation import observe_pods
from mrunners.status.run_state import run_state
from tests.fakes import START, Raw
from tests.unit.env import RUN_ID, planned

PLAN = planned(3, 1, start_timeout="5m").plan
FIRST, SECOND = "mrunners-0", "mrunners-1"
LATE = 301.0


def job(index: int = 0, **facts: object) -> Job:
    known: Raw = {
        "name": f"mrunners-{index}",
        "uid": f"uid-{index}",
        "created": START,
        "run_id": RUN_ID,
        "digest": "d",
    }
    return Job(**(known | facts))


def pod(index: int = 0, **facts: object) -> Pod:
    known: Raw = {
        "name": f"{FIRST}-{index}-abcde",
        "uid": f"pod-{index}",
        "job_uid": "uid-0",
        "index": index,
        "phase": "Pending",
        "created": START,
        "node": f"node-{index}",
    }
    return Pod(**(known | facts))


RUNNING = pod(1, started=START, phase="Running"), pod(2, started=START, phase="Succeeded")


def diagnose(
    *pods: Pod,
    jobs: tuple[Job, ...] = (job(),),
    after: float = 1.0,
    warnings: tuple[Event, ...] = (),
) -> list[PodDiagnosis]:
    now = START + timedelta(seconds=after)
    return diagnose_pods(PLAN, run_state(PLAN, jobs), pods, warnings, now)


def lines(*diagnoses: PodDiagnosis) -> list[str]:
    return list(diagnosis_lines(run_state(PLAN, [job(), job(1)]), diagnoses).values())


def diagnosis(index: int = 0, **facts: object) -> PodDiagnosis:
    known: Raw = {
        "job": FIRST,
        "index": index,
        "pod": f"{FIRST}-{index}-abcde",
        "node": f"node-{index}",
        "category": DiagnosisCategory.STARTING,
        "reason": "",
        "detail": "",
        "resolution": "see: kubectl describe --namespace load pod/mrunners-0-0-abcde",
        "overdue": False,
    }
    return PodDiagnosis(**(known | facts))


def image_diagnosis(index: int = 0, **facts: object) -> PodDiagnosis:
    known: Raw = {
        "category": DiagnosisCategory.IMAGE,
        "reason": "ErrImagePull",
        "resolution": "check the runner image",
    }
    return diagnosis(index, **(known | facts))


def test_pods_that_started_or_ended_have_no_diagnosis() -> None:
    assert diagnose(pod(0, started=START), *RUNNING) == []
    assert diagnose(*RUNNING, jobs=(job(failed=(0,)),)) == []
    assert diagnose(pod(0, phase="Failed"), *RUNNING) == []


def test_a_pod_that_starts_normally_has_no_reason() -> None:
    assert diagnose(pod(waiting="ContainerCreating"), *RUNNING) == [diagnosis()]


@pytest.mark.parametrize(
    ("reason", "category", "resolution"),
    [
        ("ErrImagePull", DiagnosisCategory.IMAGE, "check the runner image"),
        ("ImagePullBackOff", DiagnosisCategory.IMAGE, "check the runner image"),
        (
            "CreateContainerConfigError",
            DiagnosisCategory.CONFIGURATION,
            "see: kubectl describe --namespace load pod/mrunners-0-0-abcde",
        ),
        (
            "FailedPostStartHook",
            DiagnosisCategory.OTHER,
            "see: kubectl describe --namespace load pod/mrunners-0-0-abcde",
        ),
    ],
)
def test_a_waiting_reason_is_the_diagnosis(
    reason: str, category: DiagnosisCategory, resolution: str
) -> None:
    waiting = pod(waiting=reason, waiting_message="two\n  lines")
    assert diagnose(waiting, *RUNNING) == [
        diagnosis(reason=reason, category=category, detail="two lines", resolution=resolution)
    ]


def test_a_long_message_is_shortened_in_the_middle_to_500_characters() -> None:
    waiting = pod(waiting="ErrImagePull", waiting_message="head " + "x" * 600 + " tail")
    (shortened,) = diagnose(waiting, *RUNNING)
    assert shortened.detail == "head " + "x" * 245 + "…" + "x" * 244 + " tail"


def test_an_unschedulable_pod_is_diagnosed_in_the_schedulers_words() -> None:
    pending = pod(node=None, unschedulable="0/4 nodes are available")
    assert diagnose(pending, *RUNNING) == [
        diagnosis(
            node=None,
            category=DiagnosisCategory.SCHEDULING,
            reason="Unschedulable",
            detail="0/4 nodes are available",
            resolution="add nodes, free resources, or relax the spread",
        )
    ]


def test_what_keeps_a_pod_is_told_with_the_option_that_helps() -> None:
    tainted = pod(node=None, unschedulable="0/4 nodes are available: 4 had untolerated taint(s)")
    (of_taint,) = diagnose(tainted, *RUNNING)
    assert of_taint.resolution == (
        "add nodes, free resources, or relax the spread, or tolerate the taint with --toleration"
    )
    quota = "failed quota: q: must specify limits.cpu for: runner"
    (of_quota, *_) = diagnose(warnings=(Event("uid-0", FIRST, "FailedCreate", quota),))
    assert of_quota.resolution == "set limits with --cpu-limit and --memory-limit"


def test_a_pod_whose_volume_is_missing_is_diagnosed_by_its_event() -> None:
    warnings = (Event("pod-0", "p", "FailedMount", 'configmap "x" not found'),)
    assert diagnose(pod(waiting="ContainerCreating"), *RUNNING, warnings=warnings) == [
        diagnosis(
            category=DiagnosisCategory.VOLUME,
            reason="FailedMount",
            detail='configmap "x" not found',
            resolution="check that the ConfigMap and the volumes exist",
        )
    ]


def test_a_job_without_pods_is_diagnosed_by_its_own_event() -> None:
    warnings = (Event("uid-0", FIRST, "FailedCreate", "exceeded quota"),)
    assert diagnose(warnings=warnings) == [
        diagnosis(
            index,
            pod=None,
            node=None,
            category=DiagnosisCategory.CREATION,
            reason="FailedCreate",
            detail="exceeded quota",
            resolution=(
                "check the namespace's quotas, limits, Pod Security level and ServiceAccount"
            ),
        )
        for index in range(3)
    ]


def test_an_event_about_another_object_is_ignored() -> None:
    warnings = (Event("other", "x", "FailedCreate", "quota"),)
    assert diagnose(pod(), *RUNNING, warnings=warnings) == [diagnosis()]


def test_an_invalid_image_name_is_overdue_at_once() -> None:
    waiting = pod(waiting="InvalidImageName")
    assert diagnose(waiting, *RUNNING, after=0) == [
        image_diagnosis(reason="InvalidImageName", resolution="fix the runner image", overdue=True)
    ]


def test_a_pod_is_overdue_by_the_api_servers_clock() -> None:
    assert diagnose(pod(), *RUNNING, after=300) == [diagnosis()]
    assert diagnose(pod(), *RUNNING, after=LATE) == [diagnosis(overdue=True)]


def test_a_pod_that_was_created_late_is_late_however_young_it_is() -> None:
    late = pod(created=START + timedelta(seconds=300))
    assert diagnose(late, *RUNNING, after=LATE) == [diagnosis(overdue=True)]


def test_the_pods_of_a_resumed_job_are_overdue_counting_from_its_start() -> None:
    resumed = job(started=START + timedelta(seconds=100))
    overdue = [[d.overdue for d in diagnose(jobs=(resumed,), after=after)] for after in (400, 401)]
    assert overdue == [[False] * 3, [True] * 3]
    assert [d.overdue for d in diagnose(after=LATE)] == [True] * 3


@pytest.mark.parametrize(
    "waiting", [job(suspended=True), job(finished="Failed"), job(deleting=True)]
)
def test_jobs_that_wait_on_purpose_or_have_finished_are_left_out(waiting: Job) -> None:
    assert diagnose(jobs=(waiting,), after=LATE) == []


NO_POD = diagnosis(
    pod=None, node=None, resolution="see: kubectl describe --namespace load job/mrunners-0"
)


def test_a_pod_that_has_started_is_not_starting_because_it_is_being_deleted() -> None:
    deleting = pod(started=START, phase="Running", deleting=True)
    assert diagnose(deleting, *RUNNING, after=LATE) == []


def test_a_pod_that_is_deleted_before_it_started_has_not_started() -> None:
    assert diagnose(pod(deleting=True), *RUNNING) == [diagnosis()]


GIVEN_UP = GivenUp((0, 2), "ErrImagePull", "kperf:9")


@pytest.mark.parametrize(
    "state",
    [{}, {"failed": (0, 2)}, {"finished": "Failed", "failed": (0, 2)}, {"suspended": True}],
)
def test_pods_that_were_given_up_keep_their_diagnosis_when_they_are_gone(state: Raw) -> None:
    assert diagnose(RUNNING[0], jobs=(job(given_up=(GIVEN_UP,), **state),)) == [
        image_diagnosis(index, pod=None, node=None, detail="kperf:9", overdue=True)
        for index in (0, 2)
    ]


def test_a_pod_that_was_given_up_and_has_started_all_the_same_has_no_diagnosis() -> None:
    started = pod(0, started=START), pod(2, started=START)
    jobs = (job(given_up=(GIVEN_UP,)),)
    state = observe_pods(run_state(PLAN, jobs), started)
    assert diagnose_pods(PLAN, state, (*started, RUNNING[0]), (), START) == []


def test_a_pod_of_another_job_of_that_name_does_not_count() -> None:
    assert diagnose(pod(job_uid="former"), *RUNNING) == [NO_POD]


def test_pods_that_start_normally_get_no_line() -> None:
    assert lines(diagnosis()) == []


def test_pods_of_one_job_and_reason_share_a_line() -> None:
    images = [image_diagnosis(index, detail="kperf:9") for index in (0, 2)]
    other = diagnosis(
        job=SECOND,
        category=DiagnosisCategory.SCHEDULING,
        reason="Unschedulable",
        node=None,
        resolution="relax the spread",
    )
    assert lines(*images, other) == [
        "job.batch/mrunners-0: 2 of 3 pods on node-0, node-2 cannot start: ErrImagePull: kperf:9; "
        "check "
        "the runner image",
        "job.batch/mrunners-1: 1 of 1 pods cannot start: Unschedulable; relax the spread",
    ]


def test_pods_that_are_all_overdue_did_not_start_in_time() -> None:
    assert lines(diagnosis(overdue=True)) == [
        "job.batch/mrunners-0: 1 of 3 pods on node-0 did not start in time: no reason known; see: "
        "kubectl describe --namespace load pod/mrunners-0-0-abcde"
    ]


def test_a_line_names_at_most_three_nodes() -> None:
    diagnoses = [diagnosis(index, reason="Odd") for index in range(5)]
    assert lines(*diagnoses) == [
        "job.batch/mrunners-0: 5 of 3 pods on node-0, node-1, node-2 and 2 more cannot start: "
        "Odd; see: "
        "kubectl describe --namespace load pod/mrunners-0-0-abcde"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            'pods "mrunners-0-2-9p4ks" is forbidden: exceeded quota: q, used: pods=1',
            'pods "mrunners-0-1-t5l8d" is forbidden: exceeded quota: q, used: pods=3',
        ),
        (
            'failed to setup network for sandbox "5dae0703aa11": no addresses left',
            'failed to setup network for sandbox "0703aa115dae": no addresses left',
        ),
    ],
)
def test_messages_that_differ_in_names_hashes_and_numbers_say_the_same(
    first: str, second: str
) -> None:
    assert without_names(first) == without_names(second)


def test_messages_about_different_causes_differ() -> None:
    assert without_names("exceeded quota: pods") != without_names("exceeded quota: memory")


def test_lines_that_say_the_same_have_one_key() -> None:
    state = run_state(PLAN, [job()])
    keys = {
        key
        for indexes, name in (((0, 1), "9p4ks"), ((1,), "t5l8d"), ((0, 1, 2), "4ks9p"))
        for key in diagnosis_lines(
            state,
            [
                diagnosis(i, pod=None, node=None, reason="FailedCreate", detail=f"pod x-{name}")
                for i in indexes
            ],
        )
    }
    assert len(keys) == 1
