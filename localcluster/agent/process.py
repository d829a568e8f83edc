"""One start of one container: its shim, its files, its end; it must not decide about restarts."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcluster.agent.container_state import Running, Terminated, Waiting
from localcluster.agent.status import lost
from localcluster.processes.ending import send_signal
from localcluster.processes.identity import Identity, is_alive, session_members

__all__ = ["ContainerProcess", "read_identity"]

SHIM = Path(__file__).with_name("shim.py")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return loaded


def read_identity(path: Path) -> Identity | None:
    """The process that a shim's file names.

    Args:
        path: shim.json or running.json.
    """
    raw = _read(path)
    return Identity(raw["pid"], raw["started_ticks"], raw["boot"]) if raw else None


class ContainerProcess:
    """A shim in its folder; started by this agent or found from a former one."""

    def __init__(self, folder: Path, shim: subprocess.Popen[bytes] | None = None) -> None:
        self.folder = folder
        self._shim = shim
        self._ended: Terminated | None = None

    @classmethod
    async def start(
        cls,
        folder: Path,
        program: str,
        words: Sequence[str],
        variables: Mapping[str, str],
        working: Path,
        log_limit_bytes: int,
    ) -> "ContainerProcess":
        """Start a command, and return when it runs or could not be started.

        Args:
            folder: of this start; made here.
            program: the file to execute.
            words: its arguments, the first being its name.
            variables: its whole environment.
            working: its working folder.
            log_limit_bytes: when the log moves aside.
        """
        folder.mkdir(parents=True)
        spec = {
            "program": program,
            "words": list(words),
            "variables": dict(variables),
            "folder": str(working),
            "log_limit_bytes": log_limit_bytes,
        }
        scratch = folder / "spec.json"
        scratch.touch(mode=0o600)  # it may hold secrets
        scratch.write_text(json.dumps(spec))
        with (folder / "shim.log").open("ab") as errors:
            shim = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SHIM), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                # It outlives the agent.
                start_new_session=True,
                cwd=folder,
            )
        process = cls(folder, shim)
        while isinstance(process.state(), Waiting):
            await asyncio.sleep(0.005)
        return process

    def state(self) -> Waiting | Running | Terminated:
        """How it is now; Waiting means that the shim is about to start it."""
        if self._ended is not None:
            return self._ended
        # Liveness is looked at first: the shim ends right after it has written exit.json, and one
        # that is our child has to be asked, or its zombie stays.
        alive = self._is_alive()
        running = _read(self.folder / "running.json")
        started = running["started_at"] if running else None
        if alive:
            return Waiting("ContainerCreating") if started is None else Running(started)
        ended = _read(self.folder / "exit.json")
        if ended is None:
            self._end_remains()
            self._ended = lost(started, time.time())
        elif "start_error" in ended:
            text = f"failed to start the container process: {ended['start_error']}"
            self._ended = Terminated(128, "StartError", text, 0.0, ended["finished_at"])
        else:
            code = ended["exit_code"]
            reason = "Completed" if code == 0 else "Error"
            self._ended = Terminated(code, reason, "", started, ended["finished_at"])
        return self._ended

    def _end_remains(self) -> None:
        """Somebody killed the shim: nothing of its container may run on unseen."""
        main = read_identity(self.folder / "running.json")
        for one in session_members(main) if main else []:
            send_signal(one, signal.SIGKILL)

    def _is_alive(self) -> bool:
        if self._shim is not None:
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
        """SIGTERM to the main process only, as a container runtime does."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to everything that the container started."""
        self._send(signal.SIGUSR2)

    @property
    def log(self) -> Path:
        """The newest log file."""
        return self.folder / "log"
