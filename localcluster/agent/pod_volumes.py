"""The volumes of one pod: written once, with tokens that are renewed in time."""

import time
from pathlib import Path

from localcluster.agent.api import ApiClient, Json
from localcluster.agent.container_errors import MountError
from localcluster.agent.events import EventRecorder
from localcluster.agent.mounting import fetch_token, write_file, write_volumes
from localcluster.agent.volumes import TokenProjection

__all__ = ["PARTIAL_SUFFIX", "PodVolumes"]

# Of a pod's folder until all its volumes are written.
PARTIAL_SUFFIX = ".partial"

# The kubelet's back-off for mounts starts at 0.5 s and grows to 2 min; here it grows to 5 s only.
RETRY_SECONDS, RETRY_LIMIT_SECONDS = 0.5, 5.0
# The kubelet renews a token after 80 % of its lifetime.
TOKEN_RENEWAL_SHARE = 0.8


class PodVolumes:
    """The volumes of one pod. The pod's folder appears with all volumes in it, or not at all.

    Attributes:
        mounted: Whether all volumes are written.
        retry_at: When the next attempt is due, by time.monotonic().
    """

    def __init__(self, api: ApiClient, events: EventRecorder, folder: Path) -> None:
        self._api, self._events, self._folder = api, events, folder
        # An existing folder was written by a former agent.
        self.mounted = folder.is_dir()
        self.retry_at = 0.0
        self._retry_seconds = RETRY_SECONDS
        self._tokens: list[tuple[Path, TokenProjection]] = []
        # A former agent's tokens are renewed at once, because their age is unknown.
        self._renew_at = 0.0 if self.mounted else float("inf")

    async def mount(self, pod: Json) -> None:
        """Write the volumes if that is due; record an event if it is not possible.

        Raises:
            ApiError: The next call retries.
            UnreachableError: The next call retries.
        """
        now = time.monotonic()
        if self.mounted or now < self.retry_at:
            return
        partial = self._folder.with_name(self._folder.name + PARTIAL_SUFFIX)
        try:
            tokens = await write_volumes(self._api, pod, partial / "volumes")
        except MountError as error:
            self._events.record(pod, "FailedMount", str(error), warning=True)
            self.retry_at = now + self._retry_seconds
            self._retry_seconds = min(self._retry_seconds * 2, RETRY_LIMIT_SECONDS)
            return
        partial.mkdir(parents=True, exist_ok=True)
        partial.rename(self._folder)
        self._tokens = [
            (self._folder / path.relative_to(partial), projection) for path, projection in tokens
        ]
        self._schedule_renewal()
        self.mounted = True

    async def renew(self, pod: Json) -> None:
        """Renew the tokens that are about to expire.

        Args:
            pod: The pod, whose volumes are written.

        Raises:
            ApiError: The next call retries.
            UnreachableError: The next call retries.
        """
        if time.monotonic() < self._renew_at:
            return
        try:
            if self._tokens:
                for path, projection in self._tokens:
                    write_file(path, await fetch_token(self._api, pod, projection), 0o600)
            else:
                self._tokens = await write_volumes(self._api, pod, self._folder / "volumes")
        except MountError as error:
            # Its ConfigMap or ServiceAccount was deleted; the pod keeps the old files.
            self._events.record(pod, "FailedMount", str(error), warning=True)
            self._renew_at = time.monotonic() + 60
            return
        self._schedule_renewal()

    def _schedule_renewal(self) -> None:
        lifetimes = [projection.expiration_seconds for _, projection in self._tokens]
        seconds = TOKEN_RENEWAL_SHARE * min(lifetimes) if lifetimes else float("inf")
        self._renew_at = time.monotonic() + seconds
