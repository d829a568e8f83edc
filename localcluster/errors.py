"""What can go wrong, as one tree; it must not print or exit.

LocalClusterError
├── ToolchainError     Go is missing, too old, or cannot fetch what go.mod asks for
├── BuildFailedError   go build said no
├── PlaneError         the control plane did not start or does not answer
├── KubeconfigError    the kubeconfig's place is taken by a file of somebody else
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
    """The root; its text says what happened, to what, and what to do next."""

    exit_code = 1


class ToolchainError(LocalClusterError):
    """No Go that can build the pinned modules."""


class BuildFailedError(LocalClusterError):
    """A binary could not be built; go's own words were shown before."""


class PlaneError(LocalClusterError):
    """The control plane or a node did not come up."""


class KubeconfigError(LocalClusterError):
    """A file that is not ours stands where the kubeconfig should go."""

    exit_code = 2


class UsageError(LocalClusterError):
    """A name or a number that cannot be."""

    exit_code = 2
