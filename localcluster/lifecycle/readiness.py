"""Wait until a cluster is ready for pods."""

import asyncio
import time

from localcluster.agent.api import ApiClient, ApiError, Json, UnreachableError
from localcluster.agent.config import AgentConfig
from localcluster.errors import PlaneError

__all__ = ["apiserver_answers", "readiness_problems", "wait_until_ready"]

# The node lifecycle controller has yet to remove such taints from a new node.
STARTUP_TAINT_PREFIX = "node.kubernetes.io/"


def readiness_problems(nodes: list[Json], process_hosts: set[str], kwok_hosts: int) -> list[str]:
    """Return what keeps the nodes from being ready.

    Args:
        nodes: All nodes of the cluster.
        process_hosts: The names of the expected process hosts.
        kwok_hosts: The expected number of kwok hosts.
    """
    ready = set()
    for node in nodes:
        conditions = node.get("status", {}).get("conditions") or []
        statuses = {condition["type"]: condition["status"] for condition in conditions}
        taints = [taint["key"] for taint in node["spec"].get("taints") or []]
        starting = any(key.startswith(STARTUP_TAINT_PREFIX) for key in taints)
        if statuses.get("Ready") == "True" and not starting:
            ready.add(node["metadata"]["name"])
    problems = [f"node {name} is not Ready" for name in sorted(process_hosts - ready)]
    ready_kwok_hosts = len(ready - process_hosts)
    if ready_kwok_hosts != kwok_hosts:
        problems.append(f"{ready_kwok_hosts} of {kwok_hosts} kwok hosts are Ready")
    if others := {node["metadata"]["name"] for node in nodes} - ready - process_hosts:
        problems.append(f"{len(others)} other nodes are not Ready")
    return problems


async def _check(api: ApiClient, process_hosts: set[str], kwok_hosts: int) -> list[str]:
    nodes = (await api.call("GET", "/api/v1/nodes?resourceVersion=0", seconds=60))["items"]
    problems = readiness_problems(nodes, process_hosts, kwok_hosts)
    try:
        await api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except ApiError as error:
        if error.status != 404:
            raise
        problems.append('serviceaccount "default" does not exist')
    return problems


async def _wait(
    config: AgentConfig, process_hosts: set[str], kwok_hosts: int, seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    problems = ["the apiserver was not reached"]
    async with ApiClient(config) as api:
        while time.monotonic() < deadline:
            try:
                problems = await _check(api, process_hosts, kwok_hosts)
            except (ApiError, UnreachableError) as error:
                problems = [str(error)]
            if not problems:
                return
            await asyncio.sleep(0.1)
    raise PlaneError(f"the cluster is not ready after {seconds:.0f} s: {'; '.join(problems[:5])}")


def wait_until_ready(
    config: AgentConfig, process_hosts: set[str], kwok_hosts: int, seconds: float = 120
) -> None:
    """Wait until all nodes are Ready and pods can be created in namespace `default`.

    Args:
        config: Contains the address of the apiserver.
        process_hosts: The names of the expected process hosts.
        kwok_hosts: The expected number of kwok hosts.
        seconds: The timeout.

    Raises:
        PlaneError: The timeout expired; the message says what is missing.
    """
    asyncio.run(_wait(config, process_hosts, kwok_hosts, seconds))


def apiserver_answers(config: AgentConfig, seconds: float) -> bool:
    """Return whether the apiserver answers within a timeout."""

    async def poll() -> bool:
        deadline = time.monotonic() + seconds
        async with ApiClient(config) as api:
            while time.monotonic() < deadline:
                try:
                    # Not /readyz, whose answer "ok" is not JSON.
                    await api.call("GET", "/api/v1/namespaces?limit=1", seconds=5)
                except (ApiError, UnreachableError):
                    await asyncio.sleep(0.2)
                else:
                    return True
        return False

    return asyncio.run(poll())
