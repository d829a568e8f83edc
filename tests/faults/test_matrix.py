"""Every request that mrunners sends, met by every fault: nothing lost, nothing twice, no lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.commands import Kubectl
from tests.cluster.fault_rows import record_row
from tests.faults.fault_table import FAULTS, Fault
from tests.faults.late_life import LateLife
from tests.faults.life import Life
from tests.faults.proxy import proxying
from tests.faults.request_kinds import RequestKind
from tests.faults.tally import Tally
from tests.faults.upstream import Upstream
from tests.faults.witness import (
    FAST_PROFILE,
    POD_COUNTS,
    expected_samples,
    namespace_manifests,
)

# Each run mostly waits for its pods. More at once only make the control plane slower.
SIDE_BY_SIDE = 16

Cell = tuple[RequestKind, Fault]

BY_NAME = {fault.name: fault for fault in FAULTS}

# `make test` runs these: each is another way in which a run could be lost or made twice.
QUICK_CELLS: tuple[Cell, ...] = tuple(
    (kind, BY_NAME[name])
    for kind, name in (
        (RequestKind.CREATE_TRACKER, "reset-after"),
        (RequestKind.CREATE_JOB, "reset-after"),
        (RequestKind.CREATE_JOB, "carried-out-504"),
        (RequestKind.CREATE_JOB, "404"),
        (RequestKind.LIST_JOBS, "200-object"),
        (RequestKind.LIST_PODS, "empty-list"),
        (RequestKind.READ_LOG, "half"),
        (RequestKind.PATCH_TRACKER, "handshake-closed"),
        (RequestKind.DELETE_TRACKER, "reset-before"),
        (RequestKind.PATCH_JOB, "reset-after"),
        (RequestKind.DELETE_POD, "503"),
    )
)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with how a run went that met a fault; empty if all is well."""

    cell: str
    not_met: bool = False
    failed_commands: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    tally: Tally = field(default_factory=Tally)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        wrong = self.not_met or self.failed_commands or self.bugs or self.unfinished
        return not wrong and self.tally.flawless


Matrix = Callable[[Sequence[Cell]], list[Verdict]]


@pytest.fixture
def run_cells(
    kubectl: Kubectl,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_tally: Callable[[Tally], None],
) -> Matrix:
    """Run cells of the matrix side by side, and return the verdicts that are not good."""
    upstream = Upstream(kubectl.kubeconfig, tmp_path)
    profile = tmp_path / "profile.yaml"
    profile.write_text(FAST_PROFILE)
    prefix = request.node.name.partition("[")[2].strip("]") or "quick"

    def run(cells: Sequence[Cell]) -> list[Verdict]:
        named = [(f"{prefix}-{number}", cell) for number, cell in enumerate(cells)]
        kubectl.apply(*(item for name, _ in named for item in namespace_manifests(name)))

        def verdict(name: str, cell: Cell) -> Verdict:
            kind, fault = cell
            with proxying(upstream, tmp_path, name) as proxy:
                of_kind = LateLife if kind.of_late_pods else Life
                life = of_kind(name, profile, proxy, kind, fault, tmp_path)
                tally = life.live()
            return Verdict(
                cell=f"{kind} x {fault.name}",
                not_met=not tally.faults,
                failed_commands=tuple(life.failures) if fault.passing else (),
                bugs=tuple(life.defects),
                unfinished=tuple(life.unfinished),
                tally=tally,
            )

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            verdicts = list(pool.map(lambda one: verdict(*one), named))
        record_tally(Tally.total(one.tally for one in verdicts))
        for (_, fault), one in zip(cells, verdicts, strict=True):
            record_row(request, one.tally.row(f"a request meets {fault.name}"))
        return [one for one in verdicts if not one.well]

    return run


@pytest.mark.long
@pytest.mark.parametrize("kind", list(RequestKind))
def test_whatever_happens_to_a_request_the_run_is_finished_once_and_in_full(
    kind: RequestKind, run_cells: Matrix
) -> None:
    bad = run_cells([(kind, fault) for fault in FAULTS if fault.applies_to(kind)])
    assert bad == [], "\n".join(map(str, bad))


def test_the_faults_that_are_easiest_to_get_wrong_lose_nothing_and_make_nothing_twice(
    run_cells: Matrix,
) -> None:
    bad = run_cells(QUICK_CELLS)
    assert bad == [], "\n".join(map(str, bad))


def test_every_pod_has_a_number_of_samples_of_its_own() -> None:
    assert (expected_samples(*POD_COUNTS), expected_samples(1), expected_samples(2)) == (
        440,
        110,
        230,
    )
