"""Why a container cannot start yet, in a kubelet's words; it must not decide what follows."""

__all__ = ["ConfigError", "MountError", "StartError"]


class ConfigError(Exception):
    """The container cannot be configured; the kubelet waits with CreateContainerConfigError."""


class MountError(Exception):
    """A volume is not there yet; the kubelet waits with ContainerCreating and says FailedMount."""


class StartError(Exception):
    """The runtime could not start the command; exit code 128, reason StartError."""
