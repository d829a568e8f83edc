"""What the tests of commands share beyond the session's cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.env import NewEnv
from tests.cluster.whole_run import WholeRun, complete_run


@pytest.fixture(scope="session")
def whole(new_env: NewEnv) -> Iterator[WholeRun]:
    """One run of six pods that has ended; nobody may change it."""
    with new_env("whole") as made:
        yield complete_run(made)
