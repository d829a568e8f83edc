from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.kube.objects import ConfigMap, Event, Job, OwnerReference, Pod, index_ranges
from tests.fakes import Raw

CREATED = "2026-01-02T03:04:05Z"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LABELS = {"mrunners.dev/run-id": "run", "app.kubernetes.io/component": "tracker"}


def job(*conditions: Raw, **status: object) -> Raw:
    return {
        "metadata": {
            "name": "mrunners-0",
            "uid": "job-uid",
            "creationTimestamp": CREATED,
            "labels": {"mrunners.dev/run-id": "run"},
            "annotations": {"mrunners.dev/digest": "abc"},
            "ownerReferences": [{"kind": "ConfigMap", "name": "mrunners", "uid": "tracker-uid"}],
            "managedFields": [{"manager": "x"}],
        },
        "spec": {"completions": 4, "completionMode": "Indexed", "suspend": False},
        "status": {"conditions": list(conditions), **status},
    }


def condition(kind: str, status: str = "True", **fields: str) -> Raw:
    return {"type": kind, "status": status, "lastTransitionTime": CREATED, **fields}


def pod(state: Raw | None, *conditions: Raw, phase: str = "Pending") -> Raw:
    statuses = [
        {"name": "istio-proxy", "state": {"running": {"startedAt": "2020-01-01T00:00:00Z"}}},
        {"name": "runner", "ready": False, "state": state},
    ]
    return {
        "metadata": {
            "name": "mrunners-0-3-abcde",
            "uid": "pod-uid",
            "creationTimestamp": CREATED,
            "labels": {
                "batch.kubernetes.io/controller-uid": "job-uid",
                "batch.kubernetes.io/job-completion-index": "3",
            },
        },
        "spec": {"nodeName": "node-1"},
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": statuses if state is not None else None,
        },
    }


def pod_record(**facts: object) -> Pod:
    known: Raw = {
        "name": "mrunners-0-3-abcde",
        "uid": "pod-uid",
        "job_uid": "job-uid",
        "index": 3,
        "phase": "Pending",
        "created": AT,
        "node": "node-1",
    }
    return Pod(**(known | facts))


def test_a_config_map_is_read_whole() -> None:
    meta = {"name": "mrunners", "uid": "u", "creationTimestamp": CREATED, "labels": LABELS}
    raw = {"metadata": {**meta, "annotations": {"a": "b"}}, "data": {"plan.json": "{}"}}
    assert ConfigMap.from_json(raw) == ConfigMap(
        "mrunners", "u", AT, "run", LABELS, {"a": "b"}, {"plan.json": "{}"}
    )


def test_a_bare_config_map_that_is_being_deleted_is_read() -> None:
    meta = {"name": "x", "uid": "u", "creationTimestamp": CREATED, "deletionTimestamp": CREATED}
    raw = {"metadata": {**meta, "labels": None}, "data": None}
    assert ConfigMap.from_json(raw) == ConfigMap("x", "u", AT, deleting=True)


def job_record(**facts: object) -> Job:
    known: Raw = {
        "name": "mrunners-0",
        "uid": "job-uid",
        "created": AT,
        "run_id": "run",
        "digest": "abc",
        "owners": (OwnerReference("ConfigMap", "mrunners", "tracker-uid"),),
        "completions": 4,
        "spec_fields": {"completions": "4", "completionMode": "Indexed", "suspend": "false"},
    }
    return Job(**(known | facts))


def test_a_job_is_read_right_after_its_creation() -> None:
    raw = job()
    raw["status"] = {}
    assert Job.from_json(raw) == job_record()
    del raw["status"]
    assert Job.from_json(raw) == job_record()


def test_a_running_job_is_read() -> None:
    raw = job(
        completedIndexes="0,2",
        failedIndexes="1",
        active=1,
        ready=1,
        startTime=CREATED,
        succeeded=2,
        failed=1,
        terminating=0,
        uncountedTerminatedPods={},
    )
    assert Job.from_json(raw) == job_record(
        succeeded=(0, 2), failed=(1,), active=1, ready=1, started=AT
    )


def test_a_complete_job_is_finished() -> None:
    raw = job(
        condition("SuccessCriteriaMet", reason="CompletionsReached"),
        condition("Complete", reason="CompletionsReached", message="Reached expected number"),
        completedIndexes="0-3",
    )
    assert Job.from_json(raw) == job_record(succeeded=(0, 1, 2, 3), finished="Complete")


def test_a_failed_job_is_finished_with_its_reason() -> None:
    raw = job(
        condition("FailureTarget", reason="FailedIndexes", message="Job has failed indexes"),
        condition("Failed", reason="FailedIndexes", message="Job has failed indexes"),
        completedIndexes="0-2",
        failedIndexes="3",
    )
    assert Job.from_json(raw) == job_record(
        succeeded=(0, 1, 2),
        failed=(3,),
        finished="Failed",
        finished_reason="FailedIndexes: Job has failed indexes",
    )


