"""A local cluster as its users have it: driven by the command line, with its own state folder."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

CHECKOUT = Path(__file__).resolve().parents[2]
KPERF = "ghcr.io/azure/kperf:0.3.5"
Json = dict[str, Any]
T = TypeVar("T")


class LocalCluster:
    """One cluster, given by its name and the folder of all clusters' state."""

    def __init__(self, state: Path, name: str) -> None:
        self.state, self.name = state, name
        self.folder = state / name

    def environ(self) -> dict[str, str]:
        return dict(os.environ) | {"MRUNNERS_LOCALCLUSTER_STATE": str(self.state)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `python -m localcluster` with these arguments."""
        return subprocess.Popen(
            [sys.executable, "-m", "localcluster", *arguments],
            cwd=CHECKOUT,
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run `python -m localcluster`; return stdout, or stderr if a failure is expected."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=180)
        assert process.returncode == code, err
        return out if code == 0 else err

    def up(self, *options: str) -> str:
        return self.command("up", "--name", self.name, *options)

    def down(self) -> None:
        self.command("down", "--name", self.name)

    def kubectl(self, *arguments: str, stdin: str | None = None, code: int | None = 0) -> str:
        """Run kubectl; return stdout, or stderr if it failed. `code` None accepts both."""
        done = subprocess.run(
            [*self._kubectl_command(), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert code is None or done.returncode == code, done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    def _kubectl_command(self) -> list[str]:
        bin_folder = json.loads((self.folder / "record.json").read_text())["bin_folder"]
        return [f"{bin_folder}/kubectl", f"--kubeconfig={self.folder / 'kubeconfig'}"]

    @contextlib.contextmanager
    def watching(self, *arguments: str) -> Iterator[Callable[[], list[str]]]:
        """Watch with kubectl while the block runs; yield what returns the lines so far."""
        with tempfile.TemporaryFile() as out:
            command = [*self._kubectl_command(), "get", "--watch", *arguments]
            process = subprocess.Popen(command, stdout=out)
            try:
                yield lambda: os.pread(out.fileno(), 1 << 20, 0).decode().splitlines()
            finally:
                process.terminate()
                process.wait()

    def apply(self, *objects: Json) -> None:
        manifest = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def get(self, *arguments: str) -> Json:
        result: Json = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return result

    def pod(self, name: str, namespace: str = "default") -> Json:
        return self.get("pod", name, "-n", namespace)

    def wait_for_phase(self, name: str, *phases: str) -> Json:
        """Wait until a pod is in one of these phases; return the pod."""
        return wait_for(lambda: self.pod(name), lambda pod: pod["status"].get("phase") in phases)

    def wait_for_reason(self, name: str, reason: str) -> str:
        """Wait until a pod's first container waits for this reason; return the message."""

        def waiting(pod: Json) -> Json:
            statuses = pod["status"].get("containerStatuses") or [{}]
            state: Json = statuses[0].get("state", {}).get("waiting", {})
            return state

        pod = wait_for(lambda: self.pod(name), lambda pod: waiting(pod).get("reason") == reason)
        return str(waiting(pod).get("message", ""))

    def events(self, name: str, reason: str) -> list[Json]:
        selector = f"involvedObject.name={name},reason={reason}"
        items: list[Json] = self.get("events", "--field-selector", selector)["items"]
        return items

    def processes(self) -> list[str]:
        """Return the command lines of all processes that use the state folder."""
        command_lines = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                command_line = (entry / "cmdline").read_bytes().decode(errors="replace")
                working_folder = str((entry / "cwd").readlink())
                folder = str(self.folder)
                if folder in command_line or working_folder.startswith(folder):
                    command_lines.append(command_line.replace("\0", " "))
        return command_lines


def wait_for(read: Callable[[], T], condition: Callable[[T], object], seconds: float = 30) -> T:
    """Read until the condition is true; return what was read last."""
    deadline = time.monotonic() + seconds
    while not condition(current := read()):
        assert time.monotonic() < deadline, f"the condition is false after {seconds} s: {current}"
        time.sleep(0.1)
    return current


def terminated_state(pod: Json) -> Json:
    """Return how the pod's first container ended."""
    state: Json = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return state


def make_pod(name: str, *command: str, container: Json | None = None, **spec: Any) -> Json:
    """Return a pod with one container."""
    main: Json = {"name": "main", "image": KPERF, "command": list(command)} | (container or {})
    pod_spec: Json = {"restartPolicy": "Never", "containers": [main]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod_spec}


def script_pod(name: str, script: str, **spec: Any) -> Json:
    """Return a pod that runs a shell script."""
    return make_pod(name, "sh", "-c", script, **spec)
