"""Run the main process of one container, and keep its log and exit code without an agent.

It is started as a script (`python -I -S shim.py FOLDER`) and imports only the standard library. It
is to the agent what containerd-shim is to containerd: the agent writes `spec.json` into the folder
and reads what the shim writes there, which is `shim.json` (its identity), `running.json` (the
identity of the main process), `log` in the CRI format and finally `exit.json`. SIGTERM is forwarded
to the main process, but only if that handles it: the kernel does the same for PID 1 of a container.
SIGUSR2 kills every process of the container.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

__all__: list[str] = []

PROC = Path("/proc")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # see prctl(2)
# containerd splits longer lines into parts of this size.
LINE_LIMIT_BYTES = 16 * 1024
# How long output is read after the main process has ended. A process that is no descendant of the
# shim may keep the pipe open, and the shim does not wait for it.
DRAIN_SECONDS = 2.0
LIBC = ctypes.CDLL(None)


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the program's name, beginning with field 3."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _write_json(folder: Path, name: str, content: dict[str, Any]) -> None:
    temp_file = folder / f".{name}"
    temp_file.write_text(json.dumps(content))
    temp_file.replace(folder / name)


def _identity(pid: int) -> dict[str, Any]:
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return {"pid": pid, "started_ticks": int(_stat_fields(pid)[19]), "boot": boot}


class ContainerLog:
    """The log of the container, which is rotated when it is full."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit = path, limit
        self.partial = {"stdout": b"", "stderr": b""}
        self._open()

    def _open(self) -> None:
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self.handle).st_size

    def write_output(self, stream: str, data: bytes) -> None:
        """Write the complete lines of some output, and keep the rest until its line is complete."""
        *lines, partial = (self.partial[stream] + data).split(b"\n")
        entries: list[bytes] = []
        for line in lines:
            entries.append(b"F " + self._split_long_line(line, entries))
        self.partial[stream] = self._split_long_line(partial, entries)
        self._write_entries(stream, entries)

    def flush_partial(self) -> None:
        """Write the lines that never ended."""
        for stream, partial in self.partial.items():
            if partial:
                self._write_entries(stream, [b"P " + partial])

    @staticmethod
    def _split_long_line(line: bytes, entries: list[bytes]) -> bytes:
        start = 0
        while len(line) - start > LINE_LIMIT_BYTES:
            entries.append(b"P " + line[start : start + LINE_LIMIT_BYTES])
            start += LINE_LIMIT_BYTES
        return line[start:]

    def _write_entries(self, stream: str, entries: list[bytes]) -> None:
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        prefix = f"{stamp}.{now % 10**9:09d}Z {stream} ".encode()
        batch = bytearray()
        for entry in entries:
            batch += prefix + entry + b"\n"
            if self.size + len(batch) >= self.limit:
                self._append_bytes(bytes(batch))
                batch.clear()
                os.close(self.handle)
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self._open()
        self._append_bytes(bytes(batch))

    def _append_bytes(self, data: bytes) -> None:
        self.size += len(data)
        while data:
            data = data[os.write(self.handle, data) :]


def _descendants() -> list[int]:
    """Return the pids of the container's processes; orphans become children of this subreaper."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat_fields(int(entry.name))[1]), []).append(
                    int(entry.name)
                )
            except (OSError, IndexError):
                continue  # it has ended
    descendants: list[int] = []
    generation = [os.getpid()]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, ())]
        descendants += generation
    return descendants


def _kill_all() -> None:
    for pid in _descendants():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _handles_term(pid: int) -> bool:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    caught_mask = next(line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught_mask, 16) >> (signal.SIGTERM - 1) & 1)


def _exec_container(
    spec: dict[str, Any], stdout_write: int, stderr_write: int, failure_write: int
) -> NoReturn:
    """Become the container's main process, in the child after fork; if that fails, report why."""
    try:
        os.setsid()
        # If the shim is killed, the main process must not keep running unsupervised.
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout_write, 1)
        os.dup2(stderr_write, 2)
        os.umask(0o022)
        os.chdir(spec["working_folder"])
        os.execve(spec["program"], spec["argv"], spec["environment"])  # noqa: S606  # no shell
    except OSError as error:
        os.write(failure_write, (error.strerror or "failed").encode())
    os._exit(127)


class Shim:
    """The main process, its output, and the signals of the agent."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self.folder, self.spec = folder, spec
        self.log = ContainerLog(folder / "log", spec["log_limit_bytes"])
        self.pid = 0
        self.exit_code: int | None = None
        self.finished_at = 0.0
        self.drain_deadline: float | None = None
        self.wake_read, wake_write = os.pipe()
        for handle in (self.wake_read, wake_write):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(wake_write)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def run(self) -> dict[str, Any]:
        """Start the main process, wait for its end, and return the content of exit.json."""
        stdout_read, stdout_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        failure_read, failure_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _exec_container(self.spec, stdout_write, stderr_write, failure_write)
        for handle in (stdout_write, stderr_write, failure_write):
            os.close(handle)
        if failure := os.read(failure_read, 4096):
            os.waitpid(self.pid, 0)
            return {"start_error": failure.decode(), "finished_at": time.time()}
        running = _identity(self.pid) | {"started_at": time.time()}
        _write_json(self.folder, "running.json", running)
        self._follow({stdout_read: "stdout", stderr_read: "stderr"})
        self.log.flush_partial()
        _kill_all()
        return {"exit_code": self.exit_code, "finished_at": self.finished_at}

    def _follow(self, streams: dict[int, str]) -> None:
        while streams or self.exit_code is None:
            timeout = None
            if self.drain_deadline is not None:
                timeout = max(0.0, self.drain_deadline - time.monotonic())
            ready, _, _ = select.select([*streams, self.wake_read], [], [], timeout)
            if not ready:
                return
            for handle in ready:
                if handle == self.wake_read:
                    self._handle_signals(os.read(self.wake_read, 512))
                elif data := os.read(handle, 1 << 18):
                    self.log.write_output(streams[handle], data)
                else:
                    del streams[handle]
            self._reap()

    def _handle_signals(self, signal_numbers: bytes) -> None:
        if signal.SIGUSR2 in signal_numbers:
            _kill_all()
        elif (
            signal.SIGTERM in signal_numbers and self.exit_code is None and _handles_term(self.pid)
        ):
            os.kill(self.pid, signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                exit_code = os.waitstatus_to_exitcode(status)
                # A signal is reported as by runc: 128 plus its number.
                self.exit_code = 128 - exit_code if exit_code < 0 else exit_code
                self.finished_at = time.time()
                # In a container, the end of PID 1 ends all processes of its PID namespace.
                _kill_all()
                self.drain_deadline = time.monotonic() + DRAIN_SECONDS


def _main(folder: Path) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    _write_json(folder, "shim.json", _identity(os.getpid()))
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    _write_json(folder, "exit.json", Shim(folder, spec).run())


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
