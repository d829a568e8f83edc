"""Drive kperf's own group server, which creates a Job, receives reports by HTTP and merges them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import yaml

from tests.cluster.commands import end
from tests.localcluster.env import Json, LocalCluster

__all__ = ["GroupServer", "PeerCluster", "eventually", "peer_cluster"]

T = TypeVar("T")

# The server requires an address that is not loopback, and only passes it to its runners. A port of
# the all-hosts multicast group can be listened on, and no TCP connection can ever reach it.
_UNREACHABLE = "224.0.0.1:0"


class PeerCluster(LocalCluster):
    """A control plane without nodes: a pod does not change until a test sets its status."""

    @property
    def kubeconfig(self) -> Path:
        """The path of the cluster's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def kperf(self) -> Path:
        """The path of the built kperf."""
        return Path(json.loads((self.folder / "record.json").read_text())["bin_folder"]) / "kperf"


@contextmanager
def peer_cluster(state: Path) -> Iterator[PeerCluster]:
    """Start a cluster for the caller alone, and stop it at the end."""
    cluster = PeerCluster(state, "peer")
    try:
        cluster.up("--process-hosts", "0", "--kwok-hosts", "0")
        yield cluster
    finally:
        cluster.down()


class GroupServer:
    """`kperf runnergroup server` with one group.

    When it is started again with the same name and folder, it uses the existing Job and the reports
    that it already has.

    Attributes:
        process: The server.
        started: When it was started, by time.perf_counter().
    """

    def __init__(self, cluster: PeerCluster, folder: Path, name: str, count: int) -> None:
        self._cluster, self._folder = cluster, folder
        self._name, self._count = name, count

    def __enter__(self) -> GroupServer:
        group = self._folder / f"{self._name}.yaml"
        # The runners never run, so their profile may be empty; the server does not validate it.
        group.write_text(yaml.safe_dump({"count": self._count, "loadProfile": {"version": 1}}))
        data = self._folder / self._name
        for subfolder in ("data", "ingest"):
            # The server would create them with mode 0600, which only root can enter.
            (data / subfolder).mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        addresses = ["--address", self._address, "--address", _UNREACHABLE]
        command = ["-v=0", "runnergroup", "--kubeconfig", str(self._cluster.kubeconfig), "server"]
        options = [
            "--runnergroup",
            f"file://{group}",
            "--runner-image",
            "none",
            "--data",
            str(data),
        ]
        self.started = time.perf_counter()
        with (self._folder / f"{self._name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [str(self._cluster.kperf), *command, *options, *addresses, self._name],
                stdout=log,
                stderr=log,
            )
        try:
            eventually("the group server responds", self._responds)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @cached_property
    def pods(self) -> list[str]:
        """Wait until all pods of the group exist; their names by completion index."""
        return eventually("all pods of the group exist", self._pods, 180)

    def post(self, pod: str, report: bytes) -> None:
        """Upload a runner's report, as its script does."""
        response = self._request(f"/v1/runnergroups/{pod}/result", report)
        assert response == b"", response

    def store(self, pod: str, report: Path) -> None:
        """Copy a report to where an upload stores it (kperf, runner/localstore/writer.go)."""
        shutil.copyfile(report, self._folder / self._name / "data" / pod)

    def end(self, pods: Sequence[str]) -> None:
        """Mark these pods as succeeded; after the last one the server merges."""
        status = json.dumps({"status": {"phase": "Succeeded"}})
        options = ["--subresource=status", "--type=merge", f"--patch={status}"]
        for start in range(0, len(pods), 200):
            self._cluster.kubectl("patch", "pods", *pods[start : start + 200], *options)

    def ended(self) -> bool:
        """Whether the Job's status says that all pods have ended."""
        status = self._cluster.get("job", f"{self._name}-0")["status"]
        return bool(status.get("succeeded") == self._count)

    def summary(self, seconds: float = 120) -> Json:
        """Wait for the merged report and return it."""
        report: Json = json.loads(self._request("/v1/runnergroups/summary?wait", seconds=seconds))
        return report

    def peak_bytes(self) -> int:
        """Return the server's peak memory so far (Linux)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("this kernel does not report VmHWM")

    def cpu_seconds(self) -> float:
        """Return the server's processor time so far (Linux)."""
        # proc(5): fields 14 and 15. The name in parentheses before them may have blanks.
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def _request(self, path: str, body: bytes | None = None, seconds: float = 60) -> bytes:
        request = urllib.request.Request(f"http://{self._address}{path}", body)
        with urllib.request.urlopen(request, timeout=seconds) as response:
            content: bytes = response.read()
        return content

    def _responds(self) -> bool:
        assert self.process.poll() is None, (self._folder / f"{self._name}.log").read_text()
        try:
            self._request("/v1/runnergroups")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def _pods(self) -> list[str]:
        pods = self._cluster.get("pods", "--selector", f"job-name={self._name}-0")["items"]
        index = "batch.kubernetes.io/job-completion-index"
        pods.sort(key=lambda pod: int(pod["metadata"]["labels"][index]))
        names = [str(pod["metadata"]["name"]) for pod in pods]
        return names if len(names) == self._count else []

    def _stop(self) -> None:
        end(self.process)


def eventually(description: str, condition: Callable[[], T], seconds: float = 60) -> T:
    """Wait until the condition is true; return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true after {seconds} s: {description}"
        time.sleep(0.02)
    return value
