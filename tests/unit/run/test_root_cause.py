"""Why a report is missing; the texts of pods are those of kubelet 1.37 and containerd 1.6."""

from __future__ import annotations

from typing import Any

import pytest

from mrunners.kube.objects import Pod
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.run.root_cause import root_cause
from tests.unit.kube.test_objects import pod_record

NO_SHELL = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc "
    'create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file '
    "or directory: unknown"
)
NO_CONTAINER = "unable to retrieve container logs for containerd://567f"
STORAGE = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "


def ended(**facts: Any) -> Pod:
    return pod_record(phase="Failed", **facts)


@pytest.mark.parametrize(
    ("pod", "problem", "detail", "cause"),
    [
        pytest.param(
            ended(exit_code=128, reason="StartError", message=NO_SHELL),
            MissingReason.EMPTY_LOG,
            "the pod's log is empty",
            f"failed: exit 128 (StartError: {NO_SHELL}); the image has no shell: choose the plain "
            "report format",
            id="an image without a shell",
        ),
        pytest.param(
            ended(exit_code=128, reason="StartError", message="exec /bin/sh: exec format error"),
            MissingReason.EMPTY_LOG,
            "the pod's log is empty",
            "failed: exit 128 (StartError: exec /bin/sh: exec format error); the image is for "
            "another architecture",
            id="an image for another architecture",
        ),
        pytest.param(
            ended(exit_code=137, reason="OOMKilled"),
            MissingReason.EMPTY_LOG,
            "the pod's log is empty",
            "failed: exit 137 (OOMKilled); raise the memory limit, or send less from each pod; "
            "the pod's log is empty",
            id="a container without memory of which all processes were killed",
        ),
        pytest.param(
            ended(exit_code=137, reason="OOMKilled"),
            MissingReason.KPERF_FAILED,
            "exit 137: Killed",
            "kperf-failed: exit 137: Killed (OOMKilled); raise the memory limit, or send less from "
            "each pod",
            id="a container without memory of which kperf was killed",
        ),
        pytest.param(
            ended(exit_code=143, reason="Evicted", message=STORAGE),
            MissingReason.KUBELET_ERROR,
            NO_CONTAINER,
            "failed: exit 143 (Evicted: Pod ephemeral local storage usage exceeds the total limit "
            "of containers 2Mi.); raise the limit of ephemeral storage",
            id="a pod that was evicted for its own limit",
        ),
        pytest.param(
            ended(exit_code=137, reason="Evicted", message=STORAGE),
            MissingReason.FAILED,
            "no log (Evicted): get pods/log load/pod failed: 400: the container is terminated",
            "failed: exit 137 (Evicted: Pod ephemeral local storage usage exceeds the total limit "
            "of containers 2Mi.); raise the limit of ephemeral storage",
            id="a pod that was evicted, of which the node has lost the container",
        ),
        pytest.param(
            ended(exit_code=137, reason="ContainerStatusUnknown", message="not located"),
            MissingReason.FAILED,
            "no log (ContainerStatusUnknown): get pods/log load/pod failed: 400: terminated",
            "failed: exit 137 (ContainerStatusUnknown: not located)",
            id="a container that the node has lost",
        ),
        pytest.param(
            ended(reason="Evicted", message="The node had condition: [DiskPressure]. "),
            MissingReason.EMPTY_LOG,
            "the pod's log is empty",
            "failed: Evicted: The node had condition: [DiskPressure].",
            id="a pod that was evicted before it started",
        ),
        pytest.param(
            ended(exit_code=255, reason="Unknown"),
            MissingReason.NO_FRAME,
            "no report frame in 3 lines of log",
            "failed: exit 255 (Unknown); no report frame in 3 lines of log",
            id="a node that was rebooted",
        ),
        pytest.param(
            ended(exit_code=143, reason="Error", deleting=True),
            MissingReason.KPERF_FAILED,
            "exit 143",
            "kperf-failed: exit 143; the pod was deleted while it ran",
            id="a pod that is seen while it is deleted",
        ),
        pytest.param(
            ended(exit_code=1, reason="Error"),
            MissingReason.KPERF_FAILED,
            "exit 1: kperf: refused",
            "kperf-failed: exit 1: kperf: refused",
            id="kperf that says why it failed",
        ),
        pytest.param(
            ended(exit_code=137, reason="OOMKilled"),
            MissingReason.LOG_UNAVAILABLE,
            "dial tcp: i/o timeout",
            "log-unavailable: dial tcp: i/o timeout",
            id="a log that may still be read",
        ),
    ],
)
def test_the_pods_end_explains_what_its_log_does_not(
    pod: Pod, problem: MissingReason, detail: str, cause: str
) -> None:
    assert str(root_cause(pod, UnusableReportError(problem, detail))) == cause
