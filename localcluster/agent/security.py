"""The kubelet's check of runAsNonRoot. The user of a process is never changed."""

from collections.abc import Mapping
from typing import Any

from localcluster.agent.container_errors import ConfigError
from localcluster.agent.images import Image

__all__ = ["validate_user"]


def validate_user(pod: Mapping[str, Any], container: Mapping[str, Any], image: Image) -> None:
    """Check a container as the kubelet's verifyRunAsNonRoot does, with the same messages.

    Args:
        pod: The pod.
        container: The container as in the pod's spec.
        image: The image of the container.

    Raises:
        ConfigError: The container would run as root although that is forbidden.
    """
    pod_context = pod["spec"].get("securityContext") or {}
    container_context = container.get("securityContext") or {}
    # The container's setting overrides the pod's.
    non_root = container_context.get("runAsNonRoot", pod_context.get("runAsNonRoot"))
    user = container_context.get("runAsUser", pod_context.get("runAsUser"))
    if not non_root:
        return
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    pod_name = f"{name}_{namespace}({pod['metadata']['uid']})"
    description = f'pod: "{pod_name}", container: {container["name"]}'
    if user == 0:
        raise ConfigError(f"container's runAsUser breaks non-root policy ({description})")
    if user is None and image.user in {"", "0", "root"}:
        raise ConfigError(f"container has runAsNonRoot and image will run as root ({description})")
    if user is None and not image.user.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({image.user}), "
            f"cannot verify user is non-root ({description})"
        )
