"""Commands that are killed at seeded random moments of a run, and given once more."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.commands import Kubectl, Mrunners, bare_environment
from tests.cluster.fault_rows import record_row
from tests.faults.kill_moments import SEED_VARIABLE, seed
from tests.faults.killed_life import KilledLife
from tests.faults.proxy import proxying
from tests.faults.tally import Tally
from tests.faults.upstream import Upstream
from tests.faults.witness import FAST_PROFILE, POD_COUNTS, namespace_manifests

# Each command starts a Python of its own, which is all that they do on a small machine.
SIDE_BY_SIDE = 3


# `make test` has one run, `make test-faults` all of them.
@pytest.mark.parametrize(
    ("batch", "runs"),
    [(0, 1), *(pytest.param(batch, 11, marks=pytest.mark.long) for batch in (1, 2, 3, 4))],
)
def test_each_command_killed_at_a_random_moment_can_be_given_again(
    batch: int,
    runs: int,
    kubectl: Kubectl,
    prefect_api: str,
    tmp_path: Path,
    record_tally: Callable[[Tally], None],
    request: pytest.FixtureRequest,
) -> None:
    upstream = Upstream(kubectl.kubeconfig, tmp_path)
    profile = tmp_path / "profile.yaml"
    profile.write_text(FAST_PROFILE)
    names = [f"kills-{batch}-{number}" for number in range(runs)]
    kubectl.apply(*(item for name in names for item in namespace_manifests(name)))
    with ExitStack() as stack:
        lives = [
            KilledLife(
                mrunners=Mrunners(_environ(tmp_path / name, prefect_api)),
                namespace=name,
                runners=tuple(f"file://{profile}?numbers={count}" for count in POD_COUNTS),
                proxy=stack.enter_context(proxying(upstream, tmp_path, name)),
                source=random.Random(f"{seed()} {name}"),
            )
            for name in names
        ]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            tally = Tally.total(pool.map(KilledLife.live, lives))
    record_tally(tally)
    record_row(request, tally.row("a command is killed at a random moment"))
    problems = [f"{life.namespace}: {problem}" for life in lives for problem in life.problems]
    assert problems == [], f"again with {SEED_VARIABLE}={seed()}"
    assert tally.flawless, str(tally)
    # A moment may come when the command has ended; most do not.
    assert tally.kills >= 2 * runs


def _environ(home: Path, prefect_api: str) -> dict[str, str]:
    home.mkdir()
    return {
        **bare_environment(),
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": prefect_api,
    }
