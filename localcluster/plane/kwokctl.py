"""Start the control plane with kwokctl; `lifecycle.down` stops it.

kwokctl trusts pid files, which are wrong after a reboot. Stale ones are deleted before it runs.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from localcluster.errors import PlaneError
from localcluster.paths import ClusterFolder
from localcluster.plane.configuration import PORT_NAMES, kwokctl_configuration
from localcluster.plane.ports import choose_ports
from localcluster.processes.identity import Identity, identity_of

__all__ = ["COMPONENTS", "component_processes", "create_plane", "scale_kwok_nodes", "start_plane"]

COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
)
KWOK_NODE_PREFIX = "kwok"


def component_processes(folder: ClusterFolder) -> dict[str, Identity]:
    """Return the running components by name, according to kwokctl's pid files and /proc."""
    running = {}
    for name in COMPONENTS:
        try:
            pid = int((folder.plane / "pids" / f"{name}.pid").read_text())
            working_folder = Path(f"/proc/{pid}/cwd").readlink()
        except (OSError, ValueError):
            continue
        identity = identity_of(pid)
        # kwokctl starts each component in the cluster's own folder, which nothing else uses.
        if identity and working_folder == folder.plane.resolve():
            running[name] = identity
    return running


def create_plane(
    folder: ClusterFolder,
    bin_folder: Path,
    environ: Mapping[str, str],
    *,
    enter: Sequence[str] = (),
    advertise_address: str = "",
) -> None:
    """Create the certificates and start every component, on free ports of the loopback address.

    Args:
        folder: The cluster's folder, without a control plane yet.
        bin_folder: The built binaries.
        environ: This process's environment.
        enter: The command that runs what follows it in the namespaces of kubelet hosts.
        advertise_address: Where kubelets find the API server; without it, it chooses by itself.

    Raises:
        PlaneError: It failed; the message has the last output of kwokctl and its components.
    """
    ports = choose_ports(len(PORT_NAMES))
    # kwokctl compares its own paths with those of the kernel, which have no symbolic links.
    configuration = kwokctl_configuration(folder.plane.resolve(), ports, advertise_address)
    folder.kwok_workdir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=folder.path) as file:
        yaml.safe_dump(configuration, file)
        file.flush()
        binaries = {
            "etcd": "etcd",
            "kube-apiserver": "kube-apiserver",
            "kube-controller-manager": "kube-controller-manager",
            "kube-scheduler": "kube-scheduler",
            "kwok-controller": "kwok",
        }
        arguments = ["create", "cluster", "--config", file.name, "--runtime", "binary"]
        for option, binary in binaries.items():
            arguments += [f"--{option}-binary", str(bin_folder / binary)]
        arguments += ["--kubeconfig", "", "--wait", "60s"]
        _kwokctl(folder, bin_folder, environ, arguments, enter)


def start_plane(
    folder: ClusterFolder,
    bin_folder: Path,
    environ: Mapping[str, str],
    *,
    enter: Sequence[str] = (),
) -> None:
    """Start the components that do not run, with the ports and the data they had.

    Args:
        folder: The cluster's folder, with a control plane.
        bin_folder: The built binaries.
        environ: This process's environment.
        enter: As for `create_plane`.

    Raises:
        PlaneError: It failed; the message has the last output of kwokctl and its components.
    """
    alive = component_processes(folder)
    for name in COMPONENTS:
        if name not in alive:
            (folder.plane / "pids" / f"{name}.pid").unlink(missing_ok=True)
    _kwokctl(folder, bin_folder, environ, ["start", "cluster"], enter)


def scale_kwok_nodes(
    folder: ClusterFolder, bin_folder: Path, environ: Mapping[str, str], count: int
) -> None:
    """Create or delete nodes that kwok simulates.

    Args:
        folder: The cluster's folder.
        bin_folder: The built binaries.
        environ: This process's environment.
        count: The desired number of nodes.

    Raises:
        PlaneError: The command kwokctl failed.
    """
    arguments = ["scale", "node", KWOK_NODE_PREFIX, "--replicas", str(count)]
    _kwokctl(folder, bin_folder, environ, arguments)


def _kwokctl(
    folder: ClusterFolder,
    bin_folder: Path,
    environ: Mapping[str, str],
    arguments: list[str],
    enter: Sequence[str] = (),
) -> None:
    child_environ = dict(environ) | {
        "KWOK_WORKDIR": str(folder.kwok_workdir.resolve()),
        # kwokctl calls kubectl, which must be the one that was built here.
        "PATH": f"{bin_folder}{os.pathsep}{environ.get('PATH', '/usr/bin:/bin')}",
        "KUBECACHEDIR": str(folder.path / "kubectl-cache"),
        # A proxy must not see requests to the loopback address.
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    child_environ.pop("KUBECONFIG", None)
    command = [*enter, str(bin_folder / "kwokctl"), "--name", folder.name, *arguments]
    process = subprocess.Popen(
        command,
        env=child_environ,
        cwd=folder.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Ctrl-C must reach only this process, which then ends kwokctl and cleans up.
        start_new_session=True,
    )
    try:
        # This does not wait for the components: they inherit no pipe, kwokctl gives them log files.
        output, _ = process.communicate(timeout=180)
    except subprocess.TimeoutExpired as error:
        raise PlaneError(
            f"`kwokctl {' '.join(arguments[:2])}` did not finish within 180 s"
        ) from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise PlaneError(
            f"`kwokctl {' '.join(arguments[:2])}` exited with code {process.returncode}:\n"
            f"{output[-2000:]}"
            f"{_failed_component_logs(folder)}"
        )


def _failed_component_logs(folder: ClusterFolder) -> str:
    """Return the last log lines of the components that do not run: the reason is usually there."""
    alive = component_processes(folder)
    tails = []
    for name in COMPONENTS:
        log = folder.plane / "logs" / f"{name}.log"
        if name not in alive and log.exists():
            lines = log.read_text(errors="replace").splitlines()[-5:]
            tails.append(f"last lines of {log}:\n" + "\n".join(lines))
    return "\n".join(tails)
