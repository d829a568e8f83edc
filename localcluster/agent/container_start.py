"""Prepare and start one container in its folder; it must not decide when, or look at others."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from localcluster.agent.api import Json
from localcluster.agent.context import CAPACITY, Ground
from localcluster.agent.environment import (
    Place,
    command_words,
    container_environment,
    needed_objects,
)
from localcluster.agent.images import Image
from localcluster.agent.mounting import fetch_objects, write_file
from localcluster.agent.path_rewrite import replace_paths
from localcluster.agent.problems import ConfigError, StartError
from localcluster.agent.process import ContainerProcess
from localcluster.agent.security import check_user
from localcluster.agent.status import ADDRESSES
from localcluster.agent.volumes import TOKEN_MOUNT, mount_places

__all__ = ["start_container"]

TEMPORARY = "/tmp"  # noqa: S108  # in the container; here it is a folder of its own


def _place(ground: Ground, container: Json, image: Image, volumes: Path, folder: Path) -> Place:
    home, scratch = folder / "home", folder / "tmp"
    for own in (home, scratch):
        own.mkdir(parents=True, exist_ok=True)
    folders = {path.name: str(path) for path in volumes.iterdir()} if volumes.is_dir() else {}
    mounts = mount_places(container, folders)
    for mount in container.get("volumeMounts") or []:
        place = Path(mounts[mount["mountPath"].rstrip("/")])
        if mount.get("subPath") and not place.exists():
            place.mkdir(parents=True)  # as the kubelet does
    # A container has a /tmp of its own even where nothing is mounted there.
    paths = {TEMPORARY: str(scratch)} | dict(image.files) | mounts
    host, port = ground.apiserver
    return Place(paths, str(home), paths[TEMPORARY], host, port, ADDRESSES, CAPACITY)


def _write_kubeconfig(server: str, secrets: Path, home: Path) -> None:
    """What in-cluster credentials would be; kperf reads it when no --kubeconfig is given."""
    namespace = (secrets / "namespace").read_text()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "clusters": [
            {
                "name": "pod",
                "cluster": {"server": server, "certificate-authority": str(secrets / "ca.crt")},
            }
        ],
        # A file and not the token itself: clients read a renewed one by themselves.
        "users": [{"name": "pod", "user": {"tokenFile": str(secrets / "token")}}],
        "contexts": [
            {"name": "pod", "context": {"cluster": "pod", "user": "pod", "namespace": namespace}}
        ],
    }
    write_file(home / ".kube" / "config", yaml.safe_dump(document), 0o600)


def _program(words: list[str], asked: str, variables: Mapping[str, str], working: Path) -> str:
    """The file to execute, or a container runtime's words for there being none."""
    word = words[0]
    if "/" not in word:
        found = shutil.which(word, path=variables["PATH"])
        why = "executable file not found in $PATH"
    else:
        path = working / word
        found = str(path) if path.is_file() else None
        why = f"stat {asked}: no such file or directory"
    if found is None:
        raise StartError(
            "failed to create containerd task: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process: error during "
            f'container init: exec: "{asked}": {why}'
        )
    return found


async def start_container(
    ground: Ground, pod: Json, container: Json, image: Image, folder: Path, attempt: int
) -> ContainerProcess:
    """Start a container for the first time or again.

    Args:
        ground: what pods stand on.
        pod: the pod.
        container: as in its spec.
        image: its image.
        folder: of the pod, with its volumes written.
        attempt: how often it was started before.
    Raises: ConfigError, StartError: it cannot start. ApiError, Unreachable: try again.
    """
    own = folder / "containers" / container["name"]
    check_user(pod, container, image)
    place = _place(ground, container, image, folder / "volumes", own)
    namespace = pod["metadata"]["namespace"]
    lookup = await fetch_objects(ground.api, namespace, needed_objects(container))
    variables = container_environment(pod, container, place, lookup)
    words = command_words(container, image, place, variables)
    if TOKEN_MOUNT in place.paths:
        homes = {Path(place.home)}
        # A HOME of the pod's own choice, where it is inside the pod.
        if Path(variables["HOME"]).is_relative_to(folder):
            homes.add(Path(variables["HOME"]))
        for home in homes:
            _write_kubeconfig(ground.api.server, Path(place.paths[TOKEN_MOUNT]), home)
    working = own / "root"
    working.mkdir(exist_ok=True)
    if asked := container.get("workingDir"):
        replaced = replace_paths(asked, place.paths)
        if replaced != asked:
            working = Path(replaced)
            working.mkdir(parents=True, exist_ok=True)
    try:
        program = _program(words, _asked_word(container), variables, working)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return await ContainerProcess.start(
        own / str(attempt), program, words, variables, working, ground.log_limit_bytes
    )


def _asked_word(container: Json) -> str:
    return str([*(container.get("command") or []), *(container.get("args") or [])][0])
