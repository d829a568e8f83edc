"""Which files a pod's volumes hold, and where its mounts are; it must not write them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcluster.agent.environment import Lookup
from localcluster.agent.fields import field_value
from localcluster.agent.problems import ConfigError, MountError

__all__ = [
    "TOKEN_MOUNT",
    "TokenWish",
    "VolumeFiles",
    "decode_object",
    "mount_places",
    "volume_files",
    "volume_objects",
]

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  # a path


@dataclass(frozen=True)
class TokenWish:
    """A ServiceAccount token that has to be asked for and renewed."""

    path: str
    audience: str
    expiration_seconds: int


@dataclass(frozen=True)
class VolumeFiles:
    """What one volume holds: relative path -> content, and tokens yet to be fetched."""

    files: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[TokenWish, ...] = ()


def decode_object(kind: str, raw: Mapping[str, Any]) -> dict[str, str]:
    """The text of each key of a ConfigMap or Secret; bytes are kept by surrogateescape.

    Args:
        kind: ConfigMap or Secret.
        raw: as the apiserver gives it.
    """

    def text(value: str) -> str:
        return base64.b64decode(value).decode(errors="surrogateescape")

    if kind == "Secret":
        return {key: text(value) for key, value in (raw.get("data") or {}).items()}
    binary = {key: text(value) for key, value in (raw.get("binaryData") or {}).items()}
    return dict(raw.get("data") or {}) | binary


def _sources(volume: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    if "projected" in volume:
        return [next(iter(one.items())) for one in volume["projected"].get("sources") or []]
    return [(key, value) for key, value in volume.items() if key != "name"]


def _name(kind: str, source: Mapping[str, Any]) -> str:
    return str(source.get("secretName") or source["name"]) if kind == "secret" else source["name"]


def volume_objects(pod: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Which ConfigMaps and Secrets the volumes refer to, as (kind, name).

    Args:
        pod: the pod.
    """
    kinds = {"configMap": "ConfigMap", "secret": "Secret"}
    return {
        (kinds[kind], _name(kind, source))
        for volume in pod["spec"].get("volumes") or []
        for kind, source in _sources(volume)
        if kind in kinds
    }


def _from_object(kind: str, source: Mapping[str, Any], lookup: Lookup) -> dict[str, str]:
    name = _name(kind, source)
    found = lookup.get("Secret" if kind == "secret" else "ConfigMap", name)
    if found is None:
        if source.get("optional"):
            return {}
        raise MountError(f'{kind.lower()} "{name}" not found')
    items = source.get("items")
    if not items:
        return dict(found)
    files = {}
    for item in items:
        if item["key"] in found:
            files[item["path"]] = found[item["key"]]
        elif not source.get("optional"):
            raise MountError(f"{kind.lower()} references non-existent config key: {item['key']}")
    return files


def volume_files(
    pod: Mapping[str, Any], volume: Mapping[str, Any], lookup: Lookup, addresses: Mapping[str, str]
) -> VolumeFiles:
    """What a volume holds.

    Args:
        pod: the pod.
        volume: one of its spec.
        lookup: the objects that `volume_objects` named.
        addresses: podIP and hostIP.
    Raises: MountError: something is missing, or the kind of volume is not known here.
    """
    files: dict[str, str] = {}
    tokens: list[TokenWish] = []
    for kind, source in _sources(volume):
        if kind in {"configMap", "secret"}:
            files |= _from_object(kind, source, lookup)
        elif kind == "downwardAPI":
            for item in source.get("items") or []:
                if "fieldRef" not in item:
                    raise MountError(f"downwardAPI item {item['path']}: only fieldRef is known")
                path = item["fieldRef"]["fieldPath"]
                try:
                    files[item["path"]] = field_value(pod, path, addresses)
                except ConfigError as error:
                    raise MountError(str(error)) from error
        elif kind == "serviceAccountToken":
            seconds = int(source.get("expirationSeconds") or 3600)
            tokens.append(TokenWish(source["path"], source.get("audience", ""), seconds))
        elif kind != "emptyDir":
            raise MountError(f"volume type {kind} is not known to process hosts")
    return VolumeFiles(files, tuple(tokens))


def mount_places(container: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, str]:
    """Where each mount of a container is on this machine.

    Args:
        container: as in the pod's spec.
        folders: volume name -> its folder here.
    """
    return {
        mount["mountPath"].rstrip("/"): "/".join(
            part for part in (folders[mount["name"]], mount.get("subPath", "")) if part
        )
        for mount in container.get("volumeMounts") or []
    }
