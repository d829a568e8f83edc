"""Reads load profiles from ConfigMaps: `configmap:///namespace/name`."""

from __future__ import annotations

from typing import Final

from mrunners.errors import InvalidInputError
from mrunners.names import dns_label_problem, dns_subdomain_problem
from mrunners.profiles.sources.protocol import SourceContext
from mrunners.profiles.yaml_strict import MAX_PROFILE_BYTES
from mrunners.text import listed, printable

__all__ = ["PROFILE_KEY", "ConfigMapSource"]

# The key that kperf's own runner groups use, and the file name that the Job mounts.
PROFILE_KEY: Final = "load_profile.yaml"
_MAX_KEYS_SHOWN: Final = 10
_KEY_CHARACTERS: Final = 40


class ConfigMapSource:
    """Load profiles in ConfigMaps."""

    scheme = "configmap"

    def path_problems(self, path: str) -> list[str]:
        """Return why a path is not `/namespace/name`, one line per problem."""
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
        """Read the key `load_profile.yaml`, or the only key.

        Args:
            path: `/namespace/name`.
            context: With a ConfigMapReader.

        Returns:
            The value in UTF-8.

        Raises:
            InvalidInputError: No cluster is available, the ConfigMap does not exist, it has no key
                or several, or the value is empty or too large.
            ClusterError: The request failed.
        """
        _, namespace, name = path.split("/")
        if context.config_maps is None:
            raise InvalidInputError(
                "a configmap: URI needs a cluster, and none is available here; use a file: URI"
            )
        data = context.config_maps.config_map_data(namespace, name)
        config_map = f"ConfigMap {namespace}/{name}"
        if data is None:
            raise InvalidInputError(f"{config_map} does not exist")
        if not data:
            raise InvalidInputError(
                f"{config_map} has no keys; store the profile under the key '{PROFILE_KEY}'"
            )
        key = PROFILE_KEY if PROFILE_KEY in data else next(iter(data))
        if key != PROFILE_KEY and len(data) > 1:
            keys = listed(
                [printable(key, _KEY_CHARACTERS) for key in sorted(data)], _MAX_KEYS_SHOWN
            )
            raise InvalidInputError(
                f"{config_map} has several keys ({keys}), and none is '{PROFILE_KEY}'; "
                "rename the profile's key to that"
            )
        content = data[key].encode("utf-8", "surrogatepass")
        if not content:
            raise InvalidInputError(
                f"{config_map}: the key '{printable(key, _KEY_CHARACTERS)}' is empty"
            )
        if len(content) > MAX_PROFILE_BYTES:
            raise InvalidInputError(
                f"{config_map}: the key '{printable(key, _KEY_CHARACTERS)}' is larger than "
                f"{MAX_PROFILE_BYTES // 1024} KiB"
            )
        return content
