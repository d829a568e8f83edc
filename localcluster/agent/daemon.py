"""The agent's process: hosts as ordered, one log server, news by SIGHUP; it ends by SIGTERM.

It must not end its pods' processes when it ends itself: the next agent takes them up.
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

from localcluster.agent.api import Api, ApiError, Unreachable
from localcluster.agent.certificate import write_certificate
from localcluster.agent.config import load_orders
from localcluster.agent.context import Ground
from localcluster.agent.events import EventTeller
from localcluster.agent.host import LEASES, Host
from localcluster.agent.images import image_table
from localcluster.agent.node import HOST_LABEL, host_names
from localcluster.agent.orphans import end_leftovers
from localcluster.agent.pod_worker import PodWorker
from localcluster.agent.server import serve_logs
from localcluster.paths import ClusterFolder
from localcluster.processes.identity import identity_of

__all__ = ["run_agent"]

LOG = logging.getLogger(__name__)


def run_agent(folder: ClusterFolder) -> None:
    """Be the agent until SIGTERM.

    Args:
        folder: of the cluster, with the orders in it.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    asyncio.run(_Agent(folder).run())


class _Agent:
    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._orders = load_orders(folder.agent_orders)
        self._hosts: dict[str, tuple[Host, asyncio.Task[None]]] = {}
        self._news = asyncio.Event()
        self._port = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        this = asyncio.current_task()
        if this is not None:
            loop.add_signal_handler(signal.SIGTERM, this.cancel)
        loop.add_signal_handler(signal.SIGHUP, self._news.set)
        pem = self._folder.path / "agent.pem"
        write_certificate(pem, datetime.datetime.now(datetime.UTC))
        runner, self._port = await serve_logs(self._find, pem, self._orders.authority)
        try:
            async with Api(self._orders) as api:
                teller = EventTeller(api)
                ground = self._ground(api, teller)
                telling = asyncio.create_task(teller.run())
                self._announce()
                try:
                    await self._obey(ground)
                finally:
                    for task in [telling, *(task for _, task in self._hosts.values())]:
                        task.cancel()
                    tasks = [telling, *(task for _, task in self._hosts.values())]
                    await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            LOG.info("stopped")
        finally:
            await runner.cleanup()

    def _ground(self, api: Api, teller: EventTeller) -> Ground:
        orders = self._orders
        table = image_table(Path(orders.programs), orders.images)
        return Ground(api, teller, table, self._folder.pods, orders.log_limit_bytes)

    def _announce(self) -> None:
        """Say who we are: `up` waits for this, and finds us by it later."""
        own = identity_of(os.getpid())
        if own is None:
            raise RuntimeError("/proc does not know this process")
        scratch = self._folder.path / ".agent.json"
        scratch.write_text(json.dumps(asdict(own)))
        scratch.replace(self._folder.path / "agent.json")
        LOG.info("serving logs on port %d", self._port)

    def _find(self, namespace: str, name: str) -> PodWorker | None:
        workers = [worker for host, _ in self._hosts.values() for worker in host.workers.values()]
        found = [
            one
            for one in workers
            if (one.pod["metadata"]["namespace"], one.pod["metadata"]["name"]) == (namespace, name)
        ]
        # A new pod of an old name wins over the one that is going.
        return max(found, key=lambda one: one.pod["metadata"]["creationTimestamp"], default=None)

    async def _obey(self, ground: Ground) -> None:
        while True:
            self._news.clear()
            try:
                await self._bring_hosts(ground)
            except (ApiError, Unreachable) as error:
                LOG.info("%s; trying again", error)
                await asyncio.sleep(1)
                continue
            await self._news.wait()
            self._orders = load_orders(self._folder.agent_orders)
            newer = self._ground(ground.api, ground.events)
            ground.images, ground.log_limit_bytes = newer.images, newer.log_limit_bytes

    async def _bring_hosts(self, ground: Ground) -> None:
        wanted = host_names(self._orders.process_hosts)
        listed = await ground.api.call("GET", f"/api/v1/nodes?labelSelector={HOST_LABEL}")
        there = {node["metadata"]["name"] for node in listed["items"]}
        for name in sorted((there | set(self._hosts)) - set(wanted)):
            await self._remove_host(ground, name)
        await self._clear_pods(ground)
        for name in wanted:
            if name not in self._hosts:
                host = Host(ground, name, self._port)
                task = asyncio.create_task(host.run(), name=name)
                task.add_done_callback(_tell_defect)
                self._hosts[name] = (host, task)

    async def _remove_host(self, ground: Ground, name: str) -> None:
        """Delete a node, first its pods: nobody else would, and they would run for ever."""
        LOG.info("%s is removed", name)
        await ground.api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
        query = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"
        for pod in (await ground.api.call("GET", query))["items"]:
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
            body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
            with contextlib.suppress(ApiError):  # it went by itself
                await ground.api.call("DELETE", path, body)
        if name in self._hosts:
            host, task = self._hosts.pop(name)
            for worker in list(host.workers.values()):
                worker.gone()
            while host.workers:
                await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for path in (f"/api/v1/nodes/{name}", f"{LEASES}/{name}"):
            with contextlib.suppress(ApiError):
                await ground.api.call("DELETE", path)

    async def _clear_pods(self, ground: Ground) -> None:
        """End and remove what former agents left of pods that are no more."""
        if self._hosts or not self._folder.pods.is_dir():
            return
        # Looked at before the list: what is there and not listed is not merely newer.
        paths = list(self._folder.pods.iterdir())
        listed = await ground.api.call("GET", "/api/v1/pods", seconds=120)
        known = {pod["metadata"]["uid"] for pod in listed["items"]}
        for path in paths:
            if path.name.removesuffix(".making") not in known:
                await asyncio.to_thread(end_leftovers, [path])
                await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


def _tell_defect(task: asyncio.Task[None]) -> None:
    # Its node turns NotReady by itself; the log must say why.
    if not task.cancelled() and (error := task.exception()):
        LOG.error("%s ended by a defect", task.get_name(), exc_info=error)
