"""One pod from the moment it is bound until it is gone; it must not know other pods."""

import asyncio
import contextlib
import logging
import shutil
import time
from datetime import datetime
from pathlib import Path

from localcluster.agent.api import ApiError, Json, Unreachable
from localcluster.agent.ground import Ground
from localcluster.agent.life import ContainerLife
from localcluster.agent.mounting import fetch_token, write_file, write_volumes
from localcluster.agent.problems import MountError
from localcluster.agent.seen import Running, Terminated, Waiting
from localcluster.agent.status import lost, never_started, pod_status
from localcluster.agent.volumes import TokenWish

__all__ = ["PodWorker"]

LOG = logging.getLogger(__name__)
# How often a running process is looked at, and how long an idle pod waits for news.
LOOK_SECONDS, IDLE_SECONDS = 0.1, 5.0
# The kubelet's back-off for mounts begins at 0.5 s; it grows to 2 min, here only to 5 s.
MOUNT_RETRY, MOUNT_RETRY_LIMIT = 0.5, 5.0
# The kubelet renews a token when four fifths of its life are over.
TOKEN_SHARE = 0.8


class PodWorker:
    """The state of one pod on a process host."""

    def __init__(self, ground: Ground, pod: Json) -> None:
        self.ground = ground
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.folder: Path = ground.pods / self.uid
        spec = pod["spec"]
        first, main = spec.get("initContainers") or [], spec["containers"]
        self.lives = [ContainerLife(one, self.folder, initial=True) for one in first]
        self.lives += [ContainerLife(one, self.folder, initial=False) for one in main]
        self.mounted = False
        self._changed = asyncio.Event()
        self._gone = False
        self._removed = False
        self._failure: tuple[str, str] | None = None
        self._kill_at: float | None = None
        self._mount_due, self._mount_delay = 0.0, MOUNT_RETRY
        self._tokens: list[tuple[Path, TokenWish]] = []
        self._token_due = float("inf")
        self._sent: Json | None = None
        self._began = time.monotonic()

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
                LOG.info("pod %s: %s; trying again", self._name, error)
                await asyncio.sleep(0.5)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._patience())
        self.ground.events.forget(self.uid)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def _name(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"

    def _adopt(self) -> None:
        known = self.pod.get("status") or {}
        self.mounted = self.folder.is_dir()
        if self.mounted:
            for life in self.lives:
                life.adopt()
            self._token_due = 0.0 if self._token_wishes() else float("inf")
        # What a former agent started, and what neither it nor a file can tell of any more.
        statuses = (known.get("initContainerStatuses") or []) + (
            known.get("containerStatuses") or []
        )
        ran = {one["name"] for one in statuses if "running" in (one.get("state") or {})}
        for life in self.lives:
            if life.process is None and life.name in ran:
                life.ended = lost(None, time.time())
                life.attempts = 1

    def _token_wishes(self) -> bool:
        return any("projected" in one for one in self.pod["spec"].get("volumes") or [])

    def _running(self) -> list[ContainerLife]:
        return [
            life
            for life in self.lives
            if life.process is not None and not isinstance(life.process.state(), Terminated)
        ]

    def _patience(self) -> float:
        if self._gone or self._kill_at is not None or self._running():
            return LOOK_SECONDS
        # A pod that has ended has nothing due: only news can change that.
        if self._terminal():
            return IDLE_SECONDS
        due = [self._mount_due] if not self.mounted else [life.due for life in self.lives]
        return min(max(min(due) - time.monotonic(), LOOK_SECONDS), 1.0)

    def _terminal(self) -> bool:
        return (self.pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}

    async def _step(self) -> None:
        deleting = "deletionTimestamp" in self.pod["metadata"]
        if self._gone:
            for life in self._running():
                life.process and life.process.kill()
            return
        if self._removed:
            return
        if self._terminal() and not self._running():
            if deleting:
                await self._remove()
            return
        if not deleting and self._failure is None and self._past_deadline():
            text = "Pod was active on the node longer than the specified deadline"
            self._failure = ("DeadlineExceeded", text)
            self.ground.events.tell(self.pod, "DeadlineExceeded", text, warning=True)
        if deleting or self._failure:
            await self._stop(deleting=deleting)
            return
        if not self.mounted:
            await self._mount()
        if self.mounted:
            if time.monotonic() > self._token_due:
                await self._renew_tokens()
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
                if life.waiting.reason == "PodInitializing":
                    life.waiting = Waiting("ContainerCreating")
                await life.advance(self.ground, self.pod)

    async def _mount(self) -> None:
        now = time.monotonic()
        if now < self._mount_due:
            return
        if not any(life.initial for life in self.lives):
            for life in self.lives:
                life.waiting = Waiting("ContainerCreating")
        scratch = self.folder.with_name(f"{self.uid}.making")
        try:
            self._tokens = await write_volumes(self.ground.api, self.pod, scratch / "volumes")
        except MountError as error:
            self.ground.events.tell(self.pod, "FailedMount", str(error), warning=True)
            self._mount_due = now + self._mount_delay
            self._mount_delay = min(self._mount_delay * 2, MOUNT_RETRY_LIMIT)
            return
        # The folder appears whole: one that is there means to a next agent that it is mounted.
        scratch.mkdir(parents=True, exist_ok=True)
        scratch.rename(self.folder)
        self._tokens = [
            (self.folder / path.relative_to(scratch), wish) for path, wish in self._tokens
        ]
        self._plan_renewal()
        self.mounted = True

    def _plan_renewal(self) -> None:
        lives = [wish.expiration_seconds for _, wish in self._tokens]
        self._token_due = time.monotonic() + TOKEN_SHARE * min(lives) if lives else float("inf")

    async def _renew_tokens(self) -> None:
        if not self._tokens:  # of a former agent: find out where they are by writing them again
            self._tokens = await write_volumes(self.ground.api, self.pod, self.folder / "volumes")
        else:
            for path, wish in self._tokens:
                write_file(path, await fetch_token(self.ground.api, self.pod, wish), 0o600)
        self._plan_renewal()

    def _past_deadline(self) -> bool:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        started = (self.pod.get("status") or {}).get("startTime")
        if seconds is None or not started:
            return False
        return time.time() - datetime.fromisoformat(started).timestamp() > seconds

    def _grace(self) -> float:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        if "deletionGracePeriodSeconds" in metadata:
            return float(metadata["deletionGracePeriodSeconds"])
        return float(spec.get("terminationGracePeriodSeconds", 30))

    async def _stop(self, *, deleting: bool) -> None:
        running = self._running()
        now = time.monotonic()
        if running:
            if self._kill_at is None:
                for life in running:
                    text = f"Stopping container {life.name}"
                    self.ground.events.tell(self.pod, "Killing", text, container=life.path)
                    life.process and life.process.terminate()
                self._kill_at = now + self._grace()
            elif now >= self._kill_at or (deleting and self._grace() == 0):
                for life in running:
                    life.process and life.process.kill()
            return
        self._kill_at = None
        for life in self.lives:
            if isinstance(life.state, Waiting | Running):
                life.process, life.ended = None, never_started()
        await self._publish(stopped=True)
        if deleting:
            await self._remove()

    async def _publish(self, *, stopped: bool) -> None:
        seen = [life.seen() for life in self.lives]
        status = pod_status(
            self.pod,
            seen,
            time.time(),
            mounted=self.mounted,
            failure=self._failure,
            stopped=stopped,
        )
        if _essence(status) == self._sent:
            return
        metadata = self.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {"metadata": {"uid": self.uid}, "status": status}
        try:
            newer = await self.ground.api.patch(f"{path}/status", body)
        except ApiError as error:
            if error.status == 404 or (error.status == 409 and "UID" in error.message):
                self.gone()
                return
            raise
        self._sent = _essence(status)
        # The watch may already have brought a later version, with a deletionTimestamp.
        if int(newer["metadata"]["resourceVersion"]) > int(self.pod["metadata"]["resourceVersion"]):
            self.pod = newer

    async def _remove(self) -> None:
        metadata = self.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": self.uid},
        }
        try:
            await self.ground.api.call("DELETE", path, body)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise
            self.gone()
        # A finalizer may keep the object; the watch tells when it is gone.
        self._removed = True


def _essence(status: Json) -> Json:
    """The status without what the clock alone changes."""
    kept = {key: value for key, value in status.items() if key != "startTime"}
    kept["conditions"] = [
        {key: value for key, value in one.items() if key != "lastTransitionTime"}
        for one in status["conditions"]
    ]
    return kept
