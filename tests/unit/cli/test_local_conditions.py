"""Nothing local ends a command badly: the report is printed, and only then the run is collected."""

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from mrunners import connection
from mrunners.connection import Connection
from mrunners.errors import ExitCode
from mrunners.run.observer import RunObserver
from mrunners.run.report_store import ReportStore
from mrunners_cli.commands.run import _created
from mrunners_cli.console import Console
from mrunners_cli.exits import catching_signals, exit_code_of
from mrunners_cli.main import cli
from tests.fakes import FakeCluster
from tests.unit.cli.test_streams import FullDisk
from tests.unit.env import IMAGE, deploy, find, finish, options, planned, write_profile

PLAN = planned(2)


class Connected:
    """What every command connects to.

    Attributes:
        cluster: A finished run of two pods is in it.
        store: The folder of the report store.
        error: Raised instead of connecting.
    """

    def __init__(self, store: Path) -> None:
        self.cluster, self.store = FakeCluster(), store
        self.error: BaseException | None = None
        deploy(self.cluster, PLAN)
        finish(self.cluster, PLAN.plan)
        self.calls_before = len(self.cluster.calls)

    def connect(
        self, kubeconfig: str, *, context: str, max_qps: str, observer: RunObserver
    ) -> Connection:
        if self.error is not None:
            raise self.error
        return Connection(self.cluster, observer, ReportStore(self.store, observer.warn))

    @property
    def collected(self) -> bool:
        return find(self.cluster, PLAN.plan).collected

    @property
    def calls(self) -> list[str]:
        return self.cluster.calls[self.calls_before :]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connected:
    connected = Connected(tmp_path / "reports")
    monkeypatch.setattr(connection, "connect", connected.connect)
    return connected


def mrunners(*args: str) -> int:
    with catching_signals():
        return exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False))


@pytest.mark.parametrize("command", ["wait", "result"])
def test_a_state_folder_that_cannot_be_written_is_one_warning_and_no_report_less(
    command: str, connected: Connected, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    connected.store = tmp_path / "file" / "reports"
    assert mrunners(command, "load") == ExitCode.DONE
    printed = capsys.readouterr()
    # The report of the fake pods has findings too.
    assert [line for line in printed.err.splitlines() if line.startswith("warning: reports")] == [
        "warning: reports cannot be kept on disk, and are in memory until this command ends: "
        f"{connected.store}: Not a directory"
    ]
    if command == "result":
        assert json.loads(printed.out)["coverage"]["merged"] == 2
        assert connected.collected


def test_a_run_whose_report_was_not_written_is_not_collected(
    connected: Connected, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", FullDisk())
        assert mrunners("result", "load") == ExitCode.INVALID
    assert capsys.readouterr().err == ("error: cannot write to stdout: No space left on device\n")
    assert not connected.collected


def test_an_output_that_cannot_be_written_is_refused_before_the_cluster_is_asked(
    connected: Connected, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "report.json"
    assert mrunners("result", "load", "--output-file", str(path)) == ExitCode.INVALID
    assert capsys.readouterr().err == (
        f"error: --output-file {path}: {tmp_path / 'file'} is not a folder\n"
    )
    assert connected.calls == []


def test_a_run_that_is_interrupted_before_its_flow_has_created_nothing(
    connected: Connected, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.error = KeyboardInterrupt()
    args = ["--runner-image", IMAGE, "--runners", write_profile(tmp_path)]
    assert mrunners("run", "-n", "load", *args) == ExitCode.INTERRUPTED
    # click ends the line on which a terminal shows ^C.
    assert capsys.readouterr().err == "\ninterrupted; nothing was created\n"


@pytest.mark.parametrize("command", ["wait", "result", "status"])
def test_a_command_that_is_interrupted_before_it_knows_the_run_says_nothing_about_it(
    command: str, connected: Connected, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.error = KeyboardInterrupt()
    assert mrunners(command, "load") == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "\ninterrupted\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            "wait",
            "the run continues; wait for it with: mrunners wait load --tracker mrunners "
            "--context prod",
        ),
        (
            "delete",
            "a deletion that has begun continues; wait for its end with the same command",
        ),
    ],
)
def test_a_command_that_is_interrupted_says_what_is_true_of_its_run(
    command: str, sentence: str, connected: Connected, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    connected.cluster.before("list_pods", interrupt)
    forced = ["--force"] if command == "delete" else []
    assert mrunners(command, "load", "--context", "prod", *forced) == ExitCode.INTERRUPTED
    begun = f"deleting configmap/mrunners in namespace load of {connected.cluster.location}\n"
    first = begun if command == "delete" else ""
    assert capsys.readouterr().err == f"{first}\ninterrupted; {sentence}\n"


def test_a_flow_that_is_interrupted_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True, print_tracker=False)
    assert _created(options(), console) == (
        "see what was created with: mrunners status load --tracker mrunners"
    )
    console.tracker_created("mrunners")
    assert _created(options(wait=False), console) == (
        "the run continues; resume it with: "
        "mrunners run --namespace load --tracker mrunners --resume"
    )
    assert _created(options(wait=True), console) == (
        "the run continues; resume it with: "
        "mrunners run --namespace load --tracker mrunners --resume --wait"
    )


@pytest.mark.parametrize(
    ("pod_counts", "flags", "announced"),
    [
        ((2,), [], ["reading the load profiles of 1 runner"]),
        ((2, 1), [], ["reading the load profiles of 2 runners"]),
        ((), ["--resume"], []),
    ],
)
def test_the_profiles_that_are_read_are_announced(
    pod_counts: tuple[int, ...],
    flags: list[str],
    announced: list[str],
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    texts: list[str] = []

    def announcing(_: Console, text: str) -> AbstractContextManager[None]:
        texts.append(text)
        return nullcontext()

    monkeypatch.setattr(Console, "announcing", announcing)
    uri = write_profile(tmp_path).removesuffix("2")
    for count in pod_counts:
        flags = [*flags, "--runner-image", IMAGE, "--runners", f"{uri}{count}"]
    mrunners("run", "-n", "load", "--dry-run", *flags)
    assert texts == announced


def test_work_that_takes_long_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=False)
    with console.announcing("reading", after_seconds=60):
        pass
    with console.announcing("reading the rest", after_seconds=0) as announced:
        announced.wait(60)
    assert capsys.readouterr().err == "reading the rest\n"
