"""Fetch what a pod refers to and write its volumes; it must not start anything."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from localcluster.agent.api import Api, ApiError, Json
from localcluster.agent.problems import MountError
from localcluster.agent.status import ADDRESSES
from localcluster.agent.volumes import (
    TokenWish,
    VolumeFiles,
    decode_object,
    volume_files,
    volume_objects,
)

__all__ = ["Fetched", "fetch_objects", "fetch_token", "write_file", "write_volumes"]


class Fetched:
    """ConfigMaps and Secrets as they were a moment ago."""

    def __init__(self, objects: Mapping[tuple[str, str], Mapping[str, str] | None]) -> None:
        self._objects = objects

    def get(self, kind: str, name: str) -> Mapping[str, str] | None:
        """The text of each key; None when there is no such object.

        Args:
            kind: ConfigMap or Secret.
            name: in the pod's namespace.
        """
        return self._objects.get((kind, name))


async def fetch_objects(api: Api, namespace: str, wanted: Iterable[tuple[str, str]]) -> Fetched:
    """Get the ConfigMaps and Secrets that are there.

    Args:
        api: the apiserver.
        namespace: of the pod.
        wanted: as (kind, name).
    Raises: ApiError, Unreachable: but not for what is missing.
    """
    objects: dict[tuple[str, str], Mapping[str, str] | None] = {}
    for kind, name in wanted:
        path = f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{quote(name)}"
        try:
            objects[kind, name] = decode_object(kind, await api.call("GET", path))
        except ApiError as error:
            if error.status != 404:
                raise
            objects[kind, name] = None
    return Fetched(objects)


async def fetch_token(api: Api, pod: Json, wish: TokenWish) -> str:
    """A token of the pod's ServiceAccount that ends with the pod.

    Args:
        api: the apiserver.
        pod: whom it is bound to.
        wish: audience and lifetime.
    Raises: MountError: the apiserver gives none.
    """
    metadata = pod["metadata"]
    account = pod["spec"].get("serviceAccountName") or "default"
    spec = {
        "expirationSeconds": wish.expiration_seconds,
        "audiences": [wish.audience] if wish.audience else [],
        "boundObjectRef": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{quote(account)}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        answer = await api.call("POST", path, body)
    except ApiError as error:
        raise MountError(f"failed to fetch token: {error.message}") from error
    return str(answer["status"]["token"])


def write_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file of a volume all at once, so that no reader sees half of a renewed token.

    Args:
        path: the file; its folders are made.
        text: with surrogateescape for bytes.
        mode: its permissions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
    scratch.replace(path)


async def write_volumes(api: Api, pod: Json, folder: Path) -> list[tuple[Path, TokenWish]]:
    """Write every volume of a pod into a folder of its own.

    Args:
        api: the apiserver.
        pod: the pod.
        folder: gets one folder per volume.
    Returns: the tokens that have to be renewed, and where.
    Raises: MountError: with the name of the volume. ApiError, Unreachable: try again.
    """
    objects = await fetch_objects(api, pod["metadata"]["namespace"], volume_objects(pod))
    tokens = []
    for volume in pod["spec"].get("volumes") or []:
        place = folder / volume["name"]
        try:
            held: VolumeFiles = volume_files(pod, volume, objects, ADDRESSES)
            place.mkdir(parents=True, exist_ok=True)
            for name, text in held.files.items():
                write_file(place / name, text)
            for wish in held.tokens:
                write_file(place / wish.path, await fetch_token(api, pod, wish), 0o600)
                tokens.append((place / wish.path, wish))
        except MountError as error:
            raise MountError(
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
            ) from error
    return tokens
