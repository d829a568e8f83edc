"""One container: its starts, its restarts with back-off, and what it waits for."""

import time
from dataclasses import dataclass
from pathlib import Path

from localcluster.agent.api import Json
from localcluster.agent.container_errors import ConfigError, StartError
from localcluster.agent.container_start import start_container
from localcluster.agent.container_state import (
    ContainerState,
    ContainerStatus,
    Running,
    Terminated,
    Waiting,
    crash_backoff,
    should_restart,
)
from localcluster.agent.context import AgentContext
from localcluster.agent.images import full_reference, is_valid_name
from localcluster.agent.process import ContainerProcess

__all__ = ["Container"]

# The kubelet's image back-off: 10 s, doubled up to 5 min.
PULL_BACKOFF_SECONDS, PULL_BACKOFF_LIMIT_SECONDS = 10.0, 300.0
# How long ErrImagePull is shown before ImagePullBackOff, as if a pull took a moment.
PULL_SECONDS = 2.0
# The kubelet retries a container with an invalid configuration at its next sync.
CONFIG_RETRY_SECONDS = 3.0


@dataclass
class _FailedPull:
    failed_at: float
    backoff: float


class Container:
    """One container of a pod, and the next action that is due for it.

    Attributes:
        spec: The container as in the pod's spec.
        name: The name of the container.
        is_init: Whether it is an init container.
        folder: Contains one folder per start, numbered from 0.
        process: The current start, or None.
        waiting: The state while there is no process.
        terminated: How the current start ended.
        last_state: How the previous start ended.
        start_count: The number of starts so far.
        retry_at: When the next action is due, by time.monotonic().
    """

    def __init__(
        self, spec: Json, folder: Path, *, is_init: bool, after_others: bool = False
    ) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.is_init = is_init
        self.folder = folder / "containers" / self.name
        self.process: ContainerProcess | None = None
        self.waiting = Waiting("PodInitializing" if after_others else "ContainerCreating")
        self.terminated: Terminated | None = None
        self.last_state: Terminated | None = None
        self.start_count = 0
        self.retry_at = 0.0
        self._failed_pull: _FailedPull | None = None

    def adopt(self) -> None:
        """Adopt the latest start of a former agent."""
        numbers = [int(path.name) for path in self.folder.glob("[0-9]*") if path.name.isdigit()]
        if numbers:
            self.process = ContainerProcess(self.folder / str(max(numbers)))
            self.start_count = max(numbers) + 1
            if max(numbers) > 0:
                previous = ContainerProcess(self.folder / str(max(numbers) - 1)).state()
                self.last_state = previous if isinstance(previous, Terminated) else None

    @property
    def state(self) -> ContainerState:
        """The current state."""
        if self.terminated is not None:
            return self.terminated
        if self.process is None:
            return self.waiting
        state = self.process.state()
        if isinstance(state, Terminated):
            self.terminated = state
        return state

    def status(self) -> ContainerStatus:
        """Return what the pod's status says about the container."""
        state = self.state
        container_id = f"localcluster://{self.name}-{self.start_count}" if self.start_count else ""
        return ContainerStatus(
            name=self.name,
            image=self.spec["image"],
            state=state,
            last_state=self.last_state,
            restart_count=max(0, self.start_count - 1),
            is_init=self.is_init,
            container_id=container_id,
        )

    @property
    def field_path(self) -> str:
        """The fieldPath of the container's events."""
        kind = "initContainers" if self.is_init else "containers"
        return f"spec.{kind}{{{self.name}}}"

    async def advance(self, context: AgentContext, pod: Json) -> None:
        """Start or restart the container if that is due.

        Args:
            context: What all pods share.
            pod: The pod, whose volumes are written.

        Raises:
            ApiError: The next call retries.
            UnreachableError: The next call retries.
        """
        state = self.state
        if isinstance(state, Running) or time.monotonic() < self.retry_at:
            return
        if isinstance(state, Terminated):
            policy = pod["spec"].get("restartPolicy", "Always")
            if not should_restart(policy, state, is_init=self.is_init):
                return
            delay = crash_backoff(self.start_count - 1)
            self.last_state, self.terminated, self.process = state, None, None
            if delay:
                self.retry_at = time.monotonic() + delay
                pod_name = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}"
                message = (
                    f"back-off {delay:.0f}s restarting failed container={self.name} "
                    f"pod={pod_name}({pod['metadata']['uid']})"
                )
                self.waiting = Waiting("CrashLoopBackOff", message)
                context.events.record(
                    pod,
                    "BackOff",
                    f"Back-off restarting failed container {self.name}",
                    container=self.field_path,
                    warning=True,
                )
                return
        await self._start(context, pod)

    async def _start(self, context: AgentContext, pod: Json) -> None:
        name = self.spec["image"]
        if name not in context.images:
            self._fail_pull(context, pod, name)
            return
        if self.start_count == 0:
            message = f'Container image "{name}" already present on machine'
            context.events.record(pod, "Pulled", message, container=self.field_path)
        folder = self.folder.parent.parent
        try:
            self.process = await start_container(
                context, pod, self.spec, context.images[name], folder, self.start_count
            )
        except ConfigError as error:
            self.waiting = Waiting("CreateContainerConfigError", str(error))
            self.retry_at = time.monotonic() + CONFIG_RETRY_SECONDS
            self._record_failure(context, pod, f"Error: {error}")
            return
        except StartError as error:
            start_folder = self.folder / str(self.start_count)
            self.process = ContainerProcess.not_started(start_folder, str(error), time.time())
            self._record_failure(context, pod, f"Error: {error}")
            self.start_count += 1
            return
        self.start_count += 1
        for reason in ("Created", "Started"):
            message = f"{reason} container {self.name}"
            context.events.record(pod, reason, message, container=self.field_path)

    def _record_failure(self, context: AgentContext, pod: Json, message: str) -> None:
        context.events.record(pod, "Failed", message, container=self.field_path, warning=True)

    def _fail_pull(self, context: AgentContext, pod: Json, name: str) -> None:
        now = time.monotonic()
        if not is_valid_name(name):
            message = (
                f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": '
                "invalid reference format"
            )
            self.waiting = Waiting("InvalidImageName", message)
            self.retry_at = now + CONFIG_RETRY_SECONDS
            context.events.record(
                pod, "InspectFailed", message, container=self.field_path, warning=True
            )
            self._record_failure(context, pod, "Error: InvalidImageName")
            return
        if self.spec.get("imagePullPolicy") == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            self.waiting = Waiting("ErrImageNeverPull", message)
            self.retry_at = now + CONFIG_RETRY_SECONDS
            self._record_failure(context, pod, "Error: ErrImageNeverPull")
            return
        reference = full_reference(name)
        # As containerd says it, with the cause at the end of a long message.
        detail = (
            f'failed to pull and unpack image "{reference}": failed to resolve reference '
            f'"{reference}": {reference}: not found'
        )
        previous = self._failed_pull
        if previous is not None and now < previous.failed_at + previous.backoff:
            message = f'Back-off pulling image "{name}"'
            self.waiting = Waiting("ImagePullBackOff", f"{message}: ErrImagePull: {detail}")
            context.events.record(pod, "BackOff", message, container=self.field_path)
            self._record_failure(context, pod, "Error: ImagePullBackOff")
            self.retry_at = previous.failed_at + previous.backoff
            return
        backoff = PULL_BACKOFF_SECONDS
        if previous is not None:
            backoff = min(previous.backoff * 2, PULL_BACKOFF_LIMIT_SECONDS)
        self._failed_pull = _FailedPull(now, backoff)
        self.waiting = Waiting("ErrImagePull", detail)
        self.retry_at = now + PULL_SECONDS
        context.events.record(pod, "Pulling", f'Pulling image "{name}"', container=self.field_path)
        self._record_failure(context, pod, f'Failed to pull image "{name}": {detail}')
        self._record_failure(context, pod, "Error: ErrImagePull")
