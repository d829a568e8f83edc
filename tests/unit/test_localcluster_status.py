from typing import Any

import pytest

from localcluster.agent.container_state import (
    ContainerSeen,
    Running,
    Terminated,
    Waiting,
    crash_delay,
)
from localcluster.agent.status import pod_phase, pod_status

OK, BAD = Terminated(0, "Completed"), Terminated(1, "Error")


def seen(state: Any, *, initial: bool = False, last: Terminated | None = None) -> ContainerSeen:
    return ContainerSeen("c", "i", state, last=last, initial=initial)


@pytest.mark.parametrize(
    ("policy", "containers", "phase"),
    [
        ("Never", [seen(Waiting("x"))], "Pending"),
        ("Never", [seen(Running(1))], "Running"),
        ("Never", [seen(OK)], "Succeeded"),
        ("Never", [seen(BAD)], "Failed"),
        ("Never", [seen(OK), seen(BAD)], "Failed"),
        ("Never", [seen(OK), seen(Running(1))], "Running"),
        ("OnFailure", [seen(BAD)], "Running"),
        ("OnFailure", [seen(OK)], "Succeeded"),
        ("Always", [seen(OK)], "Running"),
        ("Always", [seen(Waiting("CrashLoopBackOff"), last=BAD)], "Running"),
        ("Never", [seen(BAD, initial=True), seen(Waiting("PodInitializing"))], "Failed"),
        ("OnFailure", [seen(BAD, initial=True), seen(Waiting("PodInitializing"))], "Pending"),
        ("Never", [seen(Running(1), initial=True), seen(Waiting("PodInitializing"))], "Pending"),
    ],
)
def test_the_phase_is_a_kubelets(policy: str, containers: list[ContainerSeen], phase: str) -> None:
    assert pod_phase(policy, containers) == phase


def test_a_status_names_only_the_conditions_of_a_kubelet() -> None:
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
    status = pod_status(pod, [seen(Running(0.0))], 100.0, mounted=True)
    conditions = {one["type"]: one for one in status["conditions"]}
    assert set(conditions) == {
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
    }
    assert conditions["Ready"]["lastTransitionTime"] == "2026-01-01T00:00:05Z"
    assert conditions["ContainersReady"]["lastTransitionTime"] == "1970-01-01T00:01:40Z"
    assert status["startTime"] == "2026-01-01T00:00:00Z"


def test_a_crash_is_answered_with_a_growing_back_off() -> None:
    assert [crash_delay(number) for number in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]
