"""Run `mrunners` and `kubectl` as a user does: as processes, with nothing imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar

__all__ = [
    "Finished",
    "Kubectl",
    "Mrunners",
    "Started",
    "bare_environment",
    "end",
    "has_ended",
    "until",
]

T = TypeVar("T")

CHECKOUT = Path(__file__).parents[2]

# Generous, because it only keeps a hanging command from blocking the tests.
COMMAND_SECONDS = 180.0


@dataclass(frozen=True)
class Finished:
    """The exit code and output of a finished command."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.stdout)


class Started:
    """A command that runs."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        # Files instead of pipes, so that the output can be read while the command runs.
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - until `finish`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - until `finish`
        self._process = subprocess.Popen(
            arguments,
            env=dict(environ),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            process_group=0,
        )

    def stderr_contains(self, text: str) -> bool:
        """Whether the command has written the text to stderr so far."""
        return text in _content(self._err)

    def stderr_lines(self) -> list[str]:
        """Return what the command has written to stderr so far."""
        return _content(self._err).splitlines()

    @property
    def ended(self) -> bool:
        """Whether the command has ended by itself."""
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command."""
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to the command and all processes that it has started, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def finish(self, seconds: float = COMMAND_SECONDS) -> Finished:
        """Wait until the command ends.

        Raises:
            AssertionError: It did not end in time.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            output = _content(self._out) + _content(self._err)
            raise AssertionError(
                f"{self._process.args!r} did not end in {seconds} s\n{output}"
            ) from None
        finished = Finished(code, _content(self._out), _content(self._err))
        self._out.close()
        self._err.close()
        return finished


def _content(file: IO[bytes]) -> str:
    # pread does not move the offset, at which the process writes.
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


@dataclass(frozen=True)
class Mrunners:
    """The `mrunners` of this virtual environment, with its own environment variables."""

    environ: Mapping[str, str]

    def __call__(self, *arguments: str | Path) -> Finished:
        return self.start(*arguments).finish()

    def start(self, *arguments: str | Path) -> Started:
        """Start a command."""
        return self._start(str(Path(sys.executable).parent / "mrunners"), *map(str, arguments))

    def python(self, *arguments: str) -> Started:
        """Start Python instead, with the same environment variables."""
        return self._start(sys.executable, *arguments)

    def with_environ(self, **environ: str) -> Mrunners:
        """Return the same with other variables; one that is empty is removed."""
        merged = {**self.environ, **environ}
        return replace(self, environ={name: value for name, value in merged.items() if value})

    def _start(self, *arguments: str) -> Started:
        return Started(arguments, self.environ)


@dataclass(frozen=True)
class Kubectl:
    """The kubectl that was built with the cluster."""

    program: Path
    kubeconfig: Path
    namespace: str = ""

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        done = self.attempt(*arguments, stdin=stdin)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str, stdin: str | None = None) -> Finished:
        """Run a command that may fail."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        namespace_option = [f"--namespace={self.namespace}"] if self.namespace else []
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *namespace_option, *arguments]

    def objects(self, kind: str, *arguments: str) -> list[Any]:
        """Return all objects of a kind."""
        items: list[Any] = json.loads(self("get", kind, *arguments, "--output=json"))["items"]
        return items

    def names(self, kind: str, *arguments: str) -> set[str]:
        """Return the names of all objects of a kind."""
        return {item["metadata"]["name"] for item in self.objects(kind, *arguments)}

    def uids(self, kind: str) -> dict[str, str]:
        """Return the UIDs of all objects of a kind, by name."""
        return {i["metadata"]["name"]: i["metadata"]["uid"] for i in self.objects(kind)}

    def apply(self, *manifests: Any) -> None:
        """Create or update objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self("apply", "--filename=-", stdin=json.dumps(items))


def bare_environment() -> dict[str, str]:
    """Return this process's environment without what configures mrunners, Prefect or Kubernetes."""
    prefixes = ("PREFECT_", "KUBE", "XDG_STATE_HOME", "MRUNNERS_", "DO_NOT_TRACK")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def end(process: subprocess.Popen[Any], seconds: float = 60.0) -> None:
    """Terminate a process, and kill it if it does not end in time."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def has_ended(pid: int) -> bool:
    """Return whether a process has ended; a zombie counts as ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def until(
    what: str, condition: Callable[[], T], seconds: float = 60.0, *, pause: float = 0.05
) -> T:
    """Evaluate the condition until its value is true, with a pause in between; return the value.

    Raises:
        AssertionError: The value did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true after {seconds} s: {what}"
        time.sleep(pause)
    return value
