"""A process host: its Node, its heartbeat, and the pods that are bound to it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from localcluster.agent.api import ApiError, Json, UnreachableError
from localcluster.agent.context import AgentContext
from localcluster.agent.node import LEASE_SECONDS, lease_object, node_object, node_status
from localcluster.agent.pod_worker import PodWorker

__all__ = ["ProcessHost"]

LOG = logging.getLogger(__name__)
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# The kubelet's nodeStatusReportFrequency.
STATUS_SECONDS = 300.0
# The server ends a watch after this time, and a new one starts.
WATCH_SECONDS = 290


class ProcessHost:
    """The tasks of one node.

    Attributes:
        context: What all pods share.
        name: The name of the node.
        port: The port of the log server.
        workers: Pod UID -> worker.
    """

    def __init__(self, context: AgentContext, name: str, port: int) -> None:
        self.context, self.name, self.port = context, name, port
        self.workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ready_since = time.time()
        self._uid = ""
        self._registered = False

    async def run(self) -> None:
        """Register the node, then send heartbeats and follow its pods until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._retry_forever(self._send_heartbeats))
                group.create_task(self._retry_forever(self._follow))
        finally:
            # Only the agent ends: the processes of its pods keep running for the next one.
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _retry_forever(self, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await action()
            except (ApiError, UnreachableError) as error:
                LOG.info("%s: %s; retrying", self.name, error)
                await asyncio.sleep(1)

    async def _register(self) -> None:
        desired = node_object(self.name, self.port, time.time())
        try:
            node = await self.context.api.call("POST", "/api/v1/nodes", desired)
        except ApiError as error:
            if error.status != 409:
                raise
            path = f"/api/v1/nodes/{self.name}"
            labels = {"metadata": {"labels": desired["metadata"]["labels"]}}
            node = await self.context.api.patch(path, labels)
        self._uid = node["metadata"]["uid"]
        await self._report()
        self._registered = True

    async def _report(self) -> None:
        body = {"status": node_status(self.port, time.time(), self._ready_since)}
        await self.context.api.patch(f"/api/v1/nodes/{self.name}/status", body)

    async def _send_heartbeats(self) -> None:
        # Once: like a kubelet, an agent does not register a node again that was deleted.
        if not self._registered:
            await self._register()
        last_report = time.monotonic()
        while True:
            await self._renew()
            await asyncio.sleep(LEASE_SECONDS / 4)
            if time.monotonic() - last_report > STATUS_SECONDS or not await self._is_ready():
                await self._report()
                last_report = time.monotonic()

    async def _is_ready(self) -> bool:
        """Whether the node is ready for the API server too, or was deleted.

        After a silence it is not, and only a new status makes it so: leases do not.
        """
        node = await self._node()
        if node is None:
            return True
        conditions = node["status"].get("conditions", ())
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    async def _renew(self) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = lease_object(self.name, self._uid, now)
        try:
            await self.context.api.patch(f"{LEASES}/{self.name}", lease)
        except ApiError as error:
            if error.status != 404:
                raise
            if await self._node() is not None:
                await self.context.api.call("POST", LEASES, lease)
            else:
                LOG.info("%s was deleted; a new agent will register it", self.name)

    async def _node(self) -> Json | None:
        """Return the Node; None when it was deleted."""
        try:
            return await self.context.api.call("GET", f"/api/v1/nodes/{self.name}")
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _follow(self) -> None:
        """List the pods once, then watch until the server no longer has the resource version."""
        selector = f"fieldSelector=spec.nodeName%3D{self.name}"
        listed = await self.context.api.call("GET", f"/api/v1/pods?{selector}")
        pods_by_uid = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
        for uid in set(self.workers) - set(pods_by_uid):
            self.workers[uid].mark_deleted()
        for pod in pods_by_uid.values():
            self._update(pod)
        resource_version = listed["metadata"]["resourceVersion"]
        while True:
            query = f"{selector}&watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}"
            path = f"/api/v1/pods?{query}&resourceVersion={resource_version}"
            try:
                async with contextlib.aclosing(self.context.api.watch(path)) as events:
                    async for event in events:
                        resource_version = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] == "DELETED":
                            self._mark_deleted(event["object"])
                        elif event["type"] != "BOOKMARK":
                            self._update(event["object"])
            except UnreachableError as error:
                LOG.info("%s: %s; watching again", self.name, error)
                await asyncio.sleep(1)
            except ApiError as error:
                if error.status == 410:
                    LOG.info("%s: the resource version is too old; listing again", self.name)
                    return
                raise

    def _update(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if worker := self.workers.get(uid):
            worker.update(pod)
            return
        worker = PodWorker(self.context, pod)
        self.workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._finished(uid, done))

    def _mark_deleted(self, pod: Json) -> None:
        if worker := self.workers.get(pod["metadata"]["uid"]):
            worker.mark_deleted()

    def _finished(self, uid: str, task: asyncio.Task[None]) -> None:
        self.workers.pop(uid, None)
        self._tasks.pop(uid, None)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("%s on %s ended because of a bug", task.get_name(), self.name, exc_info=error)
