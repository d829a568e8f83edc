"""One run of a credential plugin: shows its stderr while it waits for a person, within a limit.

What the plugin writes in its first second is held back, because a plugin that fails at once is
reported with its last line anyway. The limit is the caller's deadline if that comes earlier.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from mrunners.durations import format_duration
from mrunners.errors import InvalidInputError
from mrunners.kube.retry import seconds_left

__all__ = ["PluginEnd", "PluginProcess"]

# Then its stderr is shown, as what it writes may be a question.
HOLD_SECONDS = 1.0
# Then the user is told what is waited for.
PATIENT_SECONDS = 5.0
# A person needs a minute or two to sign in with a second factor.
LIMIT_SECONDS = 180.0
# Enough for a plugin that asks nobody, when the caller's own time is up.
LEAST_SECONDS = 1.0
# After the end, a child of the plugin may keep the pipes open.
DRAIN_SECONDS = 1.0
KILL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PluginEnd:
    """How the plugin ended.

    Attributes:
        code: Its exit code; None when its time was up.
        stdout: With credentials, so a repr leaves it out.
        stderr: What it said.
        limit: The time that it had, for messages.
        cut_short: Whether the caller's deadline left it less time than a sign-in may take.
    """

    code: int | None
    stdout: bytes = field(repr=False)
    stderr: bytes
    limit: str
    cut_short: bool


class _Stream(threading.Thread):
    """Reads a pipe to its end, and passes on what it reads when it is told to."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._lock = threading.Lock()
        self._passing = False
        self.content = bytearray()
        self.start()

    def run(self) -> None:
        """Read until the pipe ends."""
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 65536):
                with self._lock:
                    self.content += chunk
                    if self._passing:
                        _show(chunk)

    def pass_on(self) -> None:
        """Show what was read so far, and from now on what comes."""
        with self._lock:
            if not self._passing:
                self._passing = True
                _show(bytes(self.content))


class PluginProcess:
    """A plugin that has not been started yet.

    Attributes:
        hold_seconds: How long its stderr is held back.
        patient_seconds: When the user is told what is waited for.
        limit_seconds: When it is ended, unless the caller's deadline is earlier.
    """

    hold_seconds = HOLD_SECONDS
    patient_seconds = PATIENT_SECONDS
    limit_seconds = LIMIT_SECONDS

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], *, interactive: bool, shown: str
    ) -> None:
        """Describe the process.

        Args:
            command: The program and its arguments.
            environ: All its variables.
            interactive: Give it this process's terminal.
            shown: The plugin in messages.
        """
        self._command, self._environ = command, environ
        self._interactive, self._shown = interactive, shown

    def run(self, warn: Callable[[str], None]) -> PluginEnd:
        """Run the plugin to its end, or to the end of its time.

        Raises:
            InvalidInputError: It cannot be started.
        """
        try:
            process = subprocess.Popen(
                self._command,
                env=self._environ,
                stdin=None if self._interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Its children can then be ended with it. One that reads from the terminal has to
                # stay in the terminal's session.
                start_new_session=not self._interactive,
            )
        except (OSError, ValueError) as error:
            cause = (
                isinstance(error, OSError) and error.strerror
            ) or "its arguments are not strings"
            raise InvalidInputError(f"{self._shown} cannot be started: {cause.lower()}") from error
        limit_seconds, cut_short = self._limit()
        assert process.stdout is not None
        assert process.stderr is not None
        stdout, stderr = _Stream(process.stdout), _Stream(process.stderr)
        try:
            code = self._wait(process, stderr, warn, limit_seconds)
        finally:
            self._end(process)
        for stream in (stdout, stderr):
            stream.join(DRAIN_SECONDS)
        if code == 0 or stderr.content.strip().count(b"\n"):
            stderr.pass_on()  # warnings, or more than the one line that the error quotes
        limit = format_duration(limit_seconds)
        return PluginEnd(code, bytes(stdout.content), bytes(stderr.content), limit, cut_short)

    def _limit(self) -> tuple[float, bool]:
        """Return the seconds that the plugin has, and whether the caller's deadline says so."""
        left = seconds_left()
        if left is None or left >= self.limit_seconds:
            return self.limit_seconds, False
        return max(left, LEAST_SECONDS), True

    def _wait(
        self,
        process: subprocess.Popen[bytes],
        stderr: _Stream,
        warn: Callable[[str], None],
        limit_seconds: float,
    ) -> int | None:
        """Return the exit code; None when the time is up."""
        steps: tuple[tuple[float, Callable[[], None]], ...] = (
            (self.hold_seconds, stderr.pass_on),
            (self.patient_seconds, lambda: warn(self._waiting(limit_seconds))),
        )
        passed = 0.0
        for at, act in steps:
            if at >= limit_seconds:
                break
            try:
                return process.wait(max(at - passed, 0))
            except subprocess.TimeoutExpired:
                passed = at
                act()
        try:
            return process.wait(limit_seconds - passed)
        except subprocess.TimeoutExpired:
            return None

    def _waiting(self, limit_seconds: float) -> str:
        limit = format_duration(limit_seconds)
        return f"{self._shown} may ask for a sign-in; waiting for it for up to {limit}"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End the process if it still runs, and what it has started."""
        if process.poll() is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                if self._interactive:
                    process.send_signal(number)
                else:
                    # Again after the plugin's own end: a child may ignore SIGTERM.
                    os.killpg(process.pid, number)
                process.wait(KILL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                return


def _show(content: bytes) -> None:
    """Write to stderr at once, where there is one."""
    if sys.stderr is None or not content:
        return
    try:
        sys.stderr.write(content.decode("utf-8", "replace"))
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # it is closed; the message about the end of the plugin has the last line
