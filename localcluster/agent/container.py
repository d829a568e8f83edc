"""One container through its starts, waits and back-offs; it must not know the pod's end."""

import time
from dataclasses import dataclass
from pathlib import Path

from localcluster.agent.api import Json
from localcluster.agent.container_start import start_container
from localcluster.agent.container_state import (
    ContainerSeen,
    Running,
    State,
    Terminated,
    Waiting,
    crash_delay,
    restarts,
)
from localcluster.agent.context import Ground
from localcluster.agent.images import is_valid_name
from localcluster.agent.problems import ConfigError, StartError
from localcluster.agent.process import ContainerProcess

__all__ = ["ContainerLife"]

# The kubelet's image back-off: 10 s, doubled up to 5 min; the failed pull itself takes a moment.
PULL_BACKOFF, PULL_BACKOFF_LIMIT, PULL_SECONDS = 10.0, 300.0, 2.0
# A kubelet tries a container that cannot be configured again with its next sync.
CONFIG_RETRY = 3.0


@dataclass
class _Pulling:
    failed_at: float
    backoff: float


class ContainerLife:
    """What the agent knows of one container, and the next thing to do for it."""

    def __init__(
        self, spec: Json, folder: Path, *, initial: bool, after_others: bool = False
    ) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.initial = initial
        self.folder = folder / "containers" / self.name
        self.process: ContainerProcess | None = None
        self.waiting = Waiting("PodInitializing" if after_others else "ContainerCreating")
        self.ended: Terminated | None = None
        self.last: Terminated | None = None
        self.attempts = 0
        self.due = 0.0
        self._pulling: _Pulling | None = None

    def adopt(self) -> None:
        """Take up the latest start that a former agent left."""
        numbers = [int(path.name) for path in self.folder.glob("[0-9]*") if path.name.isdigit()]
        if numbers:
            self.process = ContainerProcess(self.folder / str(max(numbers)))
            self.attempts = max(numbers) + 1
            if max(numbers) > 0:
                before = ContainerProcess(self.folder / str(max(numbers) - 1)).state()
                self.last = before if isinstance(before, Terminated) else None

    @property
    def state(self) -> State:
        """How it is now."""
        if self.ended is not None:
            return self.ended
        if self.process is None:
            return self.waiting
        seen = self.process.state()
        if isinstance(seen, Terminated):
            self.ended = seen
        return seen

    def seen(self) -> ContainerSeen:
        """For the status."""
        state = self.state
        identifier = f"localcluster://{self.name}-{self.attempts}" if self.attempts else ""
        return ContainerSeen(
            name=self.name,
            image=self.spec["image"],
            state=state,
            last=self.last,
            restarts=max(0, self.attempts - 1),
            initial=self.initial,
            container_id=identifier,
        )

    @property
    def path(self) -> str:
        """The fieldPath of its events."""
        kind = "initContainers" if self.initial else "containers"
        return f"spec.{kind}{{{self.name}}}"

    async def advance(self, ground: Ground, pod: Json) -> None:
        """Start it, or start it again, if that is due.

        Args:
            ground: what pods stand on.
            pod: the pod, whose volumes are written.
        Raises: ApiError, Unreachable: try again.
        """
        state = self.state
        if isinstance(state, Running) or time.monotonic() < self.due:
            return
        if isinstance(state, Terminated):
            if not restarts(
                pod["spec"].get("restartPolicy", "Always"), state, initial=self.initial
            ):
                return
            delay = crash_delay(self.attempts - 1)
            self.last, self.ended, self.process = state, None, None
            if delay:
                self.due = time.monotonic() + delay
                where = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}"
                text = (
                    f"back-off {delay:.0f}s restarting failed container={self.name} "
                    f"pod={where}({pod['metadata']['uid']})"
                )
                self.waiting = Waiting("CrashLoopBackOff", text)
                ground.events.tell(
                    pod,
                    "BackOff",
                    f"Back-off restarting failed container {self.name}",
                    container=self.path,
                    warning=True,
                )
                return
        await self._start(ground, pod)

    async def _start(self, ground: Ground, pod: Json) -> None:
        name = self.spec["image"]
        if name not in ground.images:
            self._cannot_pull(ground, pod, name)
            return
        if self.attempts == 0:
            text = f'Container image "{name}" already present on machine'
            ground.events.tell(pod, "Pulled", text, container=self.path)
        folder = self.folder.parent.parent
        try:
            self.process = await start_container(
                ground, pod, self.spec, ground.images[name], folder, self.attempts
            )
        except ConfigError as error:
            self.waiting = Waiting("CreateContainerConfigError", str(error))
            self.due = time.monotonic() + CONFIG_RETRY
            self._fail(ground, pod, f"Error: {error}")
            return
        except StartError as error:
            # startedAt is the beginning of time there, as the kubelet writes it.
            self.ended = Terminated(128, "StartError", str(error), 0.0, time.time())
            self._fail(ground, pod, f"Error: {error}")
            self.attempts += 1
            return
        self.attempts += 1
        for reason in ("Created", "Started"):
            text = f"{reason} container {self.name}"
            ground.events.tell(pod, reason, text, container=self.path)

    def _fail(self, ground: Ground, pod: Json, text: str) -> None:
        ground.events.tell(pod, "Failed", text, container=self.path, warning=True)

    def _cannot_pull(self, ground: Ground, pod: Json, name: str) -> None:
        now = time.monotonic()
        if not is_valid_name(name):
            text = (
                f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": '
                "invalid reference format"
            )
            self.waiting, self.due = Waiting("InvalidImageName", text), now + CONFIG_RETRY
            ground.events.tell(pod, "InspectFailed", text, container=self.path, warning=True)
            self._fail(ground, pod, "Error: InvalidImageName")
            return
        if self.spec.get("imagePullPolicy") == "Never":
            text = f'Container image "{name}" is not present with pull policy of Never'
            self.waiting, self.due = Waiting("ErrImageNeverPull", text), now + CONFIG_RETRY
            self._fail(ground, pod, "Error: ErrImageNeverPull")
            return
        why = (
            f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
            f"{name}: not found (process hosts know only the images of their table)"
        )
        pulling = self._pulling
        if pulling is not None and now < pulling.failed_at + pulling.backoff:
            text = f'Back-off pulling image "{name}"'
            self.waiting = Waiting("ImagePullBackOff", f"{text}: ErrImagePull: {why}")
            ground.events.tell(pod, "BackOff", text, container=self.path)
            self._fail(ground, pod, "Error: ImagePullBackOff")
            self.due = pulling.failed_at + pulling.backoff
            return
        backoff = min(pulling.backoff * 2, PULL_BACKOFF_LIMIT) if pulling else PULL_BACKOFF
        self._pulling = _Pulling(now, backoff)
        self.waiting, self.due = Waiting("ErrImagePull", why), now + PULL_SECONDS
        ground.events.tell(pod, "Pulling", f'Pulling image "{name}"', container=self.path)
        self._fail(ground, pod, f'Failed to pull image "{name}": {why}')
        self._fail(ground, pod, "Error: ErrImagePull")
