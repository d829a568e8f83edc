"""Kubeconfigs that are not files, such as those in a Prefect block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Kubeconfig", "KubeconfigSource"]


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The content of a kubeconfig.

    Attributes:
        content: As in kubectl's file; it can hold credentials, so a repr leaves it out.
        context: The context to use; empty means the current one.
    """

    content: Mapping[str, Any] = field(repr=False)
    context: str = ""


@dataclass(frozen=True, slots=True)
class KubeconfigSource:
    """Where a kubeconfig that is not a file comes from.

    Attributes:
        name: For messages, as a user would write it.
        read: Returns the current kubeconfig; called again when the credentials have expired.
    """

    name: str
    read: Callable[[], Kubeconfig] = field(repr=False)
