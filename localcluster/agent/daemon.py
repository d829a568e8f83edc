"""The process of one agent: it runs one process host and its log server.

Each host has a process of its own, so that one node can be lost while the others run on. SIGHUP
makes it read its configuration again, SIGTERM ends it. The processes of its pods keep running when
it ends; the next agent of the host adopts them.
"""

import asyncio
import json
import logging
import os
import shutil
import signal
from dataclasses import asdict
from pathlib import Path

from localcluster.agent.api import ApiClient, ApiError, UnreachableError
from localcluster.agent.config import load_config
from localcluster.agent.context import AgentContext
from localcluster.agent.events import EventRecorder
from localcluster.agent.host import ProcessHost
from localcluster.agent.images import image_table
from localcluster.agent.orphans import end_orphans
from localcluster.agent.pod_volumes import PARTIAL_SUFFIX
from localcluster.agent.pod_worker import PodWorker
from localcluster.agent.server import serve_logs
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import identity_of

__all__ = ["run_agent"]

LOG = logging.getLogger(__name__)


def run_agent(cluster: ClusterFolder, name: str) -> None:
    """Run the agent of a host until SIGTERM.

    Args:
        cluster: The cluster's folder, which contains the configuration of all agents.
        name: The name of the node. Its folder contains the certificate of the log server.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    asyncio.run(_Agent(cluster, name).run())


class _Agent:
    def __init__(self, cluster: ClusterFolder, name: str) -> None:
        self._cluster = cluster
        self._folder = cluster.host(name)
        self._config = load_config(cluster.agent_config)
        self._host: ProcessHost | None = None
        self._reload = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        main_task = asyncio.current_task()
        if main_task is not None:
            loop.add_signal_handler(signal.SIGTERM, main_task.cancel)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        runner, port = await serve_logs(
            self._find_worker, self._folder.certificate, self._config.ca_certificate
        )
        try:
            async with ApiClient(self._config) as api:
                recorder = EventRecorder(api)
                context = self._make_context(api, recorder)
                self._write_identity()
                LOG.info("serving logs on port %d", port)
                await self._remove_orphans(api)
                self._host = ProcessHost(context, self._folder.name, port)
                async with asyncio.TaskGroup() as group:
                    group.create_task(recorder.run())
                    group.create_task(self._host.run())
                    group.create_task(self._follow_config(context))
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
        temp_file.replace(self._folder.identity)

    def _find_worker(self, namespace: str, name: str) -> PodWorker | None:
        matches = [
            worker
            for worker in (self._host.workers.values() if self._host else ())
            if worker.metadata["namespace"] == namespace and worker.metadata["name"] == name
        ]
        # A new pod may have the name of one that is terminating.
        return max(matches, key=lambda worker: worker.metadata["creationTimestamp"], default=None)

    async def _follow_config(self, context: AgentContext) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._config = load_config(self._cluster.agent_config)
            updated = self._make_context(context.api, context.events)
            context.images, context.log_limit_bytes = updated.images, updated.log_limit_bytes

    async def _remove_orphans(self, api: ApiClient) -> None:
        """End the processes and delete the files of pods that were deleted while no agent ran."""
        if not self._folder.pods.is_dir():
            return
        query = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self._folder.name}"
        while True:
            try:
                listed = await api.call("GET", query, seconds=120)
                break
            except (ApiError, UnreachableError) as error:
                LOG.info("%s; retrying", error)
                await asyncio.sleep(1)
        uids = {pod["metadata"]["uid"] for pod in listed["items"]}
        for path in self._folder.pods.iterdir():
            if path.name.removesuffix(PARTIAL_SUFFIX) not in uids:
                await asyncio.to_thread(end_orphans, [path])
                await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
