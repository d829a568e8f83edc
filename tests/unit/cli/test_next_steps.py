"""What to do next is printed below an error, as a command line that can be pasted."""

import shlex
from pathlib import Path

import pytest

from mrunners import connection
from mrunners.connection import Connection
from mrunners.errors import NextStep
from mrunners.hints import command
from mrunners.plan.options import RunOptions
from mrunners.refs import ClusterRef, RunRef
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners_cli.cluster_flags import given_cluster, remember_cluster
from mrunners_cli.commands import run as run_module
from mrunners_cli.console import Console
from mrunners_cli.exits import exit_code_of
from mrunners_cli.main import cli
from tests.fakes import LOCATION, FakeCluster
from tests.unit.env import IMAGE, deploy, log_of, planned, write_profile

RUN = RunRef("load", "nightly")
CLUSTER = ClusterRef("/etc/kube config", "prod")
FLAGS = ["--kubeconfig", CLUSTER.kubeconfig, "--context", CLUSTER.context]
WITHOUT_COMMAND = {
    NextStep.RESUME_SAME_OPTIONS,
    NextStep.REPLACE,
    NextStep.OTHER_TRACKER,
    NextStep.NAME_TRACKER,
    NextStep.LIST_TRACKERS,
}
# Advice that names options of a new run.
OPTIONS = {step for step in NextStep if step.value.startswith("set-")}
COMMANDS = sorted(set(NextStep) - WITHOUT_COMMAND - OPTIONS)


@pytest.fixture(autouse=True)
def no_cluster_given() -> None:
    remember_cluster(ClusterRef())


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCluster:
    """A cluster that every command connects to, whatever its flags."""
    cluster = FakeCluster()

    def connect(
        kubeconfig: str, *, context: str, max_qps: str, observer: RunObserver
    ) -> Connection:
        assert ClusterRef(kubeconfig, context, max_qps) == given_cluster()
        return Connection(cluster, observer, ReportStore(tmp_path))

    monkeypatch.setattr(connection, "connect", connect)
    return cluster


def mrunners(*args: str) -> int:
    return exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False))


@pytest.mark.parametrize(
    ("flags", "repeated"),
    [
        ([], ""),
        (FLAGS, " --kubeconfig '/etc/kube config' --context prod"),
        (["--context", "prod"], " --context prod"),
    ],
    ids=["none", "both", "context"],
)
def test_an_error_of_a_command_says_what_to_do_next_with_the_clusters_flags_as_given(
    flags: list[str], repeated: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(cluster, planned(2))
    assert mrunners("result", "load", *flags) == 4
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "error: the run of tracker load/mrunners has not finished; Jobs left: 1 of 1:\n"
        "  mrunners-0: 0 of 2 pods ended (starting)\n"
        f"  wait for it with: mrunners wait load --tracker mrunners{repeated}\n"
        "  report on what has finished so far with: "
        f"mrunners result load --tracker mrunners --partial{repeated}\n"
    )


def test_a_step_after_a_report_is_an_indented_line_below_its_warning(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    run = planned(1, 1)
    deploy(cluster, run, jobs=1)
    cluster.end_pod("mrunners-0", 0, log=log_of(run.plan, "mrunners-0", 0))
    cluster.finish_job("mrunners-0")
    cluster.clock.seconds += 120
    assert mrunners("result", "load", "--quiet") == 5
    assert capsys.readouterr().err.endswith(
        "warning: 1 of 2 Jobs of tracker load/mrunners do not exist, and nothing is creating them: "
        "mrunners-1; resume the run to create them\n"
        "  resume it with: mrunners run --namespace load --tracker mrunners --resume\n"
    )


@pytest.mark.parametrize("name", ["wait", "result", "status", "delete"])
def test_every_command_about_a_run_passes_on_the_cluster_that_is_given(
    name: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mrunners(name, "load", *FLAGS) == 3
    assert "--kubeconfig '/etc/kube config' --context prod\n" in capsys.readouterr().err
    assert given_cluster() == CLUSTER
    assert cluster.requests > 0


def test_run_repeats_the_clusters_flags_too(
    cluster: FakeCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(cluster, planned(2))
    runner = ["--runner-image", IMAGE, "--runners", write_profile(tmp_path)]
    assert mrunners("run", "-n", "load", *runner, *FLAGS) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: tracker load/mrunners (starting, ")
    assert (
        "  wait for it with: mrunners wait load --tracker mrunners "
        "--kubeconfig '/etc/kube config' --context prod"
    ) in lines


def test_run_names_the_cluster_before_anything_is_created(
    cluster: FakeCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def flow(options: RunOptions, context: str, console: Console) -> None:
        console.info(f"the flow runs in {context}")

    monkeypatch.setattr(run_module, "_run_flow", flow)
    runner = ["--runner-image", IMAGE, "--runners", write_profile(tmp_path)]
    assert mrunners("run", "-n", "load", *runner) == 0
    assert capsys.readouterr().err == (
        f"the load is for {LOCATION}, namespace load\nthe flow runs in {LOCATION.context}\n"
    )


@pytest.mark.parametrize("step", COMMANDS)
def test_every_step_is_a_command_line_that_mrunners_accepts(step: NextStep) -> None:
    words = shlex.split(command(step, RUN, CLUSTER))
    with cli.make_context("mrunners", words[1:]) as context:
        name, subcommand, args = cli.resolve_command(context, words[1:])
        assert subcommand is not None
        params = subcommand.make_context(name, args, parent=context).params
    params["namespace"] = params["namespace"] or params["in_namespace"]
    expected = {"namespace": "load", "kubeconfig": CLUSTER.kubeconfig, "context": CLUSTER.context}
    if step is not NextStep.START:
        expected["tracker"] = "nightly"
    assert {key: params[key] for key in expected} == expected
