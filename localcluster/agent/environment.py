"""The environment and the command line of a container.

ConfigMaps and Secrets are passed in by the caller, so nothing here uses the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from localcluster.agent.container_errors import ConfigError
from localcluster.agent.expansion import expand
from localcluster.agent.fields import field_value, resource_value
from localcluster.agent.images import Image
from localcluster.agent.path_rewrite import rewrite_arguments, rewrite_paths

__all__ = [
    "LocalEnvironment",
    "ObjectLookup",
    "command_line",
    "container_environment",
    "environment_objects",
]

# The default of Docker and containerd for an image that sets none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ObjectLookup(Protocol):
    """ConfigMaps and Secrets of the pod's namespace, fetched beforehand."""

    def get(self, kind: str, name: str) -> Mapping[str, str] | None:
        """Return the text of each key; None when the object does not exist."""


@dataclass(frozen=True)
class LocalEnvironment:
    """What this machine provides to a container.

    Attributes:
        paths: Path in the container -> path on this machine, for mounts, the image's files and
            /tmp.
        home: The default of HOME.
        temp_folder: The TMPDIR.
        apiserver_host: The KUBERNETES_SERVICE_HOST.
        apiserver_port: The KUBERNETES_SERVICE_PORT.
        addresses: The podIP and hostIP.
        capacity: The capacity of the node, by resource.
    """

    paths: Mapping[str, str]
    home: str
    temp_folder: str
    apiserver_host: str
    apiserver_port: str
    addresses: Mapping[str, str]
    capacity: Mapping[str, str]


def environment_objects(container: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the ConfigMaps and Secrets that the environment refers to, as (kind, name).

    Args:
        container: The container as in the pod's spec.
    """
    objects = set()
    for entry in container.get("env") or []:
        source = entry.get("valueFrom") or {}
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if field in source:
                objects.add((kind, source[field]["name"]))
    for entry in container.get("envFrom") or []:
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if field in entry:
                objects.add((kind, entry[field]["name"]))
    return objects


def _key_value(
    kind: str, reference: Mapping[str, Any], lookup: ObjectLookup, namespace: str
) -> str | None:
    data = lookup.get(kind, reference["name"])
    optional = bool(reference.get("optional"))
    if data is None:
        if optional:
            return None
        raise ConfigError(f'{kind.lower()} "{reference["name"]}" not found')
    if reference["key"] not in data:
        if optional:
            return None
        raise ConfigError(
            f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
        )
    return data[reference["key"]]


def _variable(
    entry: Mapping[str, Any],
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    local: LocalEnvironment,
    lookup: ObjectLookup,
    known: Mapping[str, str],
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value", "")), known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], local.addresses)
    if "resourceFieldRef" in source:
        reference = source["resourceFieldRef"]
        divisor = str(reference.get("divisor", "1"))
        return resource_value(container, reference["resource"], divisor, local.capacity)
    namespace = pod["metadata"]["namespace"]
    if "configMapKeyRef" in source:
        return _key_value("ConfigMap", source["configMapKeyRef"], lookup, namespace)
    if "secretKeyRef" in source:
        return _key_value("Secret", source["secretKeyRef"], lookup, namespace)
    raise ConfigError(f"env {entry['name']}: unsupported valueFrom")


def container_environment(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    local: LocalEnvironment,
    lookup: ObjectLookup,
) -> dict[str, str]:
    """Return the environment variables of a container, with paths of this machine.

    Args:
        pod: The pod.
        container: The container as in the pod's spec.
        local: What this machine provides.
        lookup: The objects that `environment_objects` returned.

    Raises:
        ConfigError: The environment refers to an object or field that does not exist.
    """
    # Nothing of this machine's environment is inherited, such as proxies or credentials.
    base = {
        "PATH": DEFAULT_PATH,
        "HOME": local.home,
        "TMPDIR": local.temp_folder,
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": local.apiserver_host,
        "KUBERNETES_SERVICE_PORT": local.apiserver_port,
        "KUBERNETES_SERVICE_PORT_HTTPS": local.apiserver_port,
    }
    variables: dict[str, str] = {}
    for entry in container.get("envFrom") or []:
        kind, field = (
            ("ConfigMap", "configMapRef") if "configMapRef" in entry else ("Secret", "secretRef")
        )
        data = lookup.get(kind, entry[field]["name"])
        if data is None and not entry[field].get("optional"):
            raise ConfigError(f'{kind.lower()} "{entry[field]["name"]}" not found')
        prefix = entry.get("prefix", "")
        variables |= {prefix + key: value for key, value in (data or {}).items()}
    for entry in container.get("env") or []:
        value = _variable(entry, pod, container, local, lookup, base | variables)
        if value is not None:
            variables[entry["name"]] = value
    return base | {name: rewrite_paths(value, local.paths) for name, value in variables.items()}


def command_line(
    container: Mapping[str, Any],
    image: Image,
    local: LocalEnvironment,
    variables: Mapping[str, str],
) -> list[str]:
    """Return command and args, expanded and with paths of this machine.

    Args:
        container: The container as in the pod's spec.
        image: Without ENTRYPOINT and CMD.
        local: What this machine provides.
        variables: The container's environment.

    Raises:
        ConfigError: There is neither a command nor args.
    """
    arguments = [*(container.get("command") or []), *(container.get("args") or [])]
    if not arguments:
        raise ConfigError(f"no command specified: image {image.name} has no entrypoint")
    return rewrite_arguments([expand(argument, variables) for argument in arguments], local.paths)
