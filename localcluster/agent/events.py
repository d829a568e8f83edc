"""Tell events about pods, as a kubelet does; it must not hold up whoever tells them."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any

from localcluster.agent.api import MERGE, Api, ApiError, Json, Unreachable
from localcluster.agent.status import rfc3339

__all__ = ["EventTeller"]

LOG = logging.getLogger(__name__)
# More than this many untold events are dropped, and counted.
QUEUE_LIMIT = 5000


@dataclass(frozen=True)
class _Said:
    pod: Json
    kind: str
    reason: str
    message: str
    container: str
    at: float


class EventTeller:
    """A queue of events and the task that writes them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._queue: asyncio.Queue[_Said] = asyncio.Queue(QUEUE_LIMIT)
        # What was said before -> name of the Event and how often; forgotten with the pod.
        self._known: dict[str, dict[tuple[str, str, str], tuple[str, int]]] = {}
        self.dropped = 0

    def tell(
        self, pod: Json, reason: str, message: str, *, container: str = "", warning: bool = False
    ) -> None:
        """Put one event into the queue.

        Args:
            pod: which it is about.
            reason: a kubelet's word, such as FailedMount.
            message: for people.
            container: the spec's path to it, where it is about one.
            warning: rather than normal.
        """
        kind = "Warning" if warning else "Normal"
        try:
            self._queue.put_nowait(_Said(pod, kind, reason, message, container, time.time()))
        except asyncio.QueueFull:
            self.dropped += 1
            LOG.warning("event queue is full, %d dropped so far", self.dropped)

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a deleted pod.

        Args:
            uid: of the pod.
        """
        self._known.pop(uid, None)

    async def run(self) -> None:
        """Write events for ever, one after the other."""
        while True:
            said = await self._queue.get()
            try:
                await self._write(said)
            except (ApiError, Unreachable) as error:
                # The namespace may be going; a kubelet drops such events too.
                LOG.info("event %s was not written: %s", said.reason, error)

    async def _write(self, said: _Said) -> None:
        metadata = said.pod["metadata"]
        namespace, uid = metadata["namespace"], metadata["uid"]
        known = self._known.setdefault(uid, {})
        key = (said.reason, said.message, said.container)
        base = f"/api/v1/namespaces/{namespace}/events"
        if key in known:
            name, count = known[key]
            known[key] = (name, count + 1)
            body = {"count": count + 1, "lastTimestamp": rfc3339(said.at)}
            await self._api.patch(f"{base}/{name}", body, MERGE)
            return
        name = f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}"
        await self._api.call("POST", base, _event(said, name))
        known[key] = (name, 1)


def _event(said: _Said, name: str) -> dict[str, Any]:
    metadata = said.pod["metadata"]
    involved = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    if said.container:
        involved["fieldPath"] = said.container
    host = said.pod["spec"].get("nodeName", "")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": involved,
        "type": said.kind,
        "reason": said.reason,
        "message": said.message[:1024],
        "source": {"component": "kubelet", "host": host},
        "reportingComponent": "kubelet",
        "reportingInstance": host,
        "firstTimestamp": rfc3339(said.at),
        "lastTimestamp": rfc3339(said.at),
        "count": 1,
    }
