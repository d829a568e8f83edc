"""Record Events about pods, as a kubelet does, without delaying the caller."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any

from localcluster.agent.api import MERGE_PATCH, ApiClient, ApiError, Json, UnreachableError
from localcluster.agent.status import rfc3339

__all__ = ["EventRecorder"]

LOG = logging.getLogger(__name__)
# When so many events wait to be written, further ones are dropped and counted.
QUEUE_LIMIT = 5000


@dataclass(frozen=True)
class _PendingEvent:
    pod: Json
    kind: str
    reason: str
    message: str
    container: str
    at: float


class EventRecorder:
    """A queue of events, and the task that writes them."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._queue: asyncio.Queue[_PendingEvent] = asyncio.Queue(QUEUE_LIMIT)
        # By pod UID: (reason, message, container) -> name and count of the Event.
        self._written: dict[str, dict[tuple[str, str, str], tuple[str, int]]] = {}
        self.dropped = 0

    def record(
        self, pod: Json, reason: str, message: str, *, container: str = "", warning: bool = False
    ) -> None:
        """Queue one event.

        Args:
            pod: The involved object.
            reason: As the kubelet names it, such as FailedMount.
            message: The message for people.
            container: The fieldPath, for an event about one container.
            warning: Whether the type is Warning instead of Normal.
        """
        kind = "Warning" if warning else "Normal"
        event = _PendingEvent(pod, kind, reason, message, container, time.time())
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1
            LOG.warning("event queue is full, %d events dropped so far", self.dropped)

    def forget(self, uid: str) -> None:
        """Forget the events of a deleted pod, given by its UID."""
        self._written.pop(uid, None)

    async def run(self) -> None:
        """Write the events one after the other, until cancelled."""
        while True:
            event = await self._queue.get()
            try:
                await self._write(event)
            except (ApiError, UnreachableError) as error:
                # The namespace may be terminating; a kubelet drops such events too.
                LOG.info("event %s was not written: %s", event.reason, error)

    async def _write(self, event: _PendingEvent) -> None:
        metadata = event.pod["metadata"]
        written = self._written.setdefault(metadata["uid"], {})
        key = (event.reason, event.message, event.container)
        base = f"/api/v1/namespaces/{metadata['namespace']}/events"
        if key in written:
            name, count = written[key]
            written[key] = (name, count + 1)
            body = {"count": count + 1, "lastTimestamp": rfc3339(event.at)}
            await self._api.patch(f"{base}/{name}", body, MERGE_PATCH)
            return
        name = f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}"
        await self._api.call("POST", base, _event_object(event, name))
        written[key] = (name, 1)


def _event_object(event: _PendingEvent, name: str) -> dict[str, Any]:
    metadata = event.pod["metadata"]
    involved = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    if event.container:
        involved["fieldPath"] = event.container
    node = event.pod["spec"].get("nodeName", "")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": involved,
        "type": event.kind,
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": "kubelet", "host": node},
        "reportingComponent": "kubelet",
        "reportingInstance": node,
        "firstTimestamp": rfc3339(event.at),
        "lastTimestamp": rfc3339(event.at),
        "count": 1,
    }
