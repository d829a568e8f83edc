import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrunners.kube.given_up import GivenUp, format_given_up
from mrunners.kube.objects import (
    ConfigMap,
    Event,
    Job,
    Node,
    OwnerReference,
    Pod,
    index_ranges,
)
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
    [
        ("", ()),
        ("0", (0,)),
        ("0-2,5", (0, 1, 2, 5)),
        ("1,3-4,7", (1, 3, 4, 7)),
        ("9998-99999999999,5000000000", (9998, 9999)),
    ],
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
    assert Pod.from_json(raw) == pod_record(
        waiting=reason, waiting_message="text", other_containers=("istio-proxy",)
    )


def test_a_runner_that_waits_for_an_injected_init_container_has_the_reason_of_that() -> None:
    raw = pod({"waiting": {"reason": "PodInitializing"}})
    raw["status"]["initContainerStatuses"] = [
        {"name": "done", "state": {"terminated": {"exitCode": 0}}},
        {"name": "istio-init", "state": {"waiting": {"reason": "ErrImagePull", "message": "x"}}},
        {"name": "next", "state": {"waiting": {"reason": "PodInitializing"}}},
    ]
    assert Pod.from_json(raw) == pod_record(
        waiting="ErrImagePull", waiting_message="x", other_containers=("istio-proxy",)
    )


def test_a_runner_that_waits_for_a_sidecar_that_cannot_start_has_the_cause_of_that() -> None:
    raw = pod({"waiting": {"reason": "PodInitializing"}})
    raw["status"]["initContainerStatuses"] = [
        {
            "name": "report-2",
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
            "lastState": {"terminated": {"reason": "StartError", "message": "no /bin/sh"}},
        },
    ]
    assert Pod.from_json(raw) == pod_record(
        waiting="StartError", waiting_message="no /bin/sh", other_containers=("istio-proxy",)
    )


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
    read = Pod.from_json(raw)
    assert read == pod_record(phase="Running", started=AT, other_containers=("istio-proxy",))
    assert (read.ended, read.final, read.succeeded) == (False, False, False)


def terminated(exit_code: int, **fields: object) -> Raw:
    return {
        "terminated": {
            "startedAt": CREATED,
            "finishedAt": CREATED,
            "exitCode": exit_code,
            **fields,
        }
    }


@pytest.mark.parametrize(("exit_code", "succeeded"), [(0, True), (1, False)])
def test_a_pod_has_ended_when_its_runner_has_although_a_sidecar_runs_on(
    exit_code: int, succeeded: bool
) -> None:
    read = Pod.from_json(pod(terminated(exit_code), phase="Running"))
    assert read == pod_record(
        phase="Running",
        started=AT,
        finished=AT,
        exit_code=exit_code,
        other_containers=("istio-proxy",),
    )
    assert (read.ended, read.final, read.succeeded) == (True, False, succeeded)


