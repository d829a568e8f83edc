"""Run one container's process and keep its log and exit code, whatever happens to the agent.

Started as a script of its own (`python -I -S shim.py FOLDER`), so it imports the standard library
only and must not import this package. It is to the agent what containerd-shim is to containerd:
`folder/spec.json` says what to run; it writes `shim.json` (who it is), `running.json` (the main
process), the log in the CRI format, and at last `exit.json`. SIGTERM is passed on to the main
process if that handles it: the kernel keeps others from a container's PID 1 too. SIGUSR2 kills
everything.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# containerd cuts longer lines into parts of this size.
LINE_LIMIT = 16 * 1024
LIBC = ctypes.CDLL(None)


def stat_fields(pid):  # type: ignore[no-untyped-def]
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def write(folder, name, content):  # type: ignore[no-untyped-def]
    scratch = os.path.join(folder, f".{name}")
    with open(scratch, "w") as file:
        json.dump(content, file)
    os.replace(scratch, os.path.join(folder, name))


def identity(pid):  # type: ignore[no-untyped-def]
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    return {"pid": pid, "started_ticks": int(stat_fields(pid)[19]), "boot": boot}


class Log:
    """The container's log; when it is full it moves aside and a new one begins."""

    def __init__(self, path, limit):  # type: ignore[no-untyped-def]
        self.path, self.limit = path, limit
        self.file = open(path, "ab", buffering=0)
        self.size = self.file.tell()
        self.rest = {b"stdout": b"", b"stderr": b""}

    def take(self, stream, data):  # type: ignore[no-untyped-def]
        """Write the whole lines of what came, and keep what is not a line yet."""
        *lines, rest = (self.rest[stream] + data).split(b"\n")
        entries = []
        for line in lines:
            while len(line) > LINE_LIMIT:
                entries.append(b"P " + line[:LINE_LIMIT])
                line = line[LINE_LIMIT:]
            entries.append(b"F " + line)
        while len(rest) > LINE_LIMIT:
            entries.append(b"P " + rest[:LINE_LIMIT])
            rest = rest[LINE_LIMIT:]
        self.rest[stream] = rest
        self.put(stream, entries)

    def finish(self):  # type: ignore[no-untyped-def]
        for stream, rest in self.rest.items():
            if rest:
                self.put(stream, [b"P " + rest])

    def put(self, stream, entries):  # type: ignore[no-untyped-def]
        if not entries:
            return
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        prefix = f"{stamp}.{now % 10**9:09d}Z ".encode() + stream + b" "
        batch = []
        for entry in entries:
            batch.append(prefix + entry + b"\n")
            self.size += len(batch[-1])
            if self.size >= self.limit:
                self.write(b"".join(batch))
                batch = []
                self.file.close()
                os.replace(self.path, self.path + ".1")
                self.file = open(self.path, "ab", buffering=0)
                self.size = 0
        self.write(b"".join(batch))

    def write(self, data):  # type: ignore[no-untyped-def]
        while data:
            data = data[self.file.write(data) :]


def descendants():  # type: ignore[no-untyped-def]
    """Everything that this container started and that still runs; orphans come to us."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents.setdefault(int(stat_fields(name)[1]), []).append(int(name))
            except (OSError, IndexError):
                continue
    found, wave = [], [os.getpid()]
    while wave:
        wave = [child for parent in wave for child in parents.get(parent, ())]
        found += wave
    return found


def kill_all():  # type: ignore[no-untyped-def]
    for pid in descendants():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def handles_term(pid):  # type: ignore[no-untyped-def]
    try:
        with open(f"/proc/{pid}/status") as file:
            caught = next(line for line in file if line.startswith("SigCgt:"))
    except OSError:
        return False
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def child(spec, out, err, failed):  # type: ignore[no-untyped-def]
    try:
        os.setsid()
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(spec["folder"])
        os.execve(spec["program"], spec["words"], spec["variables"])
    except OSError as error:
        os.write(failed, (error.strerror or "failed").encode())
    os._exit(127)


def main(folder):  # type: ignore[no-untyped-def]
    with open(os.path.join(folder, "spec.json")) as file:
        spec = json.load(file)
    write(folder, "shim.json", identity(os.getpid()))
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    log = Log(os.path.join(folder, "log"), spec["log_limit_bytes"])
    wake_in, wake_out = os.pipe()
    os.set_blocking(wake_in, False)
    os.set_blocking(wake_out, False)
    signal.set_wakeup_fd(wake_out)
    for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    (out_in, out), (err_in, err), (failed_in, failed) = os.pipe(), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        child(spec, out, err, failed)
    for handle in (out, err, failed):
        os.close(handle)
    if why := os.read(failed_in, 4096):
        os.waitpid(pid, 0)
        write(folder, "exit.json", {"start_error": why.decode(), "finished_at": time.time()})
        return
    write(folder, "running.json", identity(pid) | {"started_at": time.time()})
    streams = {out_in: b"stdout", err_in: b"stderr"}
    code, finished, deadline = None, 0.0, None
    while streams or code is None:
        # A process that left the container's tree may hold the pipe; it is not waited for.
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([*streams, wake_in], [], [], patience)
        if not ready:
            break
        for handle in ready:
            if handle == wake_in:
                for number in os.read(wake_in, 512):
                    if number == signal.SIGUSR2:
                        kill_all()
                    elif number == signal.SIGTERM and code is None and handles_term(pid):
                        os.kill(pid, signal.SIGTERM)
            elif data := os.read(handle, 1 << 18):
                log.take(streams[handle], data)
            else:
                del streams[handle]
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == 0:
                break
            if ended == pid:
                number = os.waitstatus_to_exitcode(status)
                # As runc reports a signal.
                code, finished = (128 - number if number < 0 else number), time.time()
                # The end of PID 1 is the end of its PID namespace.
                kill_all()
                deadline = time.monotonic() + 2
    log.finish()
    kill_all()
    write(folder, "exit.json", {"exit_code": code, "finished_at": finished})


if __name__ == "__main__":
    main(sys.argv[1])
