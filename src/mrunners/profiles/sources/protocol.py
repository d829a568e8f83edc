"""The Protocols between a scheme's source, the code that loads from it, and a cluster.

It must not know any scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ConfigMapReader", "ProfileSource", "SourceContext"]


class ConfigMapReader(Protocol):
    """What a source needs of a cluster."""

    def config_map_data(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """The `data` of a ConfigMap.

        Args:
            namespace: where it is.
            name: what it is called.
        Returns: the data, empty when it has none; None when there is no such ConfigMap.
        Raises: ClusterError: the cluster cannot be asked, or refuses.
        """
        ...


@dataclass(frozen=True)
class SourceContext:
    """The world that a source may look at.

    Attributes:
        config_maps: None where no cluster is at hand; then a `configmap:` URI is a mistake.
    """

    config_maps: ConfigMapReader | None = None


class ProfileSource(Protocol):
    """Where load profiles of one URI scheme come from."""

    @property
    def scheme(self) -> str:
        """In lowercase, as in the URI."""
        ...

    def path_problems(self, path: str) -> list[str]:
        """What is wrong with the form of a path, without looking at anything.

        Args:
            path: absolute, percent-decoded.
        Returns: one line per mistake; empty when the path is good.
        """
        ...

    def load(self, path: str, context: SourceContext) -> bytes:
        """The bytes of the load profile.

        Args:
            path: one that `path_problems` found good.
            context: the world.
        Returns: at least 1 byte, at most `MAX_PROFILE_BYTES`.

        Raises:
            InvalidInputError: nothing usable is there; one line per mistake.
            ClusterError: the cluster cannot be asked, or refuses.
        """
        ...
