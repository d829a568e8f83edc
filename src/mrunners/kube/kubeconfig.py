"""A kubeconfig that is kept somewhere else than in a file, and is read whenever it is needed.

It must not know where: whoever keeps it gives a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Kubeconfig", "KubeconfigSource"]


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """A kubeconfig as it was read.

    Attributes:
        content: as kubectl's file has it; it may hold credentials.
        context: the context to use; empty means its current one.
    """

    content: Mapping[str, Any] = field(repr=False)
    context: str = ""


@dataclass(frozen=True, slots=True)
class KubeconfigSource:
    """A kubeconfig that is not in a file.

    Attributes:
        name: as a user would write it, for messages.
        read: gives it as it is now; called again when its credentials have expired.
    """

    name: str
    read: Callable[[], Kubeconfig] = field(repr=False)
