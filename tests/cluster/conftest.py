"""Fixtures that the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.env import NewEnv
from tests.cluster.whole_run import WholeRun, complete_run


@pytest.fixture(scope="session")
def whole(new_env: NewEnv) -> Iterator[WholeRun]:
    """A finished run of six pods; tests must not change it."""
    with new_env("whole") as env:
        yield complete_run(env)
