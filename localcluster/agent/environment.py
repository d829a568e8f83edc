"""The environment and the words of a container; it must not fetch: what it needs is passed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from localcluster.agent.expansion import expand
from localcluster.agent.fields import field_value, resource_value
from localcluster.agent.images import Image
from localcluster.agent.path_rewrite import replace_paths, replace_words
from localcluster.agent.problems import ConfigError

__all__ = ["Lookup", "Place", "command_words", "container_environment", "needed_objects"]

# What Docker and containerd set where an image names none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Lookup(Protocol):
    """ConfigMaps and Secrets of the pod's namespace, fetched before."""

    def get(self, kind: str, name: str) -> Mapping[str, str] | None:
        """The text of each key; None when there is no such object."""


@dataclass(frozen=True)
class Place:
    """Where a container runs, as it sees it and as it is."""

    # Path in the container -> path here: mounts, files of the image, its own /tmp.
    paths: Mapping[str, str]
    home: str
    scratch: str
    apiserver_host: str
    apiserver_port: str
    addresses: Mapping[str, str]
    capacity: Mapping[str, str]


def needed_objects(container: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Which ConfigMaps and Secrets the environment refers to, as (kind, name).

    Args:
        container: as in the pod's spec.
    """
    needed = set()
    for entry in container.get("env") or []:
        source = entry.get("valueFrom") or {}
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if field in source:
                needed.add((kind, source[field]["name"]))
    for entry in container.get("envFrom") or []:
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if field in entry:
                needed.add((kind, entry[field]["name"]))
    return needed


def _keyed(kind: str, reference: Mapping[str, Any], lookup: Lookup, namespace: str) -> str | None:
    found = lookup.get(kind, reference["name"])
    optional = bool(reference.get("optional"))
    if found is None:
        if optional:
            return None
        raise ConfigError(f'{kind.lower()} "{reference["name"]}" not found')
    if reference["key"] not in found:
        if optional:
            return None
        raise ConfigError(
            f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
        )
    return found[reference["key"]]


def _variable(
    entry: Mapping[str, Any],
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    place: Place,
    lookup: Lookup,
    known: Mapping[str, str],
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value", "")), known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], place.addresses)
    if "resourceFieldRef" in source:
        asked = source["resourceFieldRef"]
        divisor = str(asked.get("divisor", "1"))
        return resource_value(container, asked["resource"], divisor, place.capacity)
    namespace = pod["metadata"]["namespace"]
    if "configMapKeyRef" in source:
        return _keyed("ConfigMap", source["configMapKeyRef"], lookup, namespace)
    if "secretKeyRef" in source:
        return _keyed("Secret", source["secretKeyRef"], lookup, namespace)
    raise ConfigError(f"env {entry['name']}: unsupported valueFrom")


def container_environment(
    pod: Mapping[str, Any], container: Mapping[str, Any], place: Place, lookup: Lookup
) -> dict[str, str]:
    """The variables as the container would see them, but with paths of this machine.

    Args:
        pod: the pod.
        container: as in its spec.
        place: where it runs.
        lookup: the objects that `needed_objects` named.
    Raises: ConfigError: something that the environment needs is not there.
    """
    # Nothing is inherited from this machine: neither proxies nor credentials.
    own = {
        "PATH": DEFAULT_PATH,
        "HOME": place.home,
        "TMPDIR": place.scratch,
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": place.apiserver_host,
        "KUBERNETES_SERVICE_PORT": place.apiserver_port,
        "KUBERNETES_SERVICE_PORT_HTTPS": place.apiserver_port,
    }
    asked: dict[str, str] = {}
    for entry in container.get("envFrom") or []:
        kind, field = (
            ("ConfigMap", "configMapRef") if "configMapRef" in entry else ("Secret", "secretRef")
        )
        found = lookup.get(kind, entry[field]["name"])
        if found is None and not entry[field].get("optional"):
            raise ConfigError(f'{kind.lower()} "{entry[field]["name"]}" not found')
        prefix = entry.get("prefix", "")
        asked |= {prefix + key: value for key, value in (found or {}).items()}
    for entry in container.get("env") or []:
        value = _variable(entry, pod, container, place, lookup, own | asked)
        if value is not None:
            asked[entry["name"]] = value
    return own | {name: replace_paths(value, place.paths) for name, value in asked.items()}


def command_words(
    container: Mapping[str, Any], image: Image, place: Place, variables: Mapping[str, str]
) -> list[str]:
    """What to execute: command, then args, expanded and with paths of this machine.

    Args:
        container: as in the pod's spec.
        image: its image, which has neither ENTRYPOINT nor CMD.
        place: where it runs.
        variables: its environment.
    Raises: ConfigError: neither command nor args.
    """
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    if not words:
        raise ConfigError(f"no command specified: image {image.name} has no entrypoint")
    return replace_words([expand(word, variables) for word in words], place.paths)
