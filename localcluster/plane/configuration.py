"""What kwokctl is told, as a dictionary; it must not start anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcluster.plane.ports import LOOPBACK

__all__ = ["PORT_NAMES", "kwokctl_configuration"]

PORT_NAMES = (
    "etcdPeerPort",
    "etcdPort",
    "kubeApiserverPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
)


def kwokctl_configuration(plane: Path, ports: Sequence[int]) -> dict[str, Any]:
    """A KwokctlConfiguration.

    Args:
        plane: the folder that kwokctl will keep this cluster in.
        ports: one for each of PORT_NAMES.
    """
    options: dict[str, Any] = {
        "bindAddress": LOOPBACK,
        "disableQPSLimits": True,
        # kwokctl stretches these five times by default; a lost host should be noticed as late
        # as Kubernetes notices it (--node-monitor-grace-period is 50 s, its period 5 s).
        "heartbeatFactor": 1,
        "kubeControllerManagerNodeMonitorPeriodMilliseconds": 5_000,
        "kubeControllerManagerNodeMonitorGracePeriodMilliseconds": 50_000,
        "nodeLeaseDurationSeconds": 200,
    }
    options |= dict(zip(PORT_NAMES, ports, strict=True))
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": [
            {
                # By default kwok would manage every node, the process hosts too.
                "name": "kwok-controller",
                "extraArgs": [
                    {"key": "manage-all-nodes", "value": "false", "override": True},
                    {
                        "key": "manage-nodes-with-annotation-selector",
                        "value": "kwok.x-k8s.io/node=fake",
                    },
                ],
            },
            {
                # So that the agent can tell the apiserver from other users of this machine.
                "name": "kube-apiserver",
                "extraArgs": [
                    {"key": f"kubelet-client-{what}", "value": str(plane / "pki" / file)}
                    for what, file in (("certificate", "admin.crt"), ("key", "admin.key"))
                ],
            },
        ],
    }
