"""Runs programs as a user does: `mrunners` and `kubectl` as processes, nothing imported.

It must not know what the tests want of them.
"""

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

__all__ = ["Finished", "Kubectl", "Mrunners", "Started", "bare_environment", "end", "until"]

T = TypeVar("T")

CHECKOUT = Path(__file__).parents[2]

# Generous: it only keeps a hanging command from stopping the tests.
COMMAND_SECONDS = 180.0


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.stdout)


class Started:
    """A command that runs."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        # Files, not pipes: what was said so far can be looked at without taking it away.
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - until `finish`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - until `finish`
        self._process = subprocess.Popen(
            words,
            env=dict(environ),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            process_group=0,
        )

    def stderr_contains(self, text: str) -> bool:
        """Whether the text stands on stderr by now."""
        return text in _content(self._err)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """As a terminal does it: the command and all that it has started."""
        os.killpg(self._process.pid, signal.SIGINT)

    def finish(self, seconds: float = COMMAND_SECONDS) -> Finished:
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            said = _content(self._out) + _content(self._err)
            raise AssertionError(
                f"{self._process.args!r} did not end in {seconds} s\n{said}"
            ) from None
        finished = Finished(code, _content(self._out), _content(self._err))
        self._out.close()
        self._err.close()
        return finished


def _content(file: IO[bytes]) -> str:
    # Not by seek: the process writes at the same offset.
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


@dataclass(frozen=True)
class Mrunners:
    """The venv's `mrunners`, with an environment of its own."""

    environ: Mapping[str, str]

    def __call__(self, *words: str | Path) -> Finished:
        return self.start(*words).finish()

    def start(self, *words: str | Path) -> Started:
        return self._start(str(Path(sys.executable).parent / "mrunners"), *map(str, words))

    def python(self, *words: str) -> Started:
        """Python instead, in the same surroundings."""
        return self._start(sys.executable, *words)

    def with_environ(self, **environ: str) -> Mrunners:
        """The same with other variables; an empty one is left out."""
        merged = {**self.environ, **environ}
        return replace(self, environ={name: value for name, value in merged.items() if value})

    def _start(self, *words: str) -> Started:
        return Started(words, self.environ)


@dataclass(frozen=True)
class Kubectl:
    """The kubectl that was built with the cluster."""

    program: Path
    kubeconfig: Path
    namespace: str = ""

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        done = self.attempt(*words, stdin=stdin)
        assert done.code == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def attempt(self, *words: str, stdin: str | None = None) -> Finished:
        done = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, text=True, check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def command(self, *words: str) -> list[str]:
        where = [f"--namespace={self.namespace}"] if self.namespace else []
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *where, *words]

    def objects(self, kind: str, *words: str) -> list[Any]:
        """All objects of a kind, as the API server has them."""
        listed: list[Any] = json.loads(self("get", kind, *words, "--output=json"))["items"]
        return listed

    def names(self, kind: str, *words: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.objects(kind, *words)}

    def uids(self, kind: str) -> dict[str, str]:
        return {i["metadata"]["name"]: i["metadata"]["uid"] for i in self.objects(kind)}

    def apply(self, *manifests: Any) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self("apply", "--filename=-", stdin=json.dumps(listed))


def bare_environment() -> dict[str, str]:
    """This process's environment without what would steer mrunners, Prefect or Kubernetes."""
    steering = ("PREFECT_", "KUBE", "XDG_STATE_HOME", "MRUNNERS_", "DO_NOT_TRACK")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def end(process: subprocess.Popen[Any], seconds: float = 60.0) -> None:
    """End a process that was started for tests: asked first, and killed if it does not go."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(
    what: str, condition: Callable[[], T], seconds: float = 60.0, *, pause: float = 0.05
) -> T:
    """What the condition gives as soon as it is true; it is asked for again after each pause.

    Raises: AssertionError: it was not within that time.
    """
    deadline = time.monotonic() + seconds
    while not (given := condition()):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(pause)
    return given
