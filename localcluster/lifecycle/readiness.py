"""Wait until a cluster can take pods; it must not change anything."""

import asyncio
import time

from localcluster.agent.api import Api, ApiError, Json, Unreachable
from localcluster.agent.config import Orders
from localcluster.errors import PlaneError

__all__ = ["is_answering", "unready", "wait_until_ready"]

# Taints that the node lifecycle controller has yet to remove from a new node.
YOUNG = "node.kubernetes.io/"


def unready(nodes: list[Json], wanted: set[str], kwok_hosts: int) -> list[str]:
    """What is still missing, in words.

    Args:
        nodes: of the cluster.
        wanted: the names of the process hosts.
        kwok_hosts: how many others there should be.
    """
    ready = set()
    for node in nodes:
        conditions = node.get("status", {}).get("conditions") or []
        states = {one["type"]: one["status"] for one in conditions}
        taints = [one["key"] for one in node["spec"].get("taints") or []]
        if states.get("Ready") == "True" and not any(one.startswith(YOUNG) for one in taints):
            ready.add(node["metadata"]["name"])
    missing = [f"{name} is not Ready" for name in sorted(wanted - ready)]
    others = len(ready - wanted)
    if others != kwok_hosts:
        missing.append(f"{others} of {kwok_hosts} kwok hosts are Ready")
    if extra := {node["metadata"]["name"] for node in nodes} - ready - wanted:
        missing.append(f"{len(extra)} other nodes are not Ready")
    return missing


async def _once(api: Api, wanted: set[str], kwok_hosts: int) -> list[str]:
    nodes = (await api.call("GET", "/api/v1/nodes?resourceVersion=0", seconds=60))["items"]
    missing = unready(nodes, wanted, kwok_hosts)
    try:
        await api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except ApiError as error:
        if error.status != 404:
            raise
        missing.append("the ServiceAccount `default` is not there")
    return missing


async def _wait(orders: Orders, wanted: set[str], kwok_hosts: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    missing = ["the apiserver was not asked"]
    async with Api(orders) as api:
        while time.monotonic() < deadline:
            try:
                missing = await _once(api, wanted, kwok_hosts)
            except (ApiError, Unreachable) as error:
                missing = [str(error)]
            if not missing:
                return
            await asyncio.sleep(0.1)
    raise PlaneError(f"the cluster is not ready after {seconds:.0f} s: {'; '.join(missing[:5])}")


def wait_until_ready(
    orders: Orders, wanted: set[str], kwok_hosts: int, seconds: float = 120
) -> None:
    """Return when all hosts are Ready and pods can be created in `default`.

    Args:
        orders: where the apiserver is.
        wanted: the names of the process hosts.
        kwok_hosts: how many others there should be.
        seconds: patience.
    Raises: PlaneError: it says what is missing.
    """
    asyncio.run(_wait(orders, wanted, kwok_hosts, seconds))


def is_answering(orders: Orders, seconds: float) -> bool:
    """Whether the apiserver becomes ready in time.

    Args:
        orders: where it is.
        seconds: patience.
    """

    async def ask() -> bool:
        deadline = time.monotonic() + seconds
        async with Api(orders) as api:
            while time.monotonic() < deadline:
                try:
                    # A list, as /readyz answers "ok" and not JSON.
                    await api.call("GET", "/api/v1/namespaces?limit=1", seconds=5)
                except (ApiError, Unreachable):
                    await asyncio.sleep(0.2)
                else:
                    return True
        return False

    return asyncio.run(ask())
