"""Holds the creation of one Job open in the real API server, by a webhook that never answers.

It must not outlive its test: a webhook that fails closed would stop every later Job.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

from tests.cluster.env import Env

__all__ = ["gate_before_job"]


@contextlib.contextmanager
def gate_before_job(env: Env, job: str) -> Iterator[Callable[[], None]]:
    """Within the block no Job of that name comes to be in the namespace.

    Returns: a call that returns once a POST of that Job is under way, undecided; TimeoutError
        after a minute.
    """
    name = f"gate-{env.namespace}"
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        manifest = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [
                {
                    "name": "gate.example.test",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "failurePolicy": "Fail",
                    "timeoutSeconds": 30,
                    "clientConfig": {"url": f"https://127.0.0.1:{server.getsockname()[1]}/"},
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": env.namespace}
                    },
                    "rules": [
                        {
                            "apiGroups": ["batch"],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["jobs"],
                        }
                    ],
                    "matchConditions": [
                        {"name": "name", "expression": f"object.metadata.name == '{job}'"}
                    ],
                }
            ],
        }
        env.kubectl.apply(manifest)
        try:
            yield lambda: held.append(server.accept()[0])
        finally:
            env.kubectl("delete", "validatingwebhookconfiguration", name)
            for connection in held:
                connection.close()
