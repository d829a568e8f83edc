"""Reasons why a container cannot start; the messages are those of the kubelet."""

__all__ = ["ConfigError", "MountError", "StartError", "start_failure"]


class ConfigError(Exception):
    """The container's configuration is invalid: it waits with CreateContainerConfigError."""


class MountError(Exception):
    """A volume is not available yet: FailedMount, and the pod waits with ContainerCreating."""


class StartError(Exception):
    """The command could not be executed: exit code 128, reason StartError."""


def start_failure(program: str, reason: str) -> str:
    """Return the message of containerd and runc for a program that cannot be executed.

    Args:
        program: As in the pod's spec.
        reason: The cause, such as `permission denied`.
    """
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        "runc create failed: unable to start container process: error during container init: "
        f'exec: "{program}": {reason}: unknown'
    )
