"""Run one container's process and keep its log and exit code, whatever happens to the agent.

Started as a script of its own (`python -I -S shim.py FOLDER`), so it imports the standard library
only and must not import this package. It is to the agent what containerd-shim is to containerd:
`spec.json` in its folder says what to run; it writes `shim.json` (who it is), `running.json` (the
main process), the log in the CRI format, and at last `exit.json`. SIGTERM is passed on to the
main process if that handles it: the kernel keeps others from a container's PID 1 too. SIGUSR2
kills everything.
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
# containerd cuts longer lines into parts of this size.
LINE_LIMIT = 16 * 1024
# How long output is read after the main process has ended: a process that left our tree may
# hold the pipe, and is not waited for.
DRAIN_SECONDS = 2.0
LIBC = ctypes.CDLL(None)


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, field 3 first."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _write(folder: Path, name: str, content: dict[str, Any]) -> None:
    scratch = folder / f".{name}"
    scratch.write_text(json.dumps(content))
    scratch.replace(folder / name)


def _identity(pid: int) -> dict[str, Any]:
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return {"pid": pid, "started_ticks": int(_stat_fields(pid)[19]), "boot": boot}


class Log:
    """The container's log; when it is full it moves aside and a new one begins."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit = path, limit
        self.rest = {"stdout": b"", "stderr": b""}
        self._open()

    def _open(self) -> None:
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self.handle).st_size

    def take(self, stream: str, data: bytes) -> None:
        """Write the whole lines of what came, and keep what is not a line yet."""
        *lines, rest = (self.rest[stream] + data).split(b"\n")
        entries: list[bytes] = []
        for line in lines:
            entries.append(b"F " + self._cut(line, entries))
        self.rest[stream] = self._cut(rest, entries)
        self._put(stream, entries)

    def finish(self) -> None:
        """Write what never became a whole line."""
        for stream, rest in self.rest.items():
            if rest:
                self._put(stream, [b"P " + rest])

    @staticmethod
    def _cut(line: bytes, entries: list[bytes]) -> bytes:
        begin = 0
        while len(line) - begin > LINE_LIMIT:
            entries.append(b"P " + line[begin : begin + LINE_LIMIT])
            begin += LINE_LIMIT
        return line[begin:]

    def _put(self, stream: str, entries: list[bytes]) -> None:
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        prefix = f"{stamp}.{now % 10**9:09d}Z {stream} ".encode()
        batch = bytearray()
        for entry in entries:
            batch += prefix + entry + b"\n"
            if self.size + len(batch) >= self.limit:
                self._append(bytes(batch))
                batch.clear()
                os.close(self.handle)
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self._open()
        self._append(bytes(batch))

    def _append(self, data: bytes) -> None:
        self.size += len(data)
        while data:
            data = data[os.write(self.handle, data) :]


def _descendants() -> list[int]:
    """Everything that this container started and that still runs; orphans come to us."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat_fields(int(entry.name))[1]), []).append(
                    int(entry.name)
                )
            except (OSError, IndexError):
                continue  # ended meanwhile
    found: list[int] = []
    wave = [os.getpid()]
    while wave:
        wave = [child for parent in wave for child in children.get(parent, ())]
        found += wave
    return found


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
    caught = next(line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def _become(spec: dict[str, Any], out: int, err: int, failed: int) -> NoReturn:
    """In the child: turn into the container's main process, or say why not."""
    try:
        os.setsid()
        # If we are killed, it must not run on unseen.
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.umask(0o022)
        os.chdir(spec["folder"])
        os.execve(spec["program"], spec["words"], spec["variables"])  # noqa: S606  # no shell meant
    except OSError as error:
        os.write(failed, (error.strerror or "failed").encode())
    os._exit(127)


class Shim:
    """The main process, its output, and the signals of the agent."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self.folder, self.spec = folder, spec
        self.log = Log(folder / "log", spec["log_limit_bytes"])
        self.pid = 0
        self.code: int | None = None
        self.finished = 0.0
        self.deadline: float | None = None
        self.wake, wake_out = os.pipe()
        for handle in (self.wake, wake_out):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(wake_out)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def run(self) -> dict[str, Any]:
        """Start it and wait for its end; what to write into exit.json."""
        (out_in, out), (err_in, err), (failed_in, failed) = os.pipe(), os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.spec, out, err, failed)
        for handle in (out, err, failed):
            os.close(handle)
        if why := os.read(failed_in, 4096):
            os.waitpid(self.pid, 0)
            return {"start_error": why.decode(), "finished_at": time.time()}
        running = _identity(self.pid) | {"started_at": time.time()}
        _write(self.folder, "running.json", running)
        self._follow({out_in: "stdout", err_in: "stderr"})
        self.log.finish()
        _kill_all()
        return {"exit_code": self.code, "finished_at": self.finished}

    def _follow(self, streams: dict[int, str]) -> None:
        while streams or self.code is None:
            patience = None
            if self.deadline is not None:
                patience = max(0.0, self.deadline - time.monotonic())
            ready, _, _ = select.select([*streams, self.wake], [], [], patience)
            if not ready:
                return
            for handle in ready:
                if handle == self.wake:
                    self._heed(os.read(self.wake, 512))
                elif data := os.read(handle, 1 << 18):
                    self.log.take(streams[handle], data)
                else:
                    del streams[handle]
            self._reap()

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGUSR2 in numbers:
            _kill_all()
        elif signal.SIGTERM in numbers and self.code is None and _handles_term(self.pid):
            os.kill(self.pid, signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if ended == 0:
                return
            if ended == self.pid:
                code = os.waitstatus_to_exitcode(status)
                # As runc reports a signal.
                self.code, self.finished = (128 - code if code < 0 else code), time.time()
                # The end of PID 1 is the end of its PID namespace.
                _kill_all()
                self.deadline = time.monotonic() + DRAIN_SECONDS


def _main(folder: Path) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    _write(folder, "shim.json", _identity(os.getpid()))
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    _write(folder, "exit.json", Shim(folder, spec).run())


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
