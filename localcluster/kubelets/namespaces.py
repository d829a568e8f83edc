"""A private mount and network namespace, which contains a whole cluster with kubelet hosts.

Its loopback device, bridges, rules and mounts are invisible to the rest of the machine, and the
kernel removes them when the last process in the namespaces has ended.
"""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from localcluster.console import last_lines
from localcluster.errors import PlaneError
from localcluster.processes.identity import PROC, Identity, identity_of, is_alive

__all__ = ["PRIVATE_FOLDERS", "SEARCH_PATH", "Namespaces", "create_namespaces", "processes_in"]

# The administrator's programs are not on the PATH of everybody who becomes root.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Folders in which kubelet, containerd and the CNI plugins write at fixed paths.
PRIVATE_FOLDERS = (Path("/run"), Path("/var/lib"), Path("/var/log"))

# A kubelet sets these for the whole machine unless they are so already. Here it reads them in files
# that only the namespaces have.
_KERNEL_SETTINGS = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}


@dataclass(frozen=True)
class Namespaces:
    """The namespaces of one cluster.

    Attributes:
        holder: A sleeping process that keeps them.
    """

    holder: Identity

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
        path = f"PATH={os.environ.get('PATH', '')}:{SEARCH_PATH}"
        # Both become the program in turn.
        return ["nsenter", target, "--mount", "--net", f"--wd={folder}", "--", "env", path]

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
            process = subprocess.Popen(
                [*self.enter(folder), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 1
        while _program(process.pid) in {"nsenter", "env"} and time.monotonic() < deadline:
            time.sleep(0.01)
        identity = identity_of(process.pid)
        if identity is None:
            raise PlaneError(f"`{command[0]}` did not start; {last_lines(log)}")
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


def create_namespaces(folder: Path) -> Namespaces:
    """Create namespaces in which nothing is configured yet but private folders.

    Args:
        folder: The working folder of all that runs in them, by which it is found.

    Raises:
        PlaneError: The kernel refuses it.
    """
    log = folder / "namespaces.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--propagation=slave", "sleep", "infinity"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        namespaces = Namespaces(_holder(process, log))
        _mount_private_files(namespaces)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return namespaces


def processes_in(folder: Path) -> list[Identity]:
    """Return the processes that work in a folder or below it, in a network of their own.

    Args:
        folder: That of a cluster's kubelet hosts. Nothing else works there, but for somebody's
            shell, which is in this machine's network.
    """
    found = []
    own = _network_of(os.getpid())
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            within = (entry / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue  # it has ended
        identity = identity_of(int(entry.name))
        if within and identity is not None and _network_of(identity.pid) not in {None, own}:
            found.append(identity)
    return found


def _holder(process: subprocess.Popen[bytes], log: Path) -> Identity:
    """Wait until unshare has become `sleep`; until then the namespaces may not be complete."""
    own = _network_of(os.getpid())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        holder = identity_of(process.pid)
        separate = _network_of(process.pid) not in {None, own}
        if holder and separate and _program(process.pid) == "sleep":
            return holder
        time.sleep(0.02)
    raise PlaneError(
        f"no private namespaces could be created: {log.read_text(errors='replace')[-1000:]}"
    )


def _mount_private_files(namespaces: Namespaces) -> None:
    for folder in PRIVATE_FOLDERS:
        namespaces.run("mount", "-t", "tmpfs", "tmpfs", str(folder))
    for name, value in _KERNEL_SETTINGS.items():
        file = f"/run/settings/{name}"
        namespaces.run("mkdir", "-p", str(Path(file).parent))
        namespaces.run("tee", file, stdin=value)
        namespaces.run("mount", "--bind", file, f"/proc/sys/{name}")


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