def test_a_pod_whose_sidecar_failed_has_succeeded_with_its_runner() -> None:
    raw = pod(terminated(0), phase="Failed")
    raw["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 9}}
    read = Pod.from_json(raw)
    assert read == pod_record(phase="Failed", started=AT, finished=AT, exit_code=0)
    assert (read.ended, read.succeeded) == (True, True)


def test_a_container_that_could_not_be_started_has_no_start() -> None:
    # As a kubelet reports a StartError (measured).
    state = terminated(128, startedAt="1970-01-01T00:00:00Z", reason="StartError")
    raw = pod(state, phase="Failed")
    raw["status"]["containerStatuses"].pop(0)
    assert Pod.from_json(raw) == pod_record(
        phase="Failed", finished=AT, exit_code=128, reason="StartError"
    )


RUNNING: Raw = {"running": {"startedAt": CREATED}}


@pytest.mark.parametrize(
    ("ready", "containers_ready", "gates", "silent"),
    [
        ("False", "True", [], True),
        ("Unknown", "True", [], True),
        ("True", "True", [], False),
        ("False", "False", [], False),  # a sidecar is not ready
        ("False", "True", [{"conditionType": "x"}], False),
    ],
)
def test_a_node_does_not_answer_when_only_the_control_plane_says_that_a_pod_is_not_ready(
    ready: str, containers_ready: str, gates: list[Raw], silent: bool
) -> None:
    conditions = condition("Ready", ready), condition("ContainersReady", containers_ready)
    raw = pod(RUNNING, *conditions, phase="Running")
    raw["spec"]["readinessGates"] = gates
    raw["status"]["containerStatuses"].pop(0)
    assert Pod.from_json(raw) == pod_record(
        phase="Running", started=AT, silent_since=AT if silent else None
    )


def test_what_keeps_a_pod_from_being_deleted_is_read() -> None:
    raw = pod(None)
    raw["metadata"] |= {
        "deletionTimestamp": CREATED,
        "finalizers": ["batch.kubernetes.io/job-tracking", "example.com/keep"],
    }
    assert Pod.from_json(raw) == pod_record(
        deleting=True, deletion_due=AT, finalizers=("example.com/keep",)
    )


def test_an_ended_pod_is_read_with_its_times_and_exit_code() -> None:
    ended = {"startedAt": CREATED, "finishedAt": CREATED, "exitCode": 137, "reason": "OOMKilled"}
    raw = pod({"terminated": ended}, phase="Failed")
    assert Pod.from_json(raw) == pod_record(
        phase="Failed",
        started=AT,
        finished=AT,
        exit_code=137,
        reason="OOMKilled",
        other_containers=("istio-proxy",),
    )
    assert Pod.from_json(raw).ended


def test_a_pod_that_its_kubelet_evicted_says_why_and_not_only_that_it_failed() -> None:
    raw = pod({"terminated": {"exitCode": 143, "reason": "Error"}}, phase="Failed")
    message = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
    raw["status"] |= {"reason": "Evicted", "message": message}
    evicted = Pod.from_json(raw)
    assert (evicted.reason, evicted.message) == ("Evicted", message)
    # The kubelet may have removed the container before it looks for it.
    gone = {"reason": "ContainerStatusUnknown", "message": "The container could not be located"}
    raw = pod({"terminated": {"exitCode": 137, "startedAt": None, **gone}}, phase="Failed")
    raw["status"] |= {"reason": "Evicted", "message": message}
    evicted = Pod.from_json(raw)
    assert (evicted.reason, evicted.message, evicted.started) == ("Evicted", message, None)


def test_what_a_container_ended_with_beats_what_is_said_of_its_pod() -> None:
    ended = {"exitCode": 128, "reason": "StartError", "message": "exec: no such file"}
    raw = pod({"terminated": ended}, phase="Failed")
    raw["status"] |= {"reason": "Evicted", "message": "later"}
    started = Pod.from_json(raw)
    assert (started.reason, started.message) == ("StartError", "exec: no such file")


def test_a_disrupted_pod_gives_the_reason() -> None:
    raw = pod(
        None,
        condition("DisruptionTarget", reason="EvictionByEvictionAPI", message="drained"),
        phase="Failed",
    )
    raw["status"]["reason"] = "Evicted"
    raw["metadata"]["deletionTimestamp"] = CREATED
    assert Pod.from_json(raw) == pod_record(
        phase="Failed",
        reason="Evicted",
        disrupted="EvictionByEvictionAPI: drained",
        deleting=True,
        deletion_due=AT,
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


def test_an_event_that_stands_for_several_has_the_message_of_one() -> None:
    raw = {"message": "(combined from similar events): exceeded quota"}
    assert Event.from_json(raw).message == "exceeded quota"


@pytest.mark.parametrize(
    ("spec", "schedulable"),
    [
        ({}, True),
        ({"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}, True),
        ({"taints": [{"key": "x", "effect": "NoSchedule"}]}, False),
        ({"taints": [{"key": "x", "effect": "NoExecute"}]}, False),
        ({"unschedulable": True}, False),
    ],
)
def test_a_node_is_schedulable_without_taints(spec: Raw, schedulable: bool) -> None:
    raw = {"metadata": {"name": "node-1"}, "spec": spec}
    assert Node.from_json(raw) == Node("node-1", schedulable)


def test_a_job_knows_which_pods_were_given_up() -> None:
    groups = (GivenUp((0, 1, 3), "ErrImagePull", "kperf:9"), GivenUp((2,), "", ""))
    raw = job()
    raw["metadata"]["annotations"]["mrunners.dev/not-started"] = format_given_up(groups)
    assert Job.from_json(raw) == job_record(given_up=groups)


ALL_PODS = {"indexes": "0-99999999999", "reason": "", "detail": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "3",
        "[1]",
        "[{}]",
        '[{"indexes": 1}]',
        '{"a": "b"}',
        json.dumps([ALL_PODS] * 2),
        json.dumps([{**ALL_PODS, "indexes": "0-9999,0"}]),
    ],
)
def test_a_note_that_is_not_ours_says_nothing(text: str) -> None:
    raw = job()
    raw["metadata"]["annotations"]["mrunners.dev/not-started"] = text
    assert Job.from_json(raw) == job_record()
