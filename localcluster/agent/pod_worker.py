"""One pod from the moment it is bound until it is gone; it must not know other pods."""

import asyncio
import contextlib
import logging
import shutil
import time
from datetime import datetime
from pathlib import Path

from localcluster.agent.api import ApiError, Json, Unreachable
from localcluster.agent.container import ContainerLife
from localcluster.agent.container_state import Running, Terminated, Waiting
from localcluster.agent.context import Ground
from localcluster.agent.podvolumes import PodVolumes
from localcluster.agent.process import ContainerProcess
from localcluster.agent.status import essence, lost, never_started, pod_status

__all__ = ["PodWorker"]

LOG = logging.getLogger(__name__)
# How often a running process is looked at, and how long a finished pod waits for news.
LOOK_SECONDS, IDLE_SECONDS = 0.1, 60.0
DEADLINE_TEXT = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    """The state of one pod on a process host."""

    def __init__(self, ground: Ground, pod: Json) -> None:
        self.ground = ground
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        folder: Path = ground.pods / self.uid
        self._folder = folder
        spec = pod["spec"]
        first, main = spec.get("initContainers") or [], spec["containers"]
        self.lives = [ContainerLife(one, folder, initial=True) for one in first]
        self.lives += [
            ContainerLife(one, folder, initial=False, after_others=bool(first)) for one in main
        ]
        self._volumes = PodVolumes(ground.api, ground.events, folder)
        self._changed = asyncio.Event()
        self._gone = False
        self._removed = False
        self._failure: tuple[str, str] | None = None
        self._kill_at: float | None = None
        self._sent: Json | None = None

    def update(self, pod: Json) -> None:
        """Take a newer version of the pod.

        Args:
            pod: as the watch gave it.
        """
        self.pod = pod
        self._changed.set()

    def gone(self) -> None:
        """The pod is no more in the apiserver: end its processes at once."""
        self._gone = True
        self._changed.set()

    async def run(self) -> None:
        """Do for the pod what is due, until it is gone; then remove its files."""
        self._adopt()
        while not (self._gone and not self._running()):
            self._changed.clear()
            try:
                await self._step()
            except (ApiError, Unreachable) as error:
                metadata = self.pod["metadata"]
                name = f"{metadata['namespace']}/{metadata['name']}"
                LOG.info("pod %s: %s; trying again", name, error)
                await asyncio.sleep(0.5)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._retry_policy())
        self.ground.events.forget(self.uid)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _adopt(self) -> None:
        if self._volumes.mounted:
            for life in self.lives:
                life.adopt()
        # What a former agent started, and of which neither a process nor a file can tell.
        known = self.pod.get("status") or {}
        kinds = ("initContainerStatuses", "containerStatuses")
        statuses = [one for kind in kinds for one in known.get(kind) or []]
        ran = {one["name"] for one in statuses if "running" in (one.get("state") or {})}
        for life in self.lives:
            if life.process is None and life.name in ran:
                life.ended, life.attempts = lost(None, time.time()), 1

    def _running(self) -> list[ContainerProcess]:
        return [
            life.process
            for life in self.lives
            if life.process is not None and not isinstance(life.process.state(), Terminated)
        ]

    def _terminal(self) -> bool:
        phase = (self.pod.get("status") or {}).get("phase")
        return phase in {"Succeeded", "Failed"}

    def _retry_policy(self) -> float:
        if self._gone or self._kill_at is not None or self._running():
            return LOOK_SECONDS
        # For a pod that has ended, only news can change anything.
        if self._terminal() or self._removed:
            return IDLE_SECONDS
        due = [life.due for life in self.lives] if self._volumes.mounted else [self._volumes.due]
        return min(max(min(due) - time.monotonic(), LOOK_SECONDS), 1.0)

    async def _step(self) -> None:
        deleting = "deletionTimestamp" in self.pod["metadata"]
        if self._gone:
            for process in self._running():
                process.kill()
        elif self._removed:
            return
        elif self._terminal() and not self._running():
            if deleting:
                await self._remove()
        elif deleting or self._past_deadline():
            await self._stop(deleting=deleting)
        else:
            await self._volumes.mount(self.pod)
            if self._volumes.mounted:
                await self._volumes.renew(self.pod)
                await self._advance()
            await self._publish(stopped=False)

    async def _advance(self) -> None:
        for life in self.lives:
            if life.initial:
                await life.advance(self.ground, self.pod)
                state = life.state
                if not (isinstance(state, Terminated) and state.exit_code == 0):
                    return
        for life in self.lives:
            if not life.initial:
                await life.advance(self.ground, self.pod)

    def _past_deadline(self) -> bool:
        if self._failure is not None:
            return True
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        started = (self.pod.get("status") or {}).get("startTime")
        if seconds is None or not started:
            return False
        if time.time() - datetime.fromisoformat(started).timestamp() <= seconds:
            return False
        self._failure = ("DeadlineExceeded", DEADLINE_TEXT)
        self.ground.events.tell(self.pod, "DeadlineExceeded", DEADLINE_TEXT, warning=True)
        return True

    def _grace(self) -> float:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        if "deletionGracePeriodSeconds" in metadata:
            return float(metadata["deletionGracePeriodSeconds"])
        return float(spec.get("terminationGracePeriodSeconds", 30))

    async def _stop(self, *, deleting: bool) -> None:
        """TERM, then KILL when the grace is over; then the last status, then the pod itself."""
        if running := self._running():
            now = time.monotonic()
            if self._kill_at is None:
                self._kill_at = now + self._grace()
                for life in self.lives:
                    if isinstance(life.state, Running):
                        text = f"Stopping container {life.name}"
                        self.ground.events.tell(self.pod, "Killing", text, container=life.path)
                for process in running:
                    process.terminate()
            elif now >= self._kill_at:
                for process in running:
                    process.kill()
            return
        self._kill_at = None
        for life in self.lives:
            if isinstance(life.state, Waiting):
                life.process, life.ended = None, never_started()
        await self._publish(stopped=True)
        if deleting:
            await self._remove()

    def _path(self) -> str:
        metadata = self.pod["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    async def _publish(self, *, stopped: bool) -> None:
        status = pod_status(
            self.pod,
            [life.seen() for life in self.lives],
            time.time(),
            mounted=self._volumes.mounted,
            failure=self._failure,
            stopped=stopped,
        )
        if essence(status) == self._sent:
            return
        # The UID is a precondition: another pod may have taken the name.
        body = {"metadata": {"uid": self.uid}, "status": status}
        try:
            newer = await self.ground.api.patch(f"{self._path()}/status", body)
        except ApiError as error:
            if error.status == 404 or (error.status == 409 and "UID" in error.message):
                self.gone()
                return
            raise
        self._sent = essence(status)
        # The watch may already have brought a later version, with a deletionTimestamp.
        versions = [int(one["metadata"]["resourceVersion"]) for one in (newer, self.pod)]
        if versions[0] > versions[1]:
            self.pod = newer

    async def _remove(self) -> None:
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": self.uid},
        }
        try:
            await self.ground.api.call("DELETE", self._path(), body)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise
            self.gone()
        # A finalizer may keep the object; the watch tells when it is gone.
        self._removed = True
