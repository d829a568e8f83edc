import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable

import click
import pytest

import mrunners.errors
from mrunners.errors import (
    ApiStatusError,
    ExitCode,
    ForbiddenError,
    IncompleteError,
    InvalidInputError,
    MrunnersError,
    RefusedError,
    RunCancelledError,
    StillRunningError,
    UnauthorizedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners_cli.console import print_line
from mrunners_cli.exits import Terminated, catching_signals, exit_code_of
from mrunners_cli.main import cli
from mrunners_flows.states import RunIncompleteError, RunOutcome

ERRORS: list[tuple[MrunnersError, ExitCode]] = [
    (MrunnersError("odd"), ExitCode.INTERNAL_ERROR),
    (InvalidInputError(["one", "two"]), ExitCode.INVALID),
    (RefusedError("theirs", namespace="load", tracker="mrunners"), ExitCode.REFUSED),
    (StillRunningError("wait", jobs=["a", "b"]), ExitCode.STILL_RUNNING),
    (IncompleteError("half"), ExitCode.INCOMPLETE),
    (RunCancelledError("stop"), ExitCode.INTERRUPTED),
    (WaitTimeoutError("late", seconds=9.0), ExitCode.TIMEOUT),
    (UnreachableError("gone"), ExitCode.CLUSTER),
    (UnauthorizedError("who"), ExitCode.CLUSTER),
    (ForbiddenError("no", verb="get", resource="pods", namespace="load"), ExitCode.CLUSTER),
    (ApiStatusError("bad", status=422, reason="Invalid"), ExitCode.CLUSTER),
    (UnusableReportError(MissingReason.TRUNCATED, "cut"), ExitCode.INCOMPLETE),
    (
        RunIncompleteError("half", RunOutcome(namespace="load", tracker="t", run_id="r")),
        ExitCode.INCOMPLETE,
    ),
]
MAIN = "import mrunners_cli.main; mrunners_cli.main.main()"


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


def of_ours(cls: type[MrunnersError]) -> set[type[MrunnersError]]:
    return {cls}.union(*(of_ours(sub) for sub in cls.__subclasses__()))


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[type(e).__name__ for e, _ in ERRORS])
def test_an_error_ends_with_its_exit_code_and_its_message(
    error: MrunnersError, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error)) == code
    lines = error.problems if isinstance(error, InvalidInputError) else (str(error),)
    assert capsys.readouterr() == ("", "".join(f"error: {line}\n" for line in lines))


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[type(e).__name__ for e, _ in ERRORS])
def test_an_error_survives_pickling_with_its_facts(error: MrunnersError, code: ExitCode) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args, vars(copy), copy.exit_code) == (
        type(error),
        error.args,
        vars(error),
        code,
    )


def test_every_error_that_can_be_raised_is_among_these() -> None:
    public = {getattr(mrunners.errors, name) for name in mrunners.errors.__all__}
    known = {type(error) for error, _ in ERRORS}
    defined = {
        cls
        for cls in of_ours(MrunnersError)
        if cls.__module__
        in {"mrunners.errors", "mrunners.reports.outcomes", "mrunners_flows.states"}
    }
    abstract = {mrunners.errors.ClusterError}
    assert defined - known - abstract == set()
    assert {cls for cls in public if issubclass(cls, MrunnersError)} <= known | abstract


@pytest.mark.parametrize(
    ("result", "code"), [(None, 0), ("text", 0), (0, 0), (ExitCode.STILL_RUNNING, 4), (5, 5)]
)
def test_what_a_command_returns_is_its_exit_code(result: object, code: int) -> None:
    assert exit_code_of(lambda: result) == code


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (Terminated(), 143, "terminated"),
    ],
)
def test_an_interruption_says_that_the_run_goes_on(
    error: BaseException, code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error)) == code
    assert capsys.readouterr().err == f"{word}; what is deployed stays and can be resumed\n"


def test_a_defect_is_shown_with_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(raising(KeyError("x"))) == 1
    shown = capsys.readouterr().err
    assert "KeyError: 'x'" in shown
    assert "this is a defect of mrunners; please report it" in shown


def test_sigterm_is_raised_where_the_program_is_and_only_while_it_runs() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), catching_signals():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nonsense"], "no such command 'nonsense'; there are run, wait, result, status, delete"),
        (["wait"], "Missing argument 'NAMESPACE'"),
        (["wait", "load", "--nonsense"], "No such option"),
        (["wait", "load", "--timeout", "10"], "not a duration: '10'"),
        (["wait", "My_NS"], "must consist of lowercase letters"),
        (["status", "a/b"], "must consist of lowercase letters"),
        (["delete", "load", "--tracker", "../x"], "must consist of lowercase letters"),
        (["result", "load", "--raw", "--format", "table"], "--raw goes with --format json"),
        (["result", "load", "--raw", "--format", "html"], "--raw goes with --format json"),
        (["run"], "Missing option '--namespace'"),
        (["run", "--namespace", "x", "--resume", "--replace"], "exclude each other"),
        (["run", "--namespace", "My_NS", "--wait=perhaps"], "not a valid boolean"),
        (["run", "--namespace", "My_NS"], "--runners: give at least one runner URI"),
        (["wait", "load", "--kubeconfig", "/none"], "kubeconfig /none: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_use_ends_with_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False)) == 2
    shown = capsys.readouterr()
    assert (shown.out, words in shown.err) == ("", True), shown.err


def test_a_reader_that_has_gone_is_no_defect() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_version_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("mrunners ")


def test_no_word_of_a_cluster_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("two lines\nand an \x1b[31mescape")
    assert capsys.readouterr().err == "two lines\nand an \\x1b[31mescape\n"
