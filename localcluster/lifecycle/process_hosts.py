"""Make the process hosts of a cluster those that the options ask for.

Hosts are numbered, so another number adds or removes those with the highest numbers. A host is
removed here and not by its agent, which may be the one that was lost.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from localcluster.agent.api import ApiClient, ApiError, Json, UnreachableError
from localcluster.agent.config import AgentConfig, dump_config, load_config
from localcluster.agent.host import LEASES
from localcluster.agent.node import HOST_LABEL, host_names
from localcluster.agent.orphans import end_orphans
from localcluster.console import print_line
from localcluster.errors import PlaneError
from localcluster.lifecycle.agent_process import (
    agent_sources,
    find_agent,
    start_agents,
    stop_agents,
)
from localcluster.lifecycle.record import Record, load_record, save_record, write_atomically
from localcluster.paths import ClusterFolder
from localcluster.processes.signals import send_signal

__all__ = ["end_process_hosts", "ensure_process_hosts"]


def ensure_process_hosts(
    folder: ClusterFolder, environ: Mapping[str, str], config: AgentConfig, count: int
) -> None:
    """Make sure that so many hosts have an agent of these sources with this configuration.

    Args:
        folder: The cluster's folder.
        environ: This process's environment.
        config: The configuration of all agents.
        count: The number of hosts.

    Raises:
        PlaneError: An agent did not start, or a node could not be removed.
    """
    names = host_names(count)
    record = load_record(folder)
    try:
        removed, nodes = asyncio.run(_remove_hosts(folder, config, record, set(names)))
    except (ApiError, UnreachableError) as error:
        raise PlaneError(f"the process hosts could not be removed: {error}") from error
    record = replace(
        record, agents={name: record.agents[name] for name in record.agents if name not in removed}
    )
    previous = load_config(folder.agent_config) if folder.agent_config.exists() else None
    sources = agent_sources()
    if record.agent_sources != sources or previous is None or previous.server != config.server:
        # The processes of the pods keep running; the new agents adopt them.
        stop_agents(folder, record.agents, names)
    # A node that was deleted comes back with a new agent, as with a kubelet that restarts.
    stop_agents(folder, record.agents, set(names) - nodes)
    write_atomically(folder.agent_config, dump_config(config))
    found = {name: find_agent(folder.host(name)) for name in names}
    agents = {name: agent for name, agent in found.items() if agent is not None}
    for agent in agents.values():
        send_signal(agent, signal.SIGHUP)
    if stopped := [name for name in names if name not in agents]:
        print_line(f"{folder.name}: starting the agents of {', '.join(stopped)}")
        agents |= start_agents(folder, stopped, environ)
    save_record(folder, replace(record, agents=agents, agent_sources=sources))


def end_process_hosts(folder: ClusterFolder, record: Record) -> None:
    """Stop all agents and end the processes of all pods.

    Args:
        folder: The cluster's folder.
        record: The cluster's record.
    """
    names = {*record.agents, *(host.name for host in folder.hosts())}
    stop_agents(folder, record.agents, names)
    end_orphans(
        path for host in folder.hosts() if host.pods.is_dir() for path in host.pods.iterdir()
    )


async def _remove_hosts(
    folder: ClusterFolder, config: AgentConfig, record: Record, kept: set[str]
) -> tuple[set[str], set[str]]:
    """Remove all other hosts; return their names, and those of the nodes that are left."""
    async with ApiClient(config) as api:
        query = f"/api/v1/nodes?labelSelector={HOST_LABEL}%3Dprocess"
        nodes = {node["metadata"]["name"] for node in (await api.call("GET", query))["items"]}
        removed = (nodes | {host.name for host in folder.hosts()}) - kept
        for name in sorted(removed):
            await _remove_host(api, folder, record, name)
    return removed, nodes - removed


async def _remove_host(api: ApiClient, folder: ClusterFolder, record: Record, name: str) -> None:
    """Delete a node and its pods, for which there is no grace period."""
    print_line(f"{folder.name}: removing node {name}")
    node = f"/api/v1/nodes/{name}"
    await _unless_missing(api.patch(node, {"spec": {"unschedulable": True}}))
    stop_agents(folder, record.agents, [name])
    host = folder.host(name)
    end_orphans(host.pods.iterdir() if host.pods.is_dir() else [])
    # Nothing else would delete the pods in time: the control plane only does so after a while.
    query = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
    for pod in (await api.call("GET", query))["items"]:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        with contextlib.suppress(ApiError):  # it has been deleted in the meantime
            await api.call("DELETE", path, body)
    for path in (node, f"{LEASES}/{name}"):
        await _unless_missing(api.call("DELETE", path))
    shutil.rmtree(host.path, ignore_errors=True)


async def _unless_missing(call: Coroutine[Any, Any, Json]) -> None:
    try:
        await call
    except ApiError as error:
        if error.status != 404:
            raise
