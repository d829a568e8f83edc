"""The programs that benchmarks run."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["mrunners", "python"]


def python(*arguments: str) -> list[str]:
    """Return a command of this virtual environment's Python."""
    return [sys.executable, *arguments]


def mrunners(*arguments: str) -> list[str]:
    """Return a command of this virtual environment's `mrunners`."""
    return [str(Path(sys.executable).parent / "mrunners"), *arguments]
