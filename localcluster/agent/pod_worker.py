"""One pod, from the moment it is bound to a node until it is deleted.

The worker is the kubelet's sync loop: every step compares the pod with its processes and does what
is due. A pod goes through these phases: its volumes are written, its containers start and restart,
it is stopped (deleted or past its deadline), its final status is published, and the object is
deleted from the apiserver. A new agent adopts the processes that a former one started.
"""

import asyncio
import contextlib
import logging
import shutil
import time
from datetime import datetime

from localcluster.agent.api import ApiError, Json, UnreachableError
from localcluster.agent.container import Container
from localcluster.agent.container_state import Running, Terminated, Waiting
from localcluster.agent.context import AgentContext
from localcluster.agent.pod_volumes import PodVolumes
from localcluster.agent.process import ContainerProcess
from localcluster.agent.status import (
    TERMINAL_PHASES,
    lost_container,
    pod_phase,
    pod_status,
    without_timestamps,
)

__all__ = ["PodWorker"]

LOG = logging.getLogger(__name__)
# How often running processes are checked.
POLL_SECONDS = 0.1
# A finished pod only waits for its deletion, which the watch reports; this is a safeguard.
IDLE_SECONDS = 60.0
# A kubelet sees the end of a container first, and only its next sync sees the end of the pod. In
# the meantime it posts a running pod with a terminated container (1 to 2 s, measured).
ENDING_SECONDS = 1.0
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    """The worker of one pod on a process host.

    Attributes:
        context: What all pods share.
        pod: The latest version of the pod.
        uid: The UID of the pod.
        containers: Init containers first.
    """

    def __init__(self, context: AgentContext, pod: Json) -> None:
        self.context = context
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        folder = context.pods / self.uid
        self._folder = folder
        init_specs = pod["spec"].get("initContainers") or []
        self.containers = [Container(spec, folder, is_init=True) for spec in init_specs]
        self.containers += [
            Container(spec, folder, is_init=False, after_others=bool(init_specs))
            for spec in pod["spec"]["containers"]
        ]
        self._volumes = PodVolumes(context.api, context.events, folder)
        self._changed = asyncio.Event()
        self._deleted = False
        self._delete_requested = False
        self._failure: tuple[str, str] | None = None
        self._kill_at: float | None = None
        self._ended_at: float | None = None
        self._published: Json | None = None

    @property
    def metadata(self) -> Json:
        """The pod's metadata."""
        metadata: Json = self.pod["metadata"]
        return metadata

    def container(self, name: str) -> Container | None:
        """Return a container by its name, or None."""
        return next((one for one in self.containers if one.name == name), None)

    def update(self, pod: Json) -> None:
        """Take over a newer version of the pod, from the watch."""
        self.pod = pod
        self._changed.set()

    def mark_deleted(self) -> None:
        """Note that the pod no longer exists in the apiserver; its processes are killed at once."""
        self._deleted = True
        self._changed.set()

    async def run(self) -> None:
        """Run the pod until it is deleted; then delete its files."""
        self._adopt()
        while not (self._deleted and not self._running()):
            self._changed.clear()
            try:
                await self._sync()
            except (ApiError, UnreachableError) as error:
                name = f"{self.metadata['namespace']}/{self.metadata['name']}"
                LOG.info("pod %s: %s; retrying", name, error)
                await asyncio.sleep(0.5)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._poll_seconds())
        self.context.events.forget(self.uid)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _adopt(self) -> None:
        if self._volumes.mounted:
            for container in self.containers:
                container.adopt()
        # A container that ran according to the pod's status, but has left neither a process nor
        # files, is lost.
        reported = self.pod.get("status") or {}
        fields = ("initContainerStatuses", "containerStatuses")
        statuses = [status for field in fields for status in reported.get(field) or []]
        ran = {status["name"] for status in statuses if "running" in (status.get("state") or {})}
        for container in self.containers:
            if container.process is None and container.name in ran:
                container.terminated, container.start_count = lost_container(None, time.time()), 1

    def _running(self) -> list[ContainerProcess]:
        return [
            container.process
            for container in self.containers
            if container.process is not None
            and not isinstance(container.process.state(), Terminated)
        ]

    def _has_finished(self) -> bool:
        phase = (self.pod.get("status") or {}).get("phase")
        return phase in TERMINAL_PHASES

    def _is_ending(self) -> bool:
        """Whether the last container has ended, but its end is not yet that of the pod."""
        policy = self.pod["spec"].get("restartPolicy", "Always")
        statuses = [container.status() for container in self.containers]
        if pod_phase(policy, statuses) not in TERMINAL_PHASES:
            return False
        now = time.monotonic()
        if self._ended_at is None:
            self._ended_at = now
        return now < self._ended_at + ENDING_SECONDS

    def _poll_seconds(self) -> float:
        if self._deleted or self._kill_at is not None or self._running():
            return POLL_SECONDS
        # Only an update by the watch can change anything for a finished pod.
        if self._has_finished() or self._delete_requested:
            return IDLE_SECONDS
        if self._volumes.mounted:
            retry_at = min(container.retry_at for container in self.containers)
        else:
            retry_at = self._volumes.retry_at
        return min(max(retry_at - time.monotonic(), POLL_SECONDS), 1.0)

    async def _sync(self) -> None:
        deleting = "deletionTimestamp" in self.metadata
        if self._deleted:
            for process in self._running():
                process.kill()
        elif self._delete_requested:
            return
        elif self._has_finished() and not self._running():
            if deleting:
                await self._delete_pod()
        elif deleting or self._is_past_deadline():
            await self._stop(deleting=deleting)
        else:
            await self._volumes.mount(self.pod)
            if self._volumes.mounted:
                await self._volumes.renew(self.pod)
                await self._advance()
            await self._publish(stopped=False)

    async def _advance(self) -> None:
        for container in self.containers:
            if container.is_init:
                await container.advance(self.context, self.pod)
                state = container.state
                if not (isinstance(state, Terminated) and state.exit_code == 0):
                    return
        for container in self.containers:
            if not container.is_init:
                await container.advance(self.context, self.pod)

    def _is_past_deadline(self) -> bool:
        if self._failure is not None:
            return True
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        started = (self.pod.get("status") or {}).get("startTime")
        if seconds is None or not started:
            return False
        if time.time() - datetime.fromisoformat(started).timestamp() <= seconds:
            return False
        self._failure = ("DeadlineExceeded", DEADLINE_MESSAGE)
        self.context.events.record(self.pod, "DeadlineExceeded", DEADLINE_MESSAGE, warning=True)
        return True

    def _grace_seconds(self) -> float:
        if "deletionGracePeriodSeconds" in self.metadata:
            return float(self.metadata["deletionGracePeriodSeconds"])
        return float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))

    async def _stop(self, *, deleting: bool) -> None:
        """Terminate the containers, kill them after the grace period, publish the final status."""
        if running := self._running():
            now = time.monotonic()
            if self._kill_at is None:
                self._kill_at = now + self._grace_seconds()
                for container in self.containers:
                    if isinstance(container.state, Running):
                        message = f"Stopping container {container.name}"
                        self.context.events.record(
                            self.pod, "Killing", message, container=container.field_path
                        )
                for process in running:
                    process.terminate()
            elif now >= self._kill_at:
                for process in running:
                    process.kill()
            return
        self._kill_at = None
        for container in self.containers:
            if isinstance(container.state, Waiting):
                container.process, container.terminated = None, lost_container()
        await self._publish(stopped=True)
        if deleting:
            await self._delete_pod()

    def _api_path(self) -> str:
        return f"/api/v1/namespaces/{self.metadata['namespace']}/pods/{self.metadata['name']}"

    async def _publish(self, *, stopped: bool) -> None:
        status = pod_status(
            self.pod,
            [container.status() for container in self.containers],
            time.time(),
            mounted=self._volumes.mounted,
            failure=self._failure,
            stopped=stopped,
            ending=not stopped and self._is_ending(),
        )
        if without_timestamps(status) == self._published:
            return
        # The UID is a precondition: a new pod may have the same name.
        body = {"metadata": {"uid": self.uid}, "status": status}
        try:
            updated = await self.context.api.patch(f"{self._api_path()}/status", body)
        except ApiError as error:
            if error.status == 404 or (error.status == 409 and "UID" in error.message):
                self.mark_deleted()
                return
            raise
        self._published = without_timestamps(status)
        # The watch may already have delivered a newer version, with a deletionTimestamp.
        version = int(updated["metadata"]["resourceVersion"])
        if version > int(self.metadata["resourceVersion"]):
            self.pod = updated

    async def _delete_pod(self) -> None:
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": self.uid},
        }
        try:
            await self.context.api.call("DELETE", self._api_path(), body)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise
            self.mark_deleted()
        # A finalizer may keep the object; the watch reports when it is deleted.
        self._delete_requested = True
