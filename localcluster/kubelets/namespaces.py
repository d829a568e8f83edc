"""A private mount and network namespace, which contains a whole cluster with kubelet hosts.

Its loopback device, bridges, rules and mounts are invisible to the rest of the machine, and the
kernel removes them when the last process in the namespaces has ended.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import PlaneError
from localcluster.processes.identity import PROC, Identity, identity_of, is_alive
from localcluster.processes.signals import end_processes

__all__ = ["Namespaces", "create_namespaces"]

# Folders in which kubelet, containerd and the CNI plugins write at fixed paths.
_PRIVATE_FOLDERS = ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log")


@dataclass(frozen=True)
class Namespaces:
    """The namespaces of one cluster.

    Attributes:
        holder: A sleeping process that keeps them.
        network: The inode of the network namespace, by which its processes are found.
    """

    holder: Identity
    network: int

    @property
    def alive(self) -> bool:
        """Whether they still exist."""
        return is_alive(self.holder)

    def enter(self, folder: Path) -> list[str]:
        """Return the command that runs the arguments after it in the namespaces.

        Args:
            folder: The working folder.
        """
        target = f"--target={self.holder.pid}"
        return ["nsenter", target, "--mount", "--net", f"--wd={folder}", "--"]

    def run(self, *command: str, stdin: str = "") -> str:
        """Run a short command in the namespaces and return its output.

        Args:
            command: The program and its arguments.
            stdin: What it reads.

        Raises:
            PlaneError: It failed.
        """
        result = subprocess.run(
            [*self.enter(Path("/")), *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise PlaneError(
                f"`{' '.join(command)}` exited with code {result.returncode}: "
                f"{(result.stderr or result.stdout).strip()[-1000:]}"
            )
        return result.stdout

    def start(self, command: list[str], folder: Path, log: Path) -> Identity:
        """Start a daemon in the namespaces.

        Args:
            command: The program and its arguments.
            folder: Its working folder.
            log: The file to which its output is appended.

        Raises:
            PlaneError: It ended at once.
        """
        with log.open("a") as output:
            # nsenter becomes the program, so the process ID is the daemon's.
            process = subprocess.Popen(
                [*self.enter(folder), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        identity = identity_of(process.pid)
        if identity is None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise PlaneError(f"`{command[0]}` did not start; last lines of {log}:\n{tail}")
        return identity

    def bind(self, folder: Path, path: Path) -> None:
        """Give a folder one more path, which only the namespaces have.

        Args:
            folder: An existing folder.
            path: The additional path.

        Raises:
            PlaneError: The kernel refuses it.
        """
        if f" {path} " not in (PROC / str(self.holder.pid) / "mounts").read_text():
            self.run("mkdir", "-p", str(path))
            self.run("mount", "--bind", str(folder), str(path))

    def end(self) -> None:
        """End every process in the network namespace, and with the last one the namespaces."""
        # A shim may start a process meanwhile, so look until there is none.
        while processes := _processes_in(self.network):
            end_processes(processes, signal.SIGKILL, 0.0)


def create_namespaces(log: Path) -> Namespaces:
    """Create namespaces in which nothing is configured yet but private folders.

    Args:
        log: For what the holder prints.

    Raises:
        PlaneError: The kernel refuses it.
    """
    with log.open("a") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--propagation=private", "sleep", "infinity"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    own = _network_of(os.getpid())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        holder, network = identity_of(process.pid), _network_of(process.pid)
        # Until unshare has become `sleep`, the namespaces may not be complete.
        if holder and network not in {None, own} and _program(process.pid) == "sleep":
            assert network is not None
            namespaces = Namespaces(holder, network)
            for folder in _PRIVATE_FOLDERS:
                Path(folder).mkdir(parents=True, exist_ok=True)
                namespaces.run("mount", "-t", "tmpfs", "tmpfs", folder)
            return namespaces
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise PlaneError(
        f"no private namespaces could be created: {log.read_text(errors='replace')[-1000:]}"
    )


def _network_of(pid: int) -> int | None:
    try:
        return (PROC / str(pid) / "ns" / "net").stat().st_ino
    except OSError:
        return None


def _program(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def _processes_in(network: int) -> list[Identity]:
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    found = (identity_of(pid) for pid in pids if _network_of(pid) == network)
    return [identity for identity in found if identity is not None]
