"""Hold the creation of one Job in the real API server, with a webhook that never answers.

The webhook must be deleted with its test: it fails closed, and would block every later Job.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

from tests.cluster.env import Env

__all__ = ["gate_before_job"]


@contextlib.contextmanager
def gate_before_job(env: Env, job: str) -> Iterator[Callable[[], None]]:
    """Keep a Job of this name from being created in the namespace while the block runs.

    Yields:
        A function that returns as soon as a POST of that Job is pending. It raises TimeoutError
        after three minutes: a Prefect server of its own takes long on a busy machine.
    """
    name = f"gate-{env.namespace}"
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(180)
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
                        {"name": "name", "expression": f"object.metadata.name == '{job}'"},
                        # A run asks first whether it may create the Job.
                        {
                            "name": "for-real",
                            "expression": "!has(request.dryRun) || !request.dryRun",
                        },
                    ],
                }
            ],
        }
        env.kubectl.apply(manifest)
        try:
            yield lambda: connections.append(server.accept()[0])
        finally:
            env.kubectl("delete", "validatingwebhookconfiguration", name)
            for connection in connections:
                connection.close()
