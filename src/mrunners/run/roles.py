"""The roles that a run needs, from the load profiles of its runner URIs."""

from __future__ import annotations

from collections.abc import Sequence

from mrunners.kube.api import Cluster
from mrunners.plan.metadata import Manifest
from mrunners.plan.role_manifests import own_rbac, runner_rbac
from mrunners.profiles.access import required_access
from mrunners.profiles.loading import read_runners
from mrunners.profiles.profile import LoadProfile
from mrunners.profiles.sources import SourceContext
from mrunners.run.preflight import ConfigMaps

__all__ = ["roles_of_run"]


def roles_of_run(
    cluster: Cluster, namespace: str, uris: Sequence[str], account: str
) -> list[Manifest]:
    """Return the manifests of the smallest roles for a run's runners, and for who starts it.

    Args:
        cluster: Where profiles in ConfigMaps are.
        namespace: Of the run.
        uris: Its runner URIs.
        account: The ServiceAccount of runners whose group names none.

    Raises:
        InvalidInputError: URIs or profiles are wrong; one line for each problem.
    """
    loaded = read_runners(uris, SourceContext(config_maps=ConfigMaps(cluster)), None)
    profiles: dict[str, list[LoadProfile]] = {}
    for runner in loaded:
        profiles.setdefault(runner.service_account or account, []).append(runner.profile)
    accounts = {name: required_access(of) for name, of in profiles.items()}
    read = {
        (place, name)
        for runner in loaded
        if runner.spec.scheme == "configmap"
        for _, place, name in [runner.spec.path.split("/", 2)]
    }
    return [*runner_rbac(namespace, accounts), *own_rbac(namespace, sorted(read))]
