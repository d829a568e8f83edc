"""One run of six pods, from `run` to `result`, step by step, for the tests that only look at it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster.commands import Finished
from tests.cluster.env import Ground, profile_text

__all__ = ["WholeRun", "go_all_the_way"]


@dataclass(frozen=True)
class WholeRun:
    """What each command of a user's session printed, in the order of their use."""

    ground: Ground
    uris: tuple[str, str, str]
    run: Finished
    early_result: Finished
    wait: Finished
    late_status: Finished
    logs: dict[str, bytes]
    nodes: dict[str, str]
    result: Finished


def go_all_the_way(ground: Ground) -> WholeRun:
    """Three runner URIs with 2, 3 and 1 pods: two files and a ConfigMap."""
    # Long enough that a result asked for at once finds it running.
    calm = ground.file("calm", profile_text(rate=10, total=120), 2)
    errors = ground.file("errors", profile_text(rate=30, total=90, failing_shares=50), 3)
    ground.config_map("mixed", load_profile=profile_text(rate=40, total=80))
    uris = (calm, errors, f"configmap:///{ground.namespace}/mixed?numbers=1")
    run = ground.run(*uris)
    early_result = ground.mrunners("result", ground.namespace)
    wait = ground.mrunners("wait", ground.namespace)
    late_status = ground.mrunners("status", ground.namespace, "--exit-code")
    pods = ground.kubectl.objects("pods")
    names = [pod["metadata"]["name"] for pod in pods]
    return WholeRun(
        ground=ground,
        uris=uris,
        run=run,
        early_result=early_result,
        wait=wait,
        late_status=late_status,
        logs={name: ground.kubectl("logs", name).encode() for name in names},
        nodes={pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods},
        result=ground.mrunners("result", ground.namespace),
    )
