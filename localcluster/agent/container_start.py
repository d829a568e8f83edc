"""Prepare a container's folder and environment, and start it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from localcluster.agent.api import Json
from localcluster.agent.container_errors import ConfigError, StartError, start_failure
from localcluster.agent.context import CAPACITY, AgentContext
from localcluster.agent.environment import (
    LocalEnvironment,
    command_line,
    container_environment,
    environment_objects,
)
from localcluster.agent.images import Image
from localcluster.agent.mounting import fetch_objects, write_file
from localcluster.agent.path_rewrite import rewrite_paths
from localcluster.agent.process import ContainerProcess
from localcluster.agent.security import validate_user
from localcluster.agent.status import ADDRESSES
from localcluster.agent.volumes import TOKEN_MOUNT, mount_paths

__all__ = ["find_program", "start_container"]

TEMP_MOUNT = "/tmp"  # noqa: S108  # the container's; on this machine it is another folder


def _local_environment(
    context: AgentContext, container: Json, image: Image, volumes: Path, folder: Path
) -> LocalEnvironment:
    home, temp_folder = folder / "home", folder / "tmp"
    for path in (home, temp_folder):
        path.mkdir(parents=True, exist_ok=True)
    folders = {path.name: str(path) for path in volumes.iterdir()} if volumes.is_dir() else {}
    mounts = mount_paths(container, folders)
    for mount in container.get("volumeMounts") or []:
        target = Path(mounts[mount["mountPath"].rstrip("/")])
        if mount.get("subPath") and not target.exists():
            target.mkdir(parents=True)  # as the kubelet does
    # Every container has its own /tmp, even without a mount.
    paths = {TEMP_MOUNT: str(temp_folder)} | dict(image.files) | mounts
    host, port = context.apiserver
    return LocalEnvironment(paths, str(home), paths[TEMP_MOUNT], host, port, ADDRESSES, CAPACITY)


def _write_kubeconfig(server: str, token_folder: Path, home: Path) -> None:
    """Write a kubeconfig that replaces in-cluster credentials; kperf reads it by default."""
    namespace = (token_folder / "namespace").read_text()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "clusters": [
            {
                "name": "pod",
                "cluster": {
                    "server": server,
                    "certificate-authority": str(token_folder / "ca.crt"),
                },
            }
        ],
        # A file instead of the token itself, so that clients use a renewed token.
        "users": [{"name": "pod", "user": {"tokenFile": str(token_folder / "token")}}],
        "contexts": [
            {"name": "pod", "context": {"cluster": "pod", "user": "pod", "namespace": namespace}}
        ],
    }
    write_file(home / ".kube" / "config", json.dumps(document, indent=1), 0o600)


def find_program(
    name: str,
    requested: str,
    variables: Mapping[str, str],
    working_folder: Path,
    *,
    shell: bool = True,
) -> str:
    """Return the file to execute; if there is none, raise with the message of a container runtime.

    Args:
        name: The program's name, with a path of this machine.
        requested: The same as in the pod's spec.
        variables: The container's environment.
        working_folder: The working directory of the process.
        shell: Whether the image has the programs of this machine. Without them it has only those
            of its own files and mounts, whose paths were replaced.

    Raises:
        StartError: The image has no such program.
    """
    program = None
    if "/" not in name:
        reason = "executable file not found in $PATH"
        if shell:
            program = shutil.which(name, path=variables["PATH"])
    else:
        reason = f"stat {requested}: no such file or directory"
        path = working_folder / name
        if path.is_file() and (shell or name != requested):
            program = str(path)
    if program is None:
        raise StartError(start_failure(requested, reason))
    return program


async def start_container(
    context: AgentContext, pod: Json, container: Json, image: Image, folder: Path, start_number: int
) -> ContainerProcess:
    """Start or restart a container.

    Args:
        context: What all pods share.
        pod: The pod.
        container: The container as in the pod's spec.
        image: The image of the container.
        folder: The pod's folder, with its volumes written.
        start_number: How often the container was started before.

    Raises:
        ConfigError: Its configuration is invalid.
        StartError: Its program does not exist.
        ApiError: A ConfigMap or Secret could not be read.
        UnreachableError: A ConfigMap or Secret could not be read.
    """
    container_folder = folder / "containers" / container["name"]
    validate_user(pod, container, image)
    local = _local_environment(context, container, image, folder / "volumes", container_folder)
    namespace = pod["metadata"]["namespace"]
    lookup = await fetch_objects(context.api, namespace, environment_objects(container))
    variables = container_environment(pod, container, local, lookup)
    arguments = command_line(container, image, local, variables)
    if TOKEN_MOUNT in local.paths:
        homes = {Path(local.home)}
        # The pod's own HOME, if it is in one of the pod's folders.
        if Path(variables["HOME"]).is_relative_to(folder):
            homes.add(Path(variables["HOME"]))
        for home in homes:
            _write_kubeconfig(context.api.server, Path(local.paths[TOKEN_MOUNT]), home)
    working_folder = container_folder / "root"
    working_folder.mkdir(exist_ok=True)
    if working_dir := container.get("workingDir"):
        rewritten = rewrite_paths(working_dir, local.paths)
        if rewritten != working_dir:
            working_folder = Path(rewritten)
            working_folder.mkdir(parents=True, exist_ok=True)
    try:
        requested = _requested_program(container)
        program = find_program(
            arguments[0], requested, variables, working_folder, shell=image.shell
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return await ContainerProcess.start(
        container_folder / str(start_number),
        program,
        requested,
        arguments,
        variables,
        working_folder,
        context.log_limit_bytes,
    )


def _requested_program(container: Json) -> str:
    return str([*(container.get("command") or []), *(container.get("args") or [])][0])
