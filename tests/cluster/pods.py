"""Runs whose pods a test does something to, and what their reports say of them."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.commands import Finished, Started, until
from tests.cluster.env import Env, profile_text

__all__ = ["ended", "evict", "missing", "running_pods", "seen_running", "started"]


def running_pods(env: Env, count: int) -> dict[str, str]:
    """Wait until so many pods run; return their nodes by name."""
    found: dict[str, str] = {}

    def all_run() -> bool:
        pods = env.kubectl.objects("pods")
        found.clear()
        for pod in pods:
            if pod["status"]["phase"] == "Running":
                found[pod["metadata"]["name"]] = pod["spec"]["nodeName"]
        return len(found) == count

    until(f"{count} pods run", all_run)
    return dict(found)


def seen_running(run: Started, env: Env, count: int) -> dict[str, str]:
    """The same, and wait until the run says so: what it has not seen, it cannot miss."""
    pods = running_pods(env, count)
    text = f"{count} running"
    until(f"it says: {text}", lambda: any(text in line for line in run.stderr_lines()))
    return pods


def ended(env: Env, count: int) -> bool:
    """Whether so many pods have succeeded, and there are no others."""
    phases = [pod["status"]["phase"] for pod in env.kubectl.objects("pods")]
    return phases == ["Succeeded"] * count


def started(env: Env, pods: int, seconds: int, *options: str) -> Started:
    """Start a run that loads for some seconds."""
    load = env.file("load", profile_text(rate=5, duration=seconds), pods)
    return env.start_run(load, options=["--wait", *options])


def missing(result: Finished) -> list[dict[str, Any]]:
    """Return what is missing in the report that `result` has printed."""
    found: list[dict[str, Any]] = result.report["coverage"]["missing"]
    return found


def evict(env: Env, pod: str) -> None:
    """Evict a pod through the API."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": env.namespace},
    }
    path = f"/api/v1/namespaces/{env.namespace}/pods/{pod}/eviction"
    env.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
