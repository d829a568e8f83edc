"""Everything that can go wrong, as one tree.

LocalClusterError
├── ToolchainError     no Go, too old a Go, or one that cannot download the version in go.mod
├── BuildFailedError   a binary or a layer of an image could not be built
├── PlaneError         the control plane or an agent did not start or does not answer
├── KubeconfigError    the kubeconfig's path holds another file
└── UsageError         an option that makes no sense
"""

__all__ = [
    "BuildFailedError",
    "KubeconfigError",
    "LocalClusterError",
    "PlaneError",
    "ToolchainError",
    "UsageError",
]


class LocalClusterError(Exception):
    """The base class; its message says what happened, to which object, and what to do."""

    exit_code = 1


class ToolchainError(LocalClusterError):
    """No Go was found that can build the pinned modules."""


class BuildFailedError(LocalClusterError):
    """A binary or a layer of an image could not be built."""


class PlaneError(LocalClusterError):
    """The control plane or a node did not come up."""


class KubeconfigError(LocalClusterError):
    """The kubeconfig's path holds a file that this package did not write."""

    exit_code = 2


class UsageError(LocalClusterError):
    """An option has an invalid value."""

    exit_code = 2
