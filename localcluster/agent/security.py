"""Would a kubelet let this container run as the user it would get; it must not change users."""

from collections.abc import Mapping
from typing import Any

from localcluster.agent.images import Image
from localcluster.agent.problems import ConfigError

__all__ = ["check_user"]


def check_user(pod: Mapping[str, Any], container: Mapping[str, Any], image: Image) -> None:
    """The kubelet's verifyRunAsNonRoot, with its words.

    Args:
        pod: the pod.
        container: as in its spec.
        image: its image.
    Raises: ConfigError: it would be root where root is refused.
    """
    shared = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    # The container's own setting wins over the pod's.
    non_root = own.get("runAsNonRoot", shared.get("runAsNonRoot"))
    user = own.get("runAsUser", shared.get("runAsUser"))
    if not non_root:
        return
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    where = f'pod: "{name}_{namespace}({pod["metadata"]["uid"]})", container: {container["name"]}'
    if user == 0:
        raise ConfigError(f"container's runAsUser breaks non-root policy ({where})")
    if user is None and image.user in {"", "0", "root"}:
        raise ConfigError(f"container has runAsNonRoot and image will run as root ({where})")
    if user is None and not image.user.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({image.user}), "
            f"cannot verify user is non-root ({where})"
        )
