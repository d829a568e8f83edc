"""One start of a container: its shim, its files and its end."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcluster.agent.container_errors import start_failure
from localcluster.agent.container_state import Running, Terminated, Waiting
from localcluster.agent.status import lost_container
from localcluster.processes.identity import Identity, is_alive, session_members
from localcluster.processes.signals import send_signal

__all__ = ["ContainerProcess", "read_identity"]

SHIM = Path(__file__).with_name("shim.py")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return content


def read_identity(path: Path) -> Identity | None:
    """Read the identity of a process from a file that a shim wrote.

    Args:
        path: Either shim.json or running.json.
    """
    raw = _read(path)
    return Identity(raw["pid"], raw["started_ticks"], raw["boot"]) if raw else None


class ContainerProcess:
    """One start of a container, by this agent or by a former one.

    The main process is a child of a shim (see `shim.py`), which outlives the agent. Everything that
    the agent knows about the start is in its folder.
    """

    def __init__(self, folder: Path, shim: subprocess.Popen[bytes] | None = None) -> None:
        self.folder = folder
        self._shim = shim
        self._terminated: Terminated | None = None

    @classmethod
    async def start(
        cls,
        folder: Path,
        program: str,
        requested: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        working_folder: Path,
        log_limit_bytes: int,
    ) -> "ContainerProcess":
        """Start a command; return when it runs or could not be started.

        Args:
            folder: The folder of this start, which is created.
            program: The file to execute.
            requested: Its name in the pod's spec.
            argv: The arguments, of which the first is the program's name.
            environment: All variables.
            working_folder: The working directory of the main process.
            log_limit_bytes: The size at which the log is rotated.
        """
        folder.mkdir(parents=True)
        spec = {
            "program": program,
            "requested": requested,
            "argv": list(argv),
            "environment": dict(environment),
            "working_folder": str(working_folder),
            "log_limit_bytes": log_limit_bytes,
        }
        spec_file = folder / "spec.json"
        spec_file.touch(mode=0o600)  # the environment may contain secrets
        spec_file.write_text(json.dumps(spec))
        with (folder / "shim.log").open("ab") as errors:
            shim = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SHIM), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                # The shim outlives the agent.
                start_new_session=True,
                cwd=folder,
            )
        process = cls(folder, shim)
        while isinstance(process.state(), Waiting):
            await asyncio.sleep(0.005)
        return process

    @classmethod
    def not_started(cls, folder: Path, message: str, now: float) -> "ContainerProcess":
        """Record a start that failed before there was a process; its log is empty.

        Args:
            folder: The folder of this start, which is created.
            message: Why it failed.
            now: Seconds since the epoch.
        """
        folder.mkdir(parents=True)
        exit_record = {"start_failure": message, "finished_at": now}
        (folder / "exit.json").write_text(json.dumps(exit_record))
        return cls(folder)

    def state(self) -> Waiting | Running | Terminated:
        """Return the current state; Waiting means that the main process has not started yet."""
        if self._terminated is not None:
            return self._terminated
        # Check the shim before the files: it writes exit.json just before it ends.
        shim_is_alive = self._shim_is_alive()
        running = _read(self.folder / "running.json")
        started_at = running["started_at"] if running else None
        if shim_is_alive:
            return Waiting("ContainerCreating") if started_at is None else Running(started_at)
        exit_record = _read(self.folder / "exit.json")
        if exit_record is None:
            self._kill_remaining()
            self._terminated = lost_container(started_at, time.time())
        elif "exit_code" not in exit_record:
            message = exit_record.get("start_failure") or self._start_failure(exit_record)
            # The kubelet reports the epoch as the start of a container that never started.
            self._terminated = Terminated(
                128, "StartError", message, 0.0, exit_record["finished_at"]
            )
        else:
            code = exit_record["exit_code"]
            reason = "Completed" if code == 0 else "Error"
            finished_at = exit_record["finished_at"]
            self._terminated = Terminated(code, reason, "", started_at, finished_at)
        return self._terminated

    def _start_failure(self, exit_record: dict[str, Any]) -> str:
        requested = (_read(self.folder / "spec.json") or {}).get("requested", "")
        # As a Go program writes the kernel's errors.
        return start_failure(requested, str(exit_record["start_error"]).lower())

    def _kill_remaining(self) -> None:
        """Kill what is left of the container after its shim was killed."""
        leader = read_identity(self.folder / "running.json")
        for member in session_members(leader) if leader else []:
            send_signal(member, signal.SIGKILL)

    def _shim_is_alive(self) -> bool:
        if self._shim is not None:
            # This also reaps a shim that is a child of this process.
            return self._shim.poll() is None
        identity = read_identity(self.folder / "shim.json")
        return identity is not None and is_alive(identity)

    def _send(self, number: signal.Signals) -> None:
        if self._shim is not None:
            self._shim.send_signal(number)
            return
        identity = read_identity(self.folder / "shim.json")
        if identity is not None:
            send_signal(identity, number)

    def terminate(self) -> None:
        """Send SIGTERM to the main process only, as a container runtime does."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to every process that the container started."""
        self._send(signal.SIGUSR2)

    @property
    def log(self) -> Path:
        """The newest log file."""
        return self.folder / "log"
