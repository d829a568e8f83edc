"""Reasons why a container cannot start; the messages are those of the kubelet."""

__all__ = ["ConfigError", "MountError", "StartError"]


class ConfigError(Exception):
    """The container's configuration is invalid: it waits with CreateContainerConfigError."""


class MountError(Exception):
    """A volume is not available yet: FailedMount, and the pod waits with ContainerCreating."""


class StartError(Exception):
    """The command could not be executed: exit code 128, reason StartError."""
