"""Planning 1,000 Jobs and printing their manifests, against kubectl's client-side dry run.

kubectl gets the manifests that mrunners has printed: it only parses and prints them, while mrunners
also reads and checks the load profiles, plans, and lets the API server judge the first Job.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.clusters import Bench, bench_cluster
from benchmarks.measuring import Usage, in_turn, run_process
from benchmarks.programs import mrunners
from benchmarks.results import Row, Target, row
from tests.cluster.commands import Kubectl
from tests.cluster.env import KPERF, profile_text

__all__ = ["measure"]

_URIS = 1_000


def measure(times: int) -> list[Row]:
    """Return the rows of one profile and of as many as URIs."""
    rows = []
    with (
        bench_cluster("--process-hosts", "0", "--kwok-hosts", "0") as bench,
        bench.namespace() as kubectl,
    ):
        for profiles in (1, _URIS):
            rows += _rows(bench, kubectl, profiles, times)
    return rows


def _rows(bench: Bench, kubectl: Kubectl, profiles: int, times: int) -> list[Row]:
    command = _command(bench, kubectl.namespace, profiles)
    manifests = bench.folder / "manifests.yaml"
    manifests.write_bytes(run_process(command, environ=bench.environ).output)
    runs = in_turn(
        {
            "mrunners": lambda: run_process(command, environ=bench.environ),
            "kubectl": lambda: _with_kubectl(bench, kubectl, manifests),
        },
        times,
    )
    ours, theirs = runs["mrunners"], runs["kubectl"]
    question = f"dry run of {_URIS:,} URIs of {profiles:,} profile{'s' if profiles > 1 else ''}"
    peer = "`kubectl create --dry-run=client`"
    return [
        row(question, "CPU s", [run.cpu_seconds for run in ours], peer,
            [run.cpu_seconds for run in theirs], Target(1.0, "ours", "<=")),
        row(question, "s", [run.seconds for run in ours], peer,
            [run.seconds for run in theirs], Target(1.0)),
    ]  # fmt: skip


def _command(bench: Bench, namespace: str, profiles: int) -> list[str]:
    words = []
    for number in range(_URIS):
        path = bench.folder / f"profile-{number % profiles}.yaml"
        path.write_text(profile_text(total=50 + number % profiles))
        words += ["--runners", f"file://{path}?numbers=10"]
    return [*mrunners("run", namespace, "--dry-run", "--runner-image", KPERF), *words]


def _with_kubectl(bench: Bench, kubectl: Kubectl, manifests: Path) -> Usage:
    options = ("--dry-run=client", "--output=yaml", f"--filename={manifests}")
    return run_process(kubectl.command("create", *options), environ=bench.environ)
