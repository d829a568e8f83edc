"""The agent's process: it runs the configured process hosts and one log server.

SIGHUP makes it read its configuration again, SIGTERM ends it. The processes of its pods keep
running when it ends; the next agent adopts them.
"""

import asyncio
import contextlib
import datetime
import json
import logging
import os
import shutil
import signal
from dataclasses import asdict
from pathlib import Path

from localcluster.agent.api import ApiClient, ApiError, UnreachableError
from localcluster.agent.certificate import write_certificate
from localcluster.agent.config import load_config
from localcluster.agent.context import AgentContext
from localcluster.agent.events import EventRecorder
from localcluster.agent.host import LEASES, ProcessHost
from localcluster.agent.images import image_table
from localcluster.agent.node import HOST_LABEL, host_names
from localcluster.agent.orphans import end_orphans
from localcluster.agent.pod_volumes import PARTIAL_SUFFIX
from localcluster.agent.pod_worker import PodWorker
from localcluster.agent.server import serve_logs
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import identity_of

__all__ = ["run_agent"]

LOG = logging.getLogger(__name__)


def run_agent(folder: ClusterFolder) -> None:
    """Run the agent until SIGTERM.

    Args:
        folder: The cluster's folder, which contains the agent's configuration.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    asyncio.run(_Agent(folder).run())


class _Agent:
    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._config = load_config(folder.agent_config)
        self._hosts: dict[str, tuple[ProcessHost, asyncio.Task[None]]] = {}
        self._reload = asyncio.Event()
        self._port = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        main_task = asyncio.current_task()
        if main_task is not None:
            loop.add_signal_handler(signal.SIGTERM, main_task.cancel)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        pem = self._folder.path / "agent.pem"
        write_certificate(pem, datetime.datetime.now(datetime.UTC))
        runner, self._port = await serve_logs(self._find_worker, pem, self._config.ca_certificate)
        try:
            async with ApiClient(self._config) as api:
                recorder = EventRecorder(api)
                context = self._make_context(api, recorder)
                recording = asyncio.create_task(recorder.run())
                self._write_identity()
                try:
                    await self._reconcile_forever(context)
                finally:
                    for task in [recording, *(task for _, task in self._hosts.values())]:
                        task.cancel()
                    tasks = [recording, *(task for _, task in self._hosts.values())]
                    await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            LOG.info("stopped")
        finally:
            await runner.cleanup()

    def _make_context(self, api: ApiClient, recorder: EventRecorder) -> AgentContext:
        config = self._config
        table = image_table(Path(config.bin_folder), config.images)
        return AgentContext(api, recorder, table, self._folder.pods, config.log_limit_bytes)

    def _write_identity(self) -> None:
        """Write the identity of this process.

        `up` waits for the file, and later finds the agent by it.
        """
        own = identity_of(os.getpid())
        if own is None:
            raise RuntimeError("/proc has no entry for this process")
        temp_file = self._folder.path / ".agent.json"
        temp_file.write_text(json.dumps(asdict(own)))
        temp_file.replace(self._folder.path / "agent.json")
        LOG.info("serving logs on port %d", self._port)

    def _find_worker(self, namespace: str, name: str) -> PodWorker | None:
        workers = [worker for host, _ in self._hosts.values() for worker in host.workers.values()]
        matches = [
            worker
            for worker in workers
            if worker.metadata["namespace"] == namespace and worker.metadata["name"] == name
        ]
        # A new pod may have the name of one that is terminating.
        return max(matches, key=lambda worker: worker.metadata["creationTimestamp"], default=None)

    async def _reconcile_forever(self, context: AgentContext) -> None:
        while True:
            self._reload.clear()
            try:
                await self._reconcile_nodes(context)
            except (ApiError, UnreachableError) as error:
                LOG.info("%s; retrying", error)
                await asyncio.sleep(1)
                continue
            await self._reload.wait()
            self._config = load_config(self._folder.agent_config)
            updated = self._make_context(context.api, context.events)
            context.images, context.log_limit_bytes = updated.images, updated.log_limit_bytes

    async def _reconcile_nodes(self, context: AgentContext) -> None:
        desired = host_names(self._config.process_hosts)
        listed = await context.api.call("GET", f"/api/v1/nodes?labelSelector={HOST_LABEL}")
        existing = {node["metadata"]["name"] for node in listed["items"]}
        for name in sorted((existing | set(self._hosts)) - set(desired)):
            await self._remove_node(context, name)
        await self._remove_orphans(context)
        for name in desired:
            if name not in self._hosts:
                host = ProcessHost(context, name, self._port)
                task = asyncio.create_task(host.run(), name=name)
                task.add_done_callback(_log_unexpected_end)
                self._hosts[name] = (host, task)

    async def _remove_node(self, context: AgentContext, name: str) -> None:
        """Delete a node, and its pods before that: without an agent nothing else would end them."""
        LOG.info("removing node %s", name)
        await context.api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
        query = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
        for pod in (await context.api.call("GET", query))["items"]:
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
            body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
            with contextlib.suppress(ApiError):  # it has been deleted in the meantime
                await context.api.call("DELETE", path, body)
        if name in self._hosts:
            host, task = self._hosts.pop(name)
            for worker in list(host.workers.values()):
                worker.mark_deleted()
            while host.workers:
                await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for path in (f"/api/v1/nodes/{name}", f"{LEASES}/{name}"):
            with contextlib.suppress(ApiError):
                await context.api.call("DELETE", path)

    async def _remove_orphans(self, context: AgentContext) -> None:
        """End the processes and delete the files of pods that were deleted while no agent ran."""
        if self._hosts or not self._folder.pods.is_dir():
            return
        # Read before the list, so that no folder belongs to a pod newer than the list.
        paths = list(self._folder.pods.iterdir())
        listed = await context.api.call("GET", "/api/v1/pods", seconds=120)
        uids = {pod["metadata"]["uid"] for pod in listed["items"]}
        for path in paths:
            if path.name.removesuffix(PARTIAL_SUFFIX) not in uids:
                await asyncio.to_thread(end_orphans, [path])
                await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


def _log_unexpected_end(task: asyncio.Task[None]) -> None:
    # The node becomes NotReady as its lease expires; this logs the reason.
    if not task.cancelled() and (error := task.exception()):
        LOG.error("%s ended because of a bug", task.get_name(), exc_info=error)
