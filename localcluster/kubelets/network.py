"""The network inside the namespaces: addresses of nodes, a bridge per node, and the way to the API.

The kubernetes Service has its ClusterIP on the loopback device. Pods reach it as in any cluster;
one rule sends what arrives there to the API server's port, which is what kube-proxy would do.
"""

from localcluster.kubelets.namespaces import Namespaces

__all__ = [
    "ADVERTISE_ADDRESS",
    "SERVICE_ADDRESS",
    "bridge_name",
    "configure_loopback",
    "node_address",
    "pod_subnet",
    "prepare_bridge",
    "route_service",
]

# kwokctl gives the API server its default service range, of which this is the first address.
SERVICE_ADDRESS = "10.0.0.1"
# The API server must not advertise a loopback address.
ADVERTISE_ADDRESS = "10.1.0.1"


def node_address(number: int) -> str:
    """Return the address of a kubelet host. A kubelet refuses one of 127.0.0.0/8.

    Args:
        number: Counted from 1.
    """
    return f"10.1.0.{10 + number}"


def pod_subnet(number: int) -> str:
    """Return the addresses of a host's pods.

    Args:
        number: The host's, counted from 1.
    """
    return f"10.244.{number}.0/24"


def bridge_name(number: int) -> str:
    """Return the name of the bridge that connects a host's pods.

    Args:
        number: The host's, counted from 1.
    """
    return f"pods{number}"


def configure_loopback(namespaces: Namespaces, hosts: int) -> None:
    """Give the loopback device every address that kwokctl is to put into the certificates.

    Args:
        namespaces: Of the cluster, before its control plane starts.
        hosts: The number of kubelet hosts.
    """
    namespaces.run("ip", "link", "set", "lo", "up")
    addresses = [SERVICE_ADDRESS, ADVERTISE_ADDRESS]
    addresses += [node_address(number) for number in range(1, hosts + 1)]
    for address in addresses:
        namespaces.run("ip", "address", "replace", f"{address}/32", "dev", "lo")
    _set(namespaces, "ip_forward")


def route_service(namespaces: Namespaces, port: int) -> None:
    """Send what is meant for the kubernetes Service to the API server.

    Args:
        namespaces: Of the cluster.
        port: The API server's port at 127.0.0.1.
    """
    rule = f"ip daddr {SERVICE_ADDRESS} tcp dport 443 dnat to 127.0.0.1:{port};"
    # Declared and deleted first, so that the same file replaces the rules of an earlier port.
    namespaces.run(
        "nft",
        "--file",
        "-",
        stdin=f"""
table ip localcluster
delete table ip localcluster
table ip localcluster {{
  chain pods {{ type nat hook prerouting priority dstnat; {rule} }}
  chain node {{ type nat hook output priority -100; {rule} }}
}}
""",
    )


def prepare_bridge(namespaces: Namespaces, number: int) -> None:
    """Create the bridge of a host's pods before the first pod, and let it route to 127.0.0.1.

    Args:
        namespaces: Of the cluster.
        number: The host's, counted from 1.
    """
    name = bridge_name(number)
    if name not in namespaces.run("ip", "-brief", "link"):
        namespaces.run("ip", "link", "add", name, "type", "bridge")
    namespaces.run("ip", "address", "replace", f"10.244.{number}.1/24", "dev", name)
    namespaces.run("ip", "link", "set", name, "up")
    _set(namespaces, f"conf/{name}/route_localnet")


def _set(namespaces: Namespaces, setting: str) -> None:
    namespaces.run("tee", f"/proc/sys/net/ipv4/{setting}", stdin="1")