@pytest.mark.parametrize(
    "interim",
    [
        condition("FailureTarget"),
        condition("SuccessCriteriaMet"),
        condition("Complete", "False"),
        condition("Failed", "Unknown"),
        condition("Suspended", "True"),
    ],
)
def test_an_interim_condition_does_not_finish_a_job(interim: Raw) -> None:
    raw = job(interim, completedIndexes="0-3", succeeded=4)
    assert Job.from_json(raw) == job_record(succeeded=(0, 1, 2, 3))


def test_a_suspended_job_that_is_being_deleted_is_read() -> None:
    raw = job()
    raw["spec"]["suspend"] = True
    raw["metadata"]["deletionTimestamp"] = CREATED
    fields = {"completions": "4", "completionMode": "Indexed", "suspend": "true"}
    assert Job.from_json(raw) == job_record(suspended=True, deleting=True, spec_fields=fields)


def test_a_job_of_another_owner_is_read_without_run_and_digest() -> None:
    raw = {
        "metadata": {"name": "theirs", "uid": "u", "creationTimestamp": CREATED},
        "spec": {"completions": None},
    }
    assert Job.from_json(raw) == Job("theirs", "u", AT, None, None, spec_fields={"completions": ""})


@pytest.mark.parametrize(
    ("text", "indexes"),
    [("", ()), ("0", (0,)), ("0-2,5", (0, 1, 2, 5)), ("1,3-4,7", (1, 3, 4, 7))],
)
def test_index_ranges_are_expanded(text: str, indexes: tuple[int, ...]) -> None:
    assert index_ranges(text) == indexes


@given(st.sets(st.integers(0, 200)))
def test_the_ranges_that_a_job_controller_writes_are_read_back(indexes: set[int]) -> None:
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    text = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
    assert index_ranges(text) == tuple(sorted(indexes))


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ContainerCreating"])
def test_a_waiting_container_gives_its_reason(reason: str) -> None:
    raw = pod({"waiting": {"reason": reason, "message": "text"}})
    assert Pod.from_json(raw) == pod_record(waiting=reason, waiting_message="text")


def test_a_pod_without_a_node_gives_the_schedulers_message() -> None:
    raw = pod(
        None,
        condition("PodScheduled", "False", reason="Unschedulable", message="0/4 nodes available"),
    )
    raw["spec"] = {}
    assert Pod.from_json(raw) == pod_record(node=None, unschedulable="0/4 nodes available")


def test_a_scheduled_pod_is_not_unschedulable() -> None:
    assert Pod.from_json(pod(None, condition("PodScheduled"))) == pod_record()


def test_a_running_pod_is_read_from_the_runner_container_and_not_from_a_sidecar() -> None:
    raw = pod({"running": {"startedAt": CREATED}}, phase="Running")
    assert Pod.from_json(raw) == pod_record(phase="Running", started=AT)
    assert not Pod.from_json(raw).ended


def test_an_ended_pod_is_read_with_its_times_and_exit_code() -> None:
    ended = {"startedAt": CREATED, "finishedAt": CREATED, "exitCode": 137, "reason": "OOMKilled"}
    raw = pod({"terminated": ended}, phase="Failed")
    assert Pod.from_json(raw) == pod_record(
        phase="Failed", started=AT, finished=AT, exit_code=137, reason="OOMKilled"
    )
    assert Pod.from_json(raw).ended


def test_a_disrupted_pod_gives_the_reason() -> None:
    raw = pod(
        None,
        condition("DisruptionTarget", reason="EvictionByEvictionAPI", message="drained"),
        phase="Failed",
    )
    raw["status"]["reason"] = "Evicted"
    raw["metadata"]["deletionTimestamp"] = CREATED
    assert Pod.from_json(raw) == pod_record(
        phase="Failed", reason="Evicted", disrupted="EvictionByEvictionAPI: drained", deleting=True
    )


def test_a_disruption_condition_that_is_not_true_is_ignored() -> None:
    assert (
        Pod.from_json(pod(None, condition("DisruptionTarget", "False", reason="x"))) == pod_record()
    )


def test_the_index_is_read_from_the_annotation_too() -> None:
    raw = pod(None)
    labels = raw["metadata"]["labels"]
    raw["metadata"]["annotations"] = {
        "batch.kubernetes.io/job-completion-index": labels.pop(
            "batch.kubernetes.io/job-completion-index"
        )
    }
    assert Pod.from_json(raw) == pod_record()


def test_a_pod_without_an_index_is_read() -> None:
    raw = pod(None)
    raw["metadata"]["labels"] = None
    assert Pod.from_json(raw) == pod_record(job_uid=None, index=None)


def test_an_event_is_read_with_the_object_that_it_is_about() -> None:
    about = {"kind": "Job", "name": "mrunners-0", "uid": "job-uid"}
    raw = {"involvedObject": about, "reason": "FailedCreate", "message": "exceeded quota"}
    assert Event.from_json(raw) == Event("job-uid", "mrunners-0", "FailedCreate", "exceeded quota")
    assert Event.from_json({}) == Event("", "", "", "")
