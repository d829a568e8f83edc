"""Reads load profiles from ConfigMaps of the cluster: `configmap:///namespace/name`.

It must not reach the cluster itself: a ConfigMapReader does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mrunners.errors import InvalidInputError
from mrunners.names import dns_label_problem, dns_subdomain_problem
from mrunners.profiles.sources.protocol import SourceContext
from mrunners.profiles.yaml_strict import MAX_PROFILE_BYTES
from mrunners.text import listed, printable

__all__ = ["PROFILE_KEY", "ConfigMapSource"]

# The key that kperf's own runner groups use, and the file name that the Job mounts.
PROFILE_KEY: Final = "load_profile.yaml"
_KEYS_NAMED: Final = 10


class ConfigMapSource:
    """Load profiles in ConfigMaps."""

    scheme = "configmap"

    def path_problems(self, path: str) -> list[str]:
        """Exactly /namespace/name, both well-formed.

        Args:
            path: absolute, percent-decoded.
        Returns: one line per mistake.
        """
        parts = path.split("/")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            return ["the path must be /namespace/name: configmap:///namespace/name"]
        problems = []
        if problem := dns_label_problem(parts[1]):
            problems.append(f"the namespace {problem}")
        if problem := dns_subdomain_problem(parts[2]):
            problems.append(f"the ConfigMap's name {problem}")
        return problems

    def load(self, path: str, context: SourceContext) -> bytes:
        """Read the key `load_profile.yaml`, else the only key.

        Args:
            path: /namespace/name.
            context: with a ConfigMapReader.
        Returns: the value in UTF-8.

        Raises:
            InvalidInputError: no cluster, no such ConfigMap, no or several keys, empty, too large.
            ClusterError: the reader's.
        """
        _, namespace, name = path.split("/")
        if context.config_maps is None:
            raise InvalidInputError(
                "a configmap: URI needs a cluster, and there is none here; use file:///…"
            )
        values = context.config_maps.config_map_data(namespace, name)
        place = f"ConfigMap {namespace}/{name}"
        if values is None:
            raise InvalidInputError(f"{place} does not exist")
        if not values:
            raise InvalidInputError(f"{place} has no keys; put the profile under '{PROFILE_KEY}'")
        key = PROFILE_KEY if PROFILE_KEY in values else next(iter(values))
        if key != PROFILE_KEY and len(values) > 1:
            raise InvalidInputError(
                f"{place} has no key '{PROFILE_KEY}' and several others ({_names(values)}); "
                f"name one of them '{PROFILE_KEY}'"
            )
        content = values[key].encode("utf-8", "surrogatepass")
        if not content:
            raise InvalidInputError(f"{place}: the key '{printable(key, 100)}' is empty")
        if len(content) > MAX_PROFILE_BYTES:
            raise InvalidInputError(
                f"{place}: the key '{printable(key, 100)}' is larger than "
                f"{MAX_PROFILE_BYTES // 1024} KiB"
            )
        return content


def _names(keys: Iterable[str]) -> str:
    return listed([printable(key, 100) for key in sorted(keys)], _KEYS_NAMED)
