from typing import Any

import pytest

from localcluster.agent.container_state import (
    ContainerStatus,
    Running,
    Terminated,
    Waiting,
    crash_backoff,
)
from localcluster.agent.status import pod_phase, pod_status

OK, BAD = Terminated(0, "Completed"), Terminated(1, "Error")


def status_of(
    state: Any, *, is_init: bool = False, last_state: Terminated | None = None
) -> ContainerStatus:
    return ContainerStatus("c", "i", state, last_state=last_state, is_init=is_init)


@pytest.mark.parametrize(
    ("policy", "containers", "phase"),
    [
        ("Never", [status_of(Waiting("x"))], "Pending"),
        ("Never", [status_of(Running(1))], "Running"),
        ("Never", [status_of(OK)], "Succeeded"),
        ("Never", [status_of(BAD)], "Failed"),
        ("Never", [status_of(OK), status_of(BAD)], "Failed"),
        ("Never", [status_of(OK), status_of(Running(1))], "Running"),
        ("OnFailure", [status_of(BAD)], "Running"),
        ("OnFailure", [status_of(OK)], "Succeeded"),
        ("Always", [status_of(OK)], "Running"),
        ("Always", [status_of(Waiting("CrashLoopBackOff"), last_state=BAD)], "Running"),
        ("Never", [status_of(BAD, is_init=True), status_of(Waiting("PodInitializing"))], "Failed"),
        (
            "OnFailure",
            [status_of(BAD, is_init=True), status_of(Waiting("PodInitializing"))],
            "Pending",
        ),
        (
            "Never",
            [status_of(Running(1), is_init=True), status_of(Waiting("PodInitializing"))],
            "Pending",
        ),
    ],
)
def test_the_phase_is_the_one_of_a_kubelet(
    policy: str, containers: list[ContainerStatus], phase: str
) -> None:
    assert pod_phase(policy, containers) == phase


def test_a_status_contains_only_the_conditions_of_a_kubelet() -> None:
    pod = {
        "spec": {"restartPolicy": "Never"},
        "status": {
            "startTime": "2026-01-01T00:00:00Z",
            "conditions": [
                {"type": "DisruptionTarget", "status": "True"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"},
            ],
        },
    }
    status = pod_status(pod, [status_of(Running(0.0))], 100.0, mounted=True)
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    assert set(conditions) == {
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
    }
    assert conditions["Ready"]["lastTransitionTime"] == "2026-01-01T00:00:05Z"
    assert conditions["ContainersReady"]["lastTransitionTime"] == "1970-01-01T00:01:40Z"
    assert status["startTime"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("state", "phase", "reason"), [(OK, "Succeeded", "PodCompleted"), (BAD, "Failed", "PodFailed")]
)
def test_a_pod_whose_container_has_just_ended_still_runs_but_is_not_ready(
    state: Terminated, phase: str, reason: str
) -> None:
    pod = {"spec": {"restartPolicy": "Never"}, "status": {"phase": "Running"}}
    ending = pod_status(pod, [status_of(state)], 100.0, mounted=True, ending=True)
    ended = pod_status(pod, [status_of(state)], 100.0, mounted=True)
    ready = {c["type"]: (c["status"], c["reason"]) for c in ending["conditions"]}
    assert ready["Ready"] == ("False", reason)
    # Nothing but the phase changes with the second status, and that the sandbox is gone.
    sandbox = ending["conditions"][0]
    assert (sandbox["type"], sandbox["status"]) == ("PodReadyToStartContainers", "True")
    gone = [sandbox | {"status": "False"}, *ending["conditions"][1:]]
    assert (ending["phase"], ended) == ("Running", ending | {"phase": phase, "conditions": gone})


def test_the_back_off_grows_with_each_crash() -> None:
    assert [crash_backoff(count) for count in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]
