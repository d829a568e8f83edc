"""The files in a pod's volumes, and the local paths of its mounts.

ConfigMaps and Secrets are passed in by the caller; nothing here uses the network or the disk.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcluster.agent.container_errors import ConfigError, MountError
from localcluster.agent.environment import ObjectLookup
from localcluster.agent.fields import field_value

__all__ = [
    "TOKEN_MOUNT",
    "TokenProjection",
    "VolumeFiles",
    "decode_object",
    "mount_paths",
    "volume_files",
    "volume_objects",
]

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  # a path


@dataclass(frozen=True)
class TokenProjection:
    """A ServiceAccount token in a volume, which has to be requested and renewed."""

    path: str
    audience: str
    expiration_seconds: int


@dataclass(frozen=True)
class VolumeFiles:
    """The content of a volume: relative path -> text, and tokens that have yet to be requested."""

    files: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[TokenProjection, ...] = ()


def decode_object(kind: str, raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each key of a ConfigMap or Secret, with surrogateescape for other bytes.

    Args:
        kind: ConfigMap or Secret.
        raw: As the apiserver returns it.
    """

    def text(value: str) -> str:
        return base64.b64decode(value).decode(errors="surrogateescape")

    if kind == "Secret":
        return {key: text(value) for key, value in (raw.get("data") or {}).items()}
    binary = {key: text(value) for key, value in (raw.get("binaryData") or {}).items()}
    return dict(raw.get("data") or {}) | binary


def _sources(volume: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    if "projected" in volume:
        return [next(iter(source.items())) for source in volume["projected"].get("sources") or []]
    return [(key, value) for key, value in volume.items() if key != "name"]


def _object_name(kind: str, source: Mapping[str, Any]) -> str:
    return str(source.get("secretName") or source["name"]) if kind == "secret" else source["name"]


def volume_objects(pod: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the ConfigMaps and Secrets that the volumes refer to, as (kind, name)."""
    kinds = {"configMap": "ConfigMap", "secret": "Secret"}
    return {
        (kinds[kind], _object_name(kind, source))
        for volume in pod["spec"].get("volumes") or []
        for kind, source in _sources(volume)
        if kind in kinds
    }


def _object_files(kind: str, source: Mapping[str, Any], lookup: ObjectLookup) -> dict[str, str]:
    name = _object_name(kind, source)
    data = lookup.get("Secret" if kind == "secret" else "ConfigMap", name)
    if data is None:
        if source.get("optional"):
            return {}
        raise MountError(f'{kind.lower()} "{name}" not found')
    items = source.get("items")
    if not items:
        return dict(data)
    files = {}
    for item in items:
        if item["key"] in data:
            files[item["path"]] = data[item["key"]]
        elif not source.get("optional"):
            raise MountError(f"{kind.lower()} references non-existent config key: {item['key']}")
    return files


def volume_files(
    pod: Mapping[str, Any],
    volume: Mapping[str, Any],
    lookup: ObjectLookup,
    addresses: Mapping[str, str],
) -> VolumeFiles:
    """Return the content of a volume.

    Args:
        pod: The pod.
        volume: The volume as in the pod's spec.
        lookup: The objects that `volume_objects` returned.
        addresses: The podIP and hostIP.

    Raises:
        MountError: An object or key does not exist, or the type of volume is not supported.
    """
    files: dict[str, str] = {}
    tokens: list[TokenProjection] = []
    for kind, source in _sources(volume):
        if kind in {"configMap", "secret"}:
            files |= _object_files(kind, source, lookup)
        elif kind == "downwardAPI":
            for item in source.get("items") or []:
                if "fieldRef" not in item:
                    raise MountError(f"downwardAPI item {item['path']}: only fieldRef is supported")
                path = item["fieldRef"]["fieldPath"]
                try:
                    files[item["path"]] = field_value(pod, path, addresses)
                except ConfigError as error:
                    raise MountError(str(error)) from error
        elif kind == "serviceAccountToken":
            seconds = int(source.get("expirationSeconds") or 3600)
            tokens.append(TokenProjection(source["path"], source.get("audience", ""), seconds))
        elif kind != "emptyDir":
            raise MountError(f"process hosts do not support volumes of type {kind}")
    return VolumeFiles(files, tuple(tokens))


def mount_paths(container: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, str]:
    """Return the local path of each mount of a container, by its path in the container.

    Args:
        container: The container as in the pod's spec.
        folders: The local folder of each volume, by the volume's name.
    """
    return {
        mount["mountPath"].rstrip("/"): "/".join(
            part for part in (folders[mount["name"]], mount.get("subPath", "")) if part
        )
        for mount in container.get("volumeMounts") or []
    }
