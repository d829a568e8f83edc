"""Lets property tests take the time that they need; also a plugin of pytest, for other runs.

On a busy machine deadlines make correct tests fail. Benchmarks measure times.
"""

from __future__ import annotations

from hypothesis import settings

__all__ = ["load_no_deadlines"]


def load_no_deadlines() -> None:
    """Load the settings for all tests of this process."""
    settings.register_profile("no deadlines", deadline=None)
    settings.load_profile("no deadlines")


def pytest_configure() -> None:
    """Do so where no conftest.py does: in the copies that mutations change."""
    load_no_deadlines()
