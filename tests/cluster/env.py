"""What a cluster test needs: a namespace with the example roles, profiles, and the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.commands import CHECKOUT, Finished, Kubectl, Mrunners, Started

__all__ = ["FAKE_KPERF", "KPERF", "RBAC", "Env", "NewEnv", "profile_text", "roles"]

KPERF = "ghcr.io/azure/kperf:0.3.5"

# tests/faults/fake_kperf, which loads nothing.
FAKE_KPERF = "fake/kperf:0.3.5"
RBAC = CHECKOUT / "examples" / "rbac.yaml"


@dataclass(frozen=True)
class Env:
    """A namespace that enforces Pod Security `restricted`.

    Attributes:
        namespace: Its name.
        mrunners: The program, as the ServiceAccount `mrunners` of examples/rbac.yaml.
        kubectl: The program as administrator, which uses the namespace by default.
        folder: The folder for profiles and other files.
    """

    namespace: str
    mrunners: Mrunners
    kubectl: Kubectl
    folder: Path

    @property
    def as_admin(self) -> Env:
        """The same with `mrunners` as administrator, for what the example roles do not grant."""
        kubeconfig = str(self.kubectl.kubeconfig)
        return replace(self, mrunners=self.mrunners.with_environ(KUBECONFIG=kubeconfig))

    def run(self, *uris: str, options: Sequence[str] = (), image: str = KPERF) -> Finished:
        """Run `mrunners run` with the ServiceAccount that may send the profiles' requests."""
        return self.start_run(*uris, options=options, image=image).finish()

    def start_run(self, *uris: str, options: Sequence[str] = (), image: str = KPERF) -> Started:
        return self.mrunners.start(*self.run_arguments(*uris, image=image), *options)

    def run_arguments(self, *uris: str, image: str = KPERF) -> list[str]:
        runners = [word for uri in uris for word in ("--runners", uri)]
        where = ["run", "--namespace", self.namespace, "--service-account", "kperf-runner"]
        return [*where, "--runner-image", image, *runners]

    def quick(self, pod_count: int = 1) -> str:
        """Return the URI of a load of 50 requests without a rate limit."""
        return self.file("quick", profile_text(total=50), pod_count)

    def slow(self, pod_count: int = 1) -> str:
        """Return the URI of a load that does not end while a test runs."""
        return self.file("slow", profile_text(rate=5, duration=900), pod_count)

    def mostly_forbidden(self, pod_count: int = 1) -> str:
        """Return the URI of a load of which about 89% of the requests are answered with 403."""
        text = profile_text(total=300, forbidden_shares=809)
        return self.file("forbidden", text, pod_count)

    def file(self, name: str, text: str, pod_count: int) -> str:
        """Write a profile; return its URI."""
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return f"file://{path}?numbers={pod_count}"

    def config_map(self, name: str, **values: str) -> None:
        """Create a ConfigMap; `load_profile` is its key load_profile.yaml."""
        data = {f"{key}.yaml": value for key, value in values.items()}
        metadata = {"name": name, "namespace": self.namespace}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        self.kubectl.apply(manifest)

    def jobs(self) -> dict[str, str]:
        """Return the UIDs of the Jobs, by name."""
        return self.kubectl.uids("jobs")


NewEnv = Callable[[str], AbstractContextManager[Env]]
"""Creates an Env in a namespace whose name begins with the text, and deletes it afterwards."""


def profile_text(
    *,
    rate: float = 0,
    total: int = 0,
    duration: int = 0,
    failing_shares: int = 0,
    forbidden_shares: int = 0,
) -> str:
    """Return a profile with two kinds of requests, 100 shares together, and two that fail.

    Args:
        rate: Requests per second.
        total: How many requests.
        duration: Or for how many seconds.
        failing_shares: Of a request that is answered with 404.
        forbidden_shares: Of a request that the ServiceAccount kperf-runner may not send: 403.
    """
    get = {"version": "v1", "resource": "configmaps", "namespace": "default"}
    requests: list[dict[str, Any]] = [
        {"shares": 60, "staleList": {"version": "v1", "resource": "namespaces"}},
        {"shares": 40, "quorumGet": {**get, "name": "kube-root-ca.crt"}},
    ]
    if failing_shares:
        requests.append({"shares": failing_shares, "staleGet": {**get, "name": "absent"}})
    if forbidden_shares:
        secrets = {"version": "v1", "resource": "secrets", "namespace": "default"}
        requests.append({"shares": forbidden_shares, "staleList": secrets})
    length = {"total": total} if total else {"duration": duration}
    spec = {"rate": rate, **length, "conns": 2, "client": 4, "contentType": "json"}
    whole = {"version": 1, "description": "test", "specs": [{**spec, "requests": requests}]}
    return yaml.safe_dump(whole)


def roles(namespace: str) -> list[dict[str, Any]]:
    """Return examples/rbac.yaml for another namespace than `load`.

    Objects outside that namespace get names of their own, so that tests do not share them.
    """
    manifests: list[dict[str, Any]] = list(yaml.safe_load_all(RBAC.read_text()))
    for manifest in manifests:
        metadata = manifest["metadata"]
        if manifest["kind"] == "Namespace":
            metadata["name"] = namespace
        elif metadata.get("namespace") == "load":
            metadata["namespace"] = namespace
        else:
            metadata["name"] += f"-{namespace}"
            if "roleRef" in manifest:
                manifest["roleRef"]["name"] += f"-{namespace}"
        for subject in manifest.get("subjects", ()):
            subject["namespace"] = namespace
    return manifests
