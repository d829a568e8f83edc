"""Start the control plane with kwokctl; it must not stop it (see lifecycle.down).

kwokctl believes pid files, which lie after a reboot; stale ones are removed before it looks.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from localcluster.errors import PlaneError
from localcluster.paths import ClusterFolder
from localcluster.plane.configuration import PORT_NAMES, kwokctl_configuration
from localcluster.plane.ports import choose_ports
from localcluster.processes.identity import Identity, identity_of

__all__ = ["COMPONENTS", "component_processes", "create_plane", "scale_kwok_hosts", "start_plane"]

COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
)
KWOK_HOST_PREFIX = "kwok"


def component_processes(folder: ClusterFolder) -> dict[str, Identity]:
    """The components that run, by the pid files of kwokctl and their working directory.

    Args:
        folder: of the cluster.
    """
    found = {}
    for name in COMPONENTS:
        try:
            pid = int((folder.plane / "pids" / f"{name}.pid").read_text())
            place = Path(f"/proc/{pid}/cwd").readlink()
        except (OSError, ValueError):
            continue
        identity = identity_of(pid)
        # kwokctl starts each component in the cluster's own folder, where nobody else works.
        if identity and place == folder.plane.resolve():
            found[name] = identity
    return found


def create_plane(folder: ClusterFolder, programs: Path, environ: Mapping[str, str]) -> None:
    """Make certificates and start every component, on free ports of the loopback address.

    Args:
        folder: of the cluster; it holds no control plane yet.
        programs: the built binaries.
        environ: this process's environment.
    Raises: PlaneError: with the end of what kwokctl and the components said.
    """
    ports = choose_ports(len(PORT_NAMES))
    # kwokctl compares paths of its own making with those of the kernel: no symbolic links.
    configuration = kwokctl_configuration(folder.plane.resolve(), ports)
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
        words = ["create", "cluster", "--config", file.name, "--runtime", "binary"]
        for option, binary in binaries.items():
            words += [f"--{option}-binary", str(programs / binary)]
        words += ["--kubeconfig", "", "--wait", "60s"]
        _kwokctl(folder, programs, environ, words)


def start_plane(folder: ClusterFolder, programs: Path, environ: Mapping[str, str]) -> None:
    """Start the components that do not run, on the ports and data they had.

    Args:
        folder: of the cluster; it holds a control plane.
        programs: the built binaries.
        environ: this process's environment.
    Raises: PlaneError: with the end of what kwokctl and the components said.
    """
    alive = component_processes(folder)
    for name in COMPONENTS:
        if name not in alive:
            (folder.plane / "pids" / f"{name}.pid").unlink(missing_ok=True)
    _kwokctl(folder, programs, environ, ["start", "cluster"])


def scale_kwok_hosts(
    folder: ClusterFolder, programs: Path, environ: Mapping[str, str], count: int
) -> None:
    """Make or remove hosts that kwok plays.

    Args:
        folder: of the cluster.
        programs: the built binaries.
        environ: this process's environment.
        count: how many there shall be.
    Raises: PlaneError: kwokctl refused.
    """
    words = ["scale", "node", KWOK_HOST_PREFIX, "--replicas", str(count)]
    _kwokctl(folder, programs, environ, words)


def _kwokctl(
    folder: ClusterFolder, programs: Path, environ: Mapping[str, str], words: list[str]
) -> None:
    own = dict(environ) | {
        "KWOK_WORKDIR": str(folder.kwok_workdir.resolve()),
        # It calls kubectl, which must be ours and not what happens to be on this machine.
        "PATH": f"{programs}{os.pathsep}{environ.get('PATH', '/usr/bin:/bin')}",
        "KUBECACHEDIR": str(folder.path / "kubectl-cache"),
        # Proxies of the environment are for the way out, not for the loopback address.
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    own.pop("KUBECONFIG", None)
    command = [str(programs / "kwokctl"), "--name", folder.name, *words]
    process = subprocess.Popen(
        command,
        env=own,
        cwd=folder.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A Ctrl-C is for us: we end it and clean up.
        start_new_session=True,
    )
    try:
        # The components inherit no pipe: kwokctl gives them log files.
        said, _ = process.communicate(timeout=180)
    except subprocess.TimeoutExpired as error:
        raise PlaneError(f"`kwokctl {' '.join(words[:2])}` did not end within 180 s") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise PlaneError(
            f"`kwokctl {' '.join(words[:2])}` ended with {process.returncode}:\n{said[-2000:]}"
            f"{_component_words(folder)}"
        )


def _component_words(folder: ClusterFolder) -> str:
    # The reason is usually in the log of the component that died.
    alive = component_processes(folder)
    ends = []
    for name in COMPONENTS:
        log = folder.plane / "logs" / f"{name}.log"
        if name not in alive and log.exists():
            lines = log.read_text(errors="replace").splitlines()[-5:]
            ends.append(f"the end of {name}'s log:\n" + "\n".join(lines))
    return "\n".join(ends)
