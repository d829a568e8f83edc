"""The configuration of kwokctl."""

from collections.abc import Iterator, Sequence
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


def kwokctl_configuration(
    plane: Path, ports: Sequence[int], advertise_address: str = ""
) -> dict[str, Any]:
    """Return a KwokctlConfiguration.

    Args:
        plane: The folder in which kwokctl will keep this cluster.
        ports: One for each of PORT_NAMES.
        advertise_address: Of the API server for kubelet hosts; without it, there are none.
    """
    options: dict[str, Any] = {
        "bindAddress": LOOPBACK,
        "disableQPSLimits": True,
        # kwokctl multiplies these by five. With the defaults of kube-controller-manager a lost
        # node becomes NotReady as in any cluster (--node-monitor-grace-period is 50 s, the period
        # 5 s).
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
                # By default kwok manages every node, including the process hosts.
                "name": "kwok-controller",
                "extraArgs": [
                    {"key": "manage-all-nodes", "value": "false", "override": True},
                    {
                        "key": "manage-nodes-with-annotation-selector",
                        "value": "kwok.x-k8s.io/node=fake",
                    },
                ],
            },
            *(
                {
                    # There is one of each. Without a rival to be elected over, neither ends itself
                    # because a busy machine answered its lease too late.
                    "name": name,
                    "extraArgs": [{"key": "leader-elect", "value": "false"}, *more],
                }
                for name, more in (
                    ("kube-controller-manager", _own_plugin_folder(plane)),
                    ("kube-scheduler", ()),
                )
            ),
            {
                # Lets the agent distinguish the apiserver from other users of this machine.
                "name": "kube-apiserver",
                "extraArgs": [
                    *(
                        {"key": f"kubelet-client-{kind}", "value": str(plane / "pki" / file)}
                        for kind, file in (("certificate", "admin.crt"), ("key", "admin.key"))
                    ),
                    *_for_kubelets(advertise_address),
                ],
            },
        ],
    }


def _own_plugin_folder(plane: Path) -> tuple[dict[str, str], ...]:
    """By default it makes a folder in /usr/libexec if it can."""
    return ({"key": "flex-volume-plugin-dir", "value": str(plane / "volume-plugins")},)


def _for_kubelets(advertise_address: str) -> Iterator[dict[str, str]]:
    if advertise_address:
        yield {"key": "advertise-address", "value": advertise_address}
        # By default the first choice is the node's name, which no DNS server knows here.
        yield {"key": "kubelet-preferred-address-types", "value": "InternalIP"}
