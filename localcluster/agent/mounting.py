"""Fetch what a pod's volumes refer to, and write the volumes to disk."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from localcluster.agent.api import ApiClient, ApiError, Json
from localcluster.agent.container_errors import MountError
from localcluster.agent.status import ADDRESSES
from localcluster.agent.volumes import (
    TokenProjection,
    decode_object,
    volume_files,
    volume_objects,
)

__all__ = ["FetchedObjects", "fetch_objects", "fetch_token", "write_file", "write_volumes"]


class FetchedObjects:
    """ConfigMaps and Secrets as they were when they were fetched."""

    def __init__(self, objects: Mapping[tuple[str, str], Mapping[str, str] | None]) -> None:
        self._objects = objects

    def get(self, kind: str, name: str) -> Mapping[str, str] | None:
        """Return the text of each key; None when the object does not exist.

        Args:
            kind: ConfigMap or Secret.
            name: In the pod's namespace.
        """
        return self._objects.get((kind, name))


async def fetch_objects(
    api: ApiClient, namespace: str, references: Iterable[tuple[str, str]]
) -> FetchedObjects:
    """Fetch ConfigMaps and Secrets; that one does not exist is not an error.

    Args:
        api: The client of the apiserver.
        namespace: The pod's namespace.
        references: As (kind, name).

    Raises:
        ApiError: An error other than 404.
        UnreachableError: The apiserver did not answer.
    """
    objects: dict[tuple[str, str], Mapping[str, str] | None] = {}
    for kind, name in references:
        path = f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{quote(name)}"
        try:
            objects[kind, name] = decode_object(kind, await api.call("GET", path))
        except ApiError as error:
            if error.status != 404:
                raise
            objects[kind, name] = None
    return FetchedObjects(objects)


async def fetch_token(api: ApiClient, pod: Json, projection: TokenProjection) -> str:
    """Request a token of the pod's ServiceAccount that is bound to the pod.

    Args:
        api: The client of the apiserver.
        pod: The pod.
        projection: The audience and the lifetime.

    Raises:
        MountError: The apiserver refused.
        UnreachableError: The apiserver did not answer.
    """
    metadata = pod["metadata"]
    account = pod["spec"].get("serviceAccountName") or "default"
    spec = {
        "expirationSeconds": projection.expiration_seconds,
        "audiences": [projection.audience] if projection.audience else [],
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
        response = await api.call("POST", path, body)
    except ApiError as error:
        raise MountError(f"failed to fetch token: {error.message}") from error
    return str(response["status"]["token"])


def write_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file of a volume atomically: no reader sees a part of a renewed token.

    Args:
        path: The file; its folders are created.
        text: The content, with surrogateescape for bytes that are not UTF-8.
        mode: The permissions of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temp_file = path.with_name(f".{path.name}.new")
    handle = os.open(temp_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
    temp_file.replace(path)


async def write_volumes(
    api: ApiClient, pod: Json, folder: Path
) -> list[tuple[Path, TokenProjection]]:
    """Write every volume of a pod into its own folder.

    Args:
        api: The client of the apiserver.
        pod: The pod.
        folder: The parent of the volumes' folders.

    Returns:
        The path of each token that has to be renewed, with its projection.

    Raises:
        MountError: A volume is not available; the message names it.
        ApiError: An object could not be read.
        UnreachableError: The apiserver did not answer.
    """
    objects = await fetch_objects(api, pod["metadata"]["namespace"], volume_objects(pod))
    tokens = []
    for volume in pod["spec"].get("volumes") or []:
        volume_folder = folder / volume["name"]
        try:
            content = volume_files(pod, volume, objects, ADDRESSES)
            volume_folder.mkdir(parents=True, exist_ok=True)
            for name, text in content.files.items():
                write_file(volume_folder / name, text)
            for projection in content.tokens:
                write_file(
                    volume_folder / projection.path, await fetch_token(api, pod, projection), 0o600
                )
                tokens.append((volume_folder / projection.path, projection))
        except MountError as error:
            raise MountError(
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
            ) from error
    return tokens
