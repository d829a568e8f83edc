"""The volumes of one pod: written once, tokens renewed in time; it must not start containers."""

import time
from pathlib import Path

from localcluster.agent.api import Api, Json
from localcluster.agent.events import EventTeller
from localcluster.agent.mounting import fetch_token, write_file, write_volumes
from localcluster.agent.problems import MountError
from localcluster.agent.volumes import TokenWish

__all__ = ["PodVolumes"]

# The kubelet's back-off for mounts begins at 0.5 s; it grows to 2 min, here only to 5 s.
RETRY_SECONDS, RETRY_LIMIT_SECONDS = 0.5, 5.0
# The kubelet renews a token when four fifths of its life are over.
TOKEN_SHARE = 0.8


class PodVolumes:
    """A pod's folder appears with its volumes in it, or not at all."""

    def __init__(self, api: Api, events: EventTeller, folder: Path) -> None:
        self._api, self._events, self._folder = api, events, folder
        # A folder that is there was mounted by a former agent.
        self.mounted = folder.is_dir()
        self.due = 0.0
        self._delay = RETRY_SECONDS
        self._tokens: list[tuple[Path, TokenWish]] = []
        # A former agent's tokens are renewed at once: when it fetched them is not known.
        self._renewal = 0.0 if self.mounted else float("inf")

    async def mount(self, pod: Json) -> None:
        """Write the volumes if that is due and possible; if not, say why in an event.

        Args:
            pod: the pod.
        Raises: ApiError, Unreachable: try again.
        """
        now = time.monotonic()
        if self.mounted or now < self.due:
            return
        scratch = self._folder.with_name(f"{self._folder.name}.making")
        try:
            tokens = await write_volumes(self._api, pod, scratch / "volumes")
        except MountError as error:
            self._events.tell(pod, "FailedMount", str(error), warning=True)
            self.due = now + self._delay
            self._delay = min(self._delay * 2, RETRY_LIMIT_SECONDS)
            return
        scratch.mkdir(parents=True, exist_ok=True)
        scratch.rename(self._folder)
        self._tokens = [(self._folder / path.relative_to(scratch), wish) for path, wish in tokens]
        self._plan_renewal()
        self.mounted = True

    async def renew(self, pod: Json) -> None:
        """Fetch tokens again where they are about to end.

        Args:
            pod: the pod, whose volumes are written.
        Raises: ApiError, Unreachable: try again.
        """
        if time.monotonic() < self._renewal:
            return
        try:
            if self._tokens:
                for path, wish in self._tokens:
                    write_file(path, await fetch_token(self._api, pod, wish), 0o600)
            else:
                self._tokens = await write_volumes(self._api, pod, self._folder / "volumes")
        except MountError as error:
            # Its ConfigMap or its ServiceAccount went; what is written goes on to serve.
            self._events.tell(pod, "FailedMount", str(error), warning=True)
            self._renewal = time.monotonic() + 60
            return
        self._plan_renewal()

    def _plan_renewal(self) -> None:
        lives = [wish.expiration_seconds for _, wish in self._tokens]
        seconds = TOKEN_SHARE * min(lives) if lives else float("inf")
        self._renewal = time.monotonic() + seconds
