"""Protocols between the sources, the code that loads profiles from them, and a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ConfigMapReader", "ProfileSource", "SourceContext"]


class ConfigMapReader(Protocol):
    """What a source needs from a cluster."""

    def config_map_data(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Read the `data` of a ConfigMap.

        Returns:
            The data, empty when the ConfigMap has none; None when the ConfigMap does not exist.

        Raises:
            ClusterError: The request failed.
        """
        ...


@dataclass(frozen=True)
class SourceContext:
    """What a source may use besides the path.

    Attributes:
        config_maps: None where no cluster is available; then `configmap:` URIs are refused.
    """

    config_maps: ConfigMapReader | None = None


class ProfileSource(Protocol):
    """Where the load profiles of one URI scheme come from."""

    @property
    def scheme(self) -> str:
        """The URI scheme, in lowercase."""
        ...

    def path_problems(self, path: str) -> list[str]:
        """Return what is wrong with the form of a path, without reading anything.

        Args:
            path: Absolute, percent-decoded.

        Returns:
            One line per problem; empty when the path is valid.
        """
        ...

    def load(self, path: str, context: SourceContext) -> bytes:
        """Read a load profile.

        Args:
            path: One without `path_problems`.
            context: What the source may use.

        Returns:
            At least 1 byte, at most `MAX_PROFILE_BYTES`.

        Raises:
            InvalidInputError: There is nothing usable at this path; one line per problem.
            ClusterError: A request to the cluster failed.
        """
        ...
