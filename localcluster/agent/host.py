"""One process host: its Node, its heartbeat, and the pods bound to it; it runs none itself."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from localcluster.agent.api import ApiError, Json, Unreachable
from localcluster.agent.context import Ground
from localcluster.agent.node import LEASE_SECONDS, lease_object, node_object, node_status
from localcluster.agent.pod_worker import PodWorker

__all__ = ["Host"]

LOG = logging.getLogger(__name__)
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# The kubelet's nodeStatusReportFrequency.
STATUS_SECONDS = 300.0
# A watch is begun anew this often; the server is asked to end it.
WATCH_SECONDS = 290


class Host:
    """The tasks of one node."""

    def __init__(self, ground: Ground, name: str, port: int) -> None:
        self.ground, self.name, self.port = ground, name, port
        self.workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._since = time.time()
        self._uid = ""

    async def run(self) -> None:
        """Register, then beat and follow the pods until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._for_ever(self._beat))
                group.create_task(self._for_ever(self._follow))
        finally:
            # The agent ends, not the pods: their processes stay for the next agent.
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _for_ever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (ApiError, Unreachable) as error:
                LOG.info("%s: %s; trying again", self.name, error)
                await asyncio.sleep(1)

    async def _register(self) -> None:
        wanted = node_object(self.name, self.port, time.time())
        try:
            node = await self.ground.api.call("POST", "/api/v1/nodes", wanted)
        except ApiError as error:
            if error.status != 409:
                raise
            path = f"/api/v1/nodes/{self.name}"
            labels = {"metadata": {"labels": wanted["metadata"]["labels"]}}
            node = await self.ground.api.patch(path, labels)
        self._uid = node["metadata"]["uid"]
        await self._report()

    async def _report(self) -> None:
        body = {"status": node_status(self.port, time.time(), self._since)}
        await self.ground.api.patch(f"/api/v1/nodes/{self.name}/status", body)

    async def _beat(self) -> None:
        await self._register()
        reported = time.monotonic()
        while True:
            await self._renew()
            await asyncio.sleep(LEASE_SECONDS / 4)
            if time.monotonic() - reported > STATUS_SECONDS:
                await self._report()
                reported = time.monotonic()

    async def _renew(self) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = lease_object(self.name, self._uid, now)
        try:
            await self.ground.api.patch(f"{LEASES}/{self.name}", lease)
        except ApiError as error:
            if error.status != 404:
                raise
            await self.ground.api.call("POST", LEASES, lease)
        # A node that somebody deleted registers again, as a kubelet's does when it restarts.
        try:
            await self.ground.api.call("GET", f"/api/v1/nodes/{self.name}")
        except ApiError as error:
            if error.status != 404:
                raise
            await self._register()

    async def _follow(self) -> None:
        """One list, then watches until the server has forgotten where we were."""
        selector = f"fieldSelector=spec.nodeName%3D{self.name}"
        listed = await self.ground.api.call("GET", f"/api/v1/pods?{selector}")
        there = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
        for uid in set(self.workers) - set(there):
            self.workers[uid].gone()
        for pod in there.values():
            self._take(pod)
        version = listed["metadata"]["resourceVersion"]
        while True:
            query = f"{selector}&watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}"
            path = f"/api/v1/pods?{query}&resourceVersion={version}"
            try:
                async with contextlib.aclosing(self.ground.api.watch(path)) as events:
                    async for event in events:
                        version = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] == "DELETED":
                            self._drop(event["object"])
                        elif event["type"] != "BOOKMARK":
                            self._take(event["object"])
            except Unreachable as error:
                LOG.info("%s: %s; watching again", self.name, error)
                await asyncio.sleep(1)
            except ApiError as error:
                if error.status == 410:
                    LOG.info("%s: watch is too old, listing again", self.name)
                    return
                raise

    def _take(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if worker := self.workers.get(uid):
            worker.update(pod)
            return
        worker = PodWorker(self.ground, pod)
        self.workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._finished(uid, done))

    def _drop(self, pod: Json) -> None:
        if worker := self.workers.get(pod["metadata"]["uid"]):
            worker.gone()

    def _finished(self, uid: str, task: asyncio.Task[None]) -> None:
        self.workers.pop(uid, None)
        self._tasks.pop(uid, None)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("%s of %s ended", task.get_name(), self.name, exc_info=error)
