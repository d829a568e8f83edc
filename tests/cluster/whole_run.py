"""One run of six pods, from `run` to `result`, for the tests that only read its output."""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster.commands import Finished
from tests.cluster.env import Env, profile_text

__all__ = ["WholeRun", "complete_run"]


@dataclass(frozen=True)
class WholeRun:
    """The output of each command of a user's session, in the order of their use."""

    env: Env
    uris: tuple[str, str, str]
    run: Finished
    early_result: Finished
    wait: Finished
    late_status: Finished
    logs: dict[str, bytes]
    nodes: dict[str, str]
    result: Finished


def complete_run(env: Env) -> WholeRun:
    """Run three runner URIs with 2, 3 and 1 pods: two files and a ConfigMap."""
    # Long enough that `result` right after `run` finds the run running.
    calm = env.file("calm", profile_text(rate=10, total=120), 2)
    errors = env.file("errors", profile_text(rate=30, total=90, failing_shares=50), 3)
    env.config_map("mixed", load_profile=profile_text(rate=40, total=80))
    uris = (calm, errors, f"configmap:///{env.namespace}/mixed?numbers=1")
    run = env.run(*uris)
    early_result = env.mrunners("result", env.namespace)
    wait = env.mrunners("wait", env.namespace)
    late_status = env.mrunners("status", env.namespace, "--exit-code")
    pods = env.kubectl.objects("pods")
    names = [pod["metadata"]["name"] for pod in pods]
    return WholeRun(
        env=env,
        uris=uris,
        run=run,
        early_result=early_result,
        wait=wait,
        late_status=late_status,
        logs={name: env.kubectl("logs", name).encode() for name in names},
        nodes={pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods},
        result=env.mrunners("result", env.namespace),
    )
