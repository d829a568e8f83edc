"""A local cluster as its users have it: by the command line, in a state folder of its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
KPERF = "ghcr.io/azure/kperf:0.3.5"
Json = dict[str, Any]


class LocalCluster:
    """One cluster by its name."""

    def __init__(self, state: Path, name: str) -> None:
        self.state, self.name = state, name
        self.folder = state / name

    def environ(self) -> dict[str, str]:
        return dict(os.environ) | {"MRUNNERS_LOCALCLUSTER_STATE": str(self.state)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "localcluster", *words],
            cwd=CHECKOUT,
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *words: str, code: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=180)
        assert process.returncode == code, err
        return out if code == 0 else err

    def up(self, *options: str) -> str:
        return self.command("up", "--name", self.name, *options)

    def down(self) -> None:
        self.command("down", "--name", self.name)

    def kubectl(self, *words: str, stdin: str | None = None, code: int | None = 0) -> str:
        program = Path(json.loads((self.folder / "record.json").read_text())["programs"])
        done = subprocess.run(
            [program / "kubectl", "--kubeconfig", self.folder / "kubeconfig", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert code is None or done.returncode == code, done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    def apply(self, *objects: Json) -> None:
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(everything))

    def get(self, *words: str) -> Json:
        found: Json = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def pod(self, name: str, namespace: str = "default") -> Json:
        return self.get("pod", name, "-n", namespace)

    def phase(self, name: str, *phases: str) -> Json:
        """Wait until the pod is in one of these phases."""
        return wait_for(lambda: self.pod(name), lambda pod: pod["status"].get("phase") in phases)

    def waiting(self, name: str, reason: str) -> str:
        """Wait until the pod's first container waits for this reason; the message."""

        def seen(pod: Json) -> Json:
            statuses = pod["status"].get("containerStatuses") or [{}]
            found: Json = statuses[0].get("state", {}).get("waiting", {})
            return found

        pod = wait_for(lambda: self.pod(name), lambda pod: seen(pod).get("reason") == reason)
        return str(seen(pod).get("message", ""))

    def events(self, name: str, reason: str) -> list[Json]:
        selector = f"involvedObject.name={name},reason={reason}"
        items: list[Json] = self.get("events", "--field-selector", selector)["items"]
        return items

    def processes(self) -> list[str]:
        """Command lines of everything that has to do with the state folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                place = str((entry / "cwd").readlink())
                if str(self.folder) in words or place.startswith(str(self.folder)):
                    found.append(words.replace("\0", " "))
        return found


def wait_for(look: Callable[[], Json], good: Callable[[Json], bool], seconds: float = 30) -> Json:
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"not so after {seconds} s: {seen}"
        time.sleep(0.1)
    return seen


def ended(pod: Json) -> Json:
    state: Json = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return state


def pod_of(name: str, *command: str, container: Json | None = None, **spec: Any) -> Json:
    main: Json = {"name": "main", "image": KPERF, "command": list(command)} | (container or {})
    whole: Json = {"restartPolicy": "Never", "containers": [main]} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def script(name: str, text: str, **spec: Any) -> Json:
    return pod_of(name, "sh", "-c", text, **spec)
