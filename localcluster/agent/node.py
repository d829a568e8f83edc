"""The Node and Lease objects of a process host."""

import os
import platform
from typing import Any

from localcluster.agent.context import CAPACITY
from localcluster.agent.status import rfc3339
from localcluster.binaries.catalog import KUBERNETES_VERSION

__all__ = [
    "ARCHITECTURES",
    "HOST_LABEL",
    "LEASE_SECONDS",
    "host_names",
    "lease_object",
    "node_object",
    "node_status",
]

# The agent recognizes its own nodes by this label.
HOST_LABEL = "localcluster.mrunners.dev/host"
# The kubelet's nodeLeaseDurationSeconds; it renews the lease four times in that period.
LEASE_SECONDS = 40
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def host_names(count: int) -> list[str]:
    """Return the names of the process hosts: host-1, host-2, and so on."""
    return [f"host-{number}" for number in range(1, count + 1)]


def node_status(port: int, now: float, since: float) -> dict[str, Any]:
    """Return the status of a healthy node.

    Args:
        port: The port of the log server.
        now: The time of the heartbeat, in seconds since the epoch.
        since: When the node became ready.
    """
    machine = os.uname()
    conditions = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "there is enough memory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "there is enough disk"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "there are enough PIDs"),
        ("Ready", "True", "KubeletReady", "the localcluster agent is posting ready status"),
    ]
    return {
        "capacity": dict(CAPACITY),
        "allocatable": dict(CAPACITY),
        "conditions": [
            {
                "type": condition_type,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": rfc3339(now),
                "lastTransitionTime": rfc3339(since),
            }
            for condition_type, status, reason, message in conditions
        ],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": {
            "architecture": ARCHITECTURES.get(machine.machine, machine.machine),
            "operatingSystem": "linux",
            "kernelVersion": machine.release,
            "osImage": platform.platform(terse=True),
            "kubeletVersion": f"{KUBERNETES_VERSION}-process",
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "process://1",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    }


def node_object(name: str, port: int, now: float) -> dict[str, Any]:
    """Return the Node that a process host registers.

    Args:
        name: A name such as host-1.
        port: The port of the log server.
        now: Seconds since the epoch.
    """
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                # That of the images, whatever programs of this machine are their content.
                "kubernetes.io/arch": "amd64",
                HOST_LABEL: "process",
            },
        },
        "spec": {},
        "status": node_status(port, now, now),
    }


def lease_object(name: str, uid: str, micro_time: str) -> dict[str, Any]:
    """Return the Lease that is a node's heartbeat.

    Args:
        name: The name of the node.
        uid: The UID of the Node, which owns the Lease.
        micro_time: The current time, in RFC 3339 with microseconds.
    """
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-node-lease",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": micro_time,
        },
    }
