import errno
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import mrunners.errors
from mrunners.errors import (
    ApiStatusError,
    ExitCode,
    FieldProblem,
    ForbiddenError,
    IncompleteError,
    InDoubtError,
    InvalidInputError,
    InvalidOptionsError,
    MrunnersError,
    NextStep,
    RefusedError,
    RunCancelledError,
    SloViolatedError,
    StillRunningError,
    UnauthorizedError,
    UnreachableError,
    WaitTimeoutError,
)
from mrunners.refs import RunRef
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners_cli.console import print_line
from mrunners_cli.exits import Terminated, catching_signals, exit_code_of
from mrunners_cli.interruption import say_when_interrupted
from mrunners_cli.main import cli
from mrunners_cli.streams import StdoutError
from mrunners_flows.states import (
    RunFailedError,
    RunIncompleteError,
    RunInDoubtError,
    RunOutcome,
    RunSloViolatedError,
)

ERRORS: list[tuple[MrunnersError, ExitCode]] = [
    (MrunnersError("odd"), ExitCode.INTERNAL_ERROR),
    (InvalidInputError(["one", "two"]), ExitCode.INVALID),
    (InvalidOptionsError([FieldProblem("timeout", "odd")]), ExitCode.INVALID),
    (RefusedError("theirs", namespace="load", tracker="mrunners"), ExitCode.REFUSED),
    (RefusedError.of(RunRef("load", "t"), "theirs", NextStep.REPLACE), ExitCode.REFUSED),
    (StillRunningError("wait", jobs=["a", "b"]), ExitCode.STILL_RUNNING),
    (IncompleteError("half"), ExitCode.INCOMPLETE),
    (SloViolatedError("slow"), ExitCode.SLO_VIOLATED),
    (InDoubtError("odd"), ExitCode.IN_DOUBT),
    (RunCancelledError("stop"), ExitCode.INTERRUPTED),
    (WaitTimeoutError("late", seconds=9.0), ExitCode.TIMEOUT),
    (UnreachableError("gone"), ExitCode.CLUSTER),
    (UnauthorizedError("no token"), ExitCode.CLUSTER),
    (ForbiddenError("no", verb="get", resource="pods", namespace="load"), ExitCode.CLUSTER),
    (ApiStatusError("bad", status=422, reason="Invalid"), ExitCode.CLUSTER),
    (UnusableReportError(MissingReason.TRUNCATED, "cut"), ExitCode.INCOMPLETE),
    (
        RunIncompleteError("half", RunOutcome(namespace="load", tracker="t", run_id="r")),
        ExitCode.INCOMPLETE,
    ),
    (
        RunSloViolatedError("slow", RunOutcome(namespace="load", tracker="t", run_id="r")),
        ExitCode.SLO_VIOLATED,
    ),
    (
        RunInDoubtError("odd", RunOutcome(namespace="load", tracker="t", run_id="r")),
        ExitCode.IN_DOUBT,
    ),
]
NAMES = [type(error).__name__ for error, _ in ERRORS]
MAIN = "import mrunners_cli.main; mrunners_cli.main.main()"


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


def with_subclasses(cls: type[MrunnersError]) -> set[type[MrunnersError]]:
    return {cls}.union(*(with_subclasses(sub) for sub in cls.__subclasses__()))


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=NAMES)
def test_an_error_ends_with_its_exit_code_and_its_message(
    error: MrunnersError, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error)) == code
    lines = [f"error: {line}" for line in str(error).splitlines()]
    if isinstance(error, InvalidOptionsError):
        lines = ["error: --timeout: odd"]
    if error.next_steps:
        lines.append("  replace it by adding --replace")
    assert capsys.readouterr() == ("", "".join(f"{line}\n" for line in lines))


def test_options_are_spelled_as_flags_and_all_problems_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problems = [FieldProblem("namespace", "wrong"), FieldProblem("advanced.start_timeout", "odd")]
    assert exit_code_of(raising(InvalidOptionsError(problems))) == ExitCode.INVALID
    assert capsys.readouterr().err == "error: --namespace: wrong\nerror: --start-timeout: odd\n"


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=NAMES)
def test_an_error_survives_pickling_with_its_facts(error: MrunnersError, code: ExitCode) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args, vars(copy), copy.exit_code) == (
        type(error),
        error.args,
        vars(error),
        code,
    )


def test_the_tests_above_cover_every_error() -> None:
    public = {getattr(mrunners.errors, name) for name in mrunners.errors.__all__}
    known = {type(error) for error, _ in ERRORS}
    defined = {
        cls
        for cls in with_subclasses(MrunnersError)
        if cls.__module__
        in {"mrunners.errors", "mrunners.reports.outcomes", "mrunners_flows.states"}
    }
    abstract = {mrunners.errors.ClusterError, RunFailedError}
    assert defined - known - abstract == set()
    assert {cls for cls in public if issubclass(cls, MrunnersError)} <= known | abstract


@pytest.mark.parametrize(
    ("result", "code"), [(None, 0), ("text", 0), (0, 0), (ExitCode.STILL_RUNNING, 4), (5, 5)]
)
def test_an_integer_that_a_command_returns_is_its_exit_code(result: object, code: int) -> None:
    assert exit_code_of(lambda: result) == code


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (Terminated(), 143, "terminated"),
    ],
)
def test_an_interruption_says_what_the_command_knows_to_be_true(
    error: BaseException, code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> object:
        say_when_interrupted(lambda: "nothing was created")
        raise error

    with catching_signals():
        assert exit_code_of(command) == code
        assert capsys.readouterr().err == f"{word}; nothing was created\n"
    with catching_signals():
        assert exit_code_of(raising(error)) == code
        assert capsys.readouterr().err == f"{word}\n"


def test_a_bug_is_shown_with_its_traceback_and_how_to_report_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code_of(raising(KeyError("x"))) == 1
    printed = capsys.readouterr().err
    assert "KeyError: 'x'" in printed
    assert "this is a bug in mrunners; please report it" in printed


def test_sigterm_is_raised_in_the_command_and_only_while_it_runs() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), catching_signals():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            ["nonsense"],
            "unknown command 'nonsense'; known: check-deployments, completion, delete, ",
        ),
        (["stauts", "load"], "unknown command 'stauts'; did you mean 'status'?"),
        (["wait", ""], "must not be empty"),
        (["delete", "-n", ""], "must not be empty"),
        (["run", "-n", ""], "must not be empty"),
        (["wait", "a", "-n", "b"], "namespace a and --namespace b contradict each other"),
        (["list", "-A", "a"], "--all-namespaces and a namespace are mutually exclusive"),
        (["list", "--local", "a"], "--local does not go with --namespace"),
        (["list", "--local", "-A", "--context", "c"], "go with --all-namespaces, --context"),
        (["result", "--run", "x", "--context", "c"], "--run does not go with --context"),
        (["result", "--run", "x", "-n", "a"], "--run does not go with --namespace"),
        (["result", "--run", "", "-n", "a"], "--run does not go with --namespace"),
        (["result", "load", "-o", "r.json"], "write to a file with --output-file r.json"),
        (["status", "load", "-o", "./status"], "write to a file with > ./status"),
        (["result", "load", "-o", "jsn"], "'json', 'yaml', 'table', 'html'"),
        (["wait", "load", "--nonsense"], "no such option"),
        (["wait", "load", "--timeout", "10"], "not a duration: '10'"),
        (["wait", "My_NS"], "must consist of lowercase letters"),
        (["status", "a/b"], "must consist of lowercase letters"),
        (["delete", "load", "--tracker", "../x"], "must consist of lowercase letters"),
        (["result", "load", "--raw", "-o", "table"], "--raw requires -o json"),
        (["result", "load", "--raw", "-o", "html"], "--raw requires -o json"),
        (["run"], "--runners: give at least one runner URI"),
        (["run", "--namespace", "x", "--resume", "--replace"], "are mutually exclusive"),
        (["run", "--namespace", "My_NS", "--wait=perhaps"], "not a valid boolean"),
        (["run", "--namespace", "x", "--dry-run", "--deployment", "d"], "are mutually exclusive"),
        (["run", "--namespace", "x", "--spread", "widely"], "'prefer', 'require', 'off'"),
        (["run", "--namespace", "My_NS"], "--runners: give at least one runner URI"),
        (["wait", "load", "--kubeconfig", "/none"], "kubeconfig /none: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_use_ends_with_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(lambda: cli.main(args, "mrunners", standalone_mode=False)) == 2
    printed = capsys.readouterr()
    assert (printed.out, words in printed.err) == ("", True), printed.err


def test_a_wrong_use_is_an_error_like_any_other_and_names_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code_of(
        lambda: cli.main(["wait", "load", "--nonsense"], "mrunners", standalone_mode=False)
    )
    assert capsys.readouterr().err == (
        "error: no such option '--nonsense'.\n  see: mrunners wait --help\n"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StdoutError(errno.ENOSPC, "No space left"), "cannot write to stdout: No space left"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EROFS, "Read-only", "/x/y"), "/x/y: Read-only"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory"), "No usable temporary"),
    ],
    ids=repr,
)
def test_what_this_machine_lacks_is_one_line_and_no_bug(
    error: OSError, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error)) == ExitCode.INVALID
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {line}")


def test_a_file_of_ours_that_is_missing_is_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    missing = FileNotFoundError(errno.ENOENT, "No such file", "/page.css")
    assert exit_code_of(raising(missing)) == ExitCode.INTERNAL_ERROR
    assert "this is a bug in mrunners" in capsys.readouterr().err


def test_a_reader_that_stops_reading_is_not_a_bug() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (ExitCode.BROKEN_PIPE, b"")
    gone = StdoutError(errno.EPIPE, "Broken pipe")
    assert exit_code_of(raising(gone)) == ExitCode.BROKEN_PIPE


@pytest.mark.parametrize(
    "error", [SystemExit(3), SystemExit(), BrokenPipeError(errno.EPIPE, "Broken pipe")], ids=repr
)
def test_whoever_else_ends_the_process_or_loses_a_peer_does_not_end_it_in_silence(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error)) == ExitCode.INTERNAL_ERROR
    printed = capsys.readouterr().err
    assert type(error).__name__ in printed
    assert "this is a bug in mrunners" in printed


def test_a_deployment_whose_module_exits_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("flows.py").write_text("import sys\nsys.exit('no licence')\n")
    Path("prefect.yaml").write_text(
        "pull: []\n"
        "deployments:\n"
        "- {name: nightly, entrypoint: 'flows.py:load', work_pool: {name: local}}\n"
    )
    command = ["check-deployments"]
    assert exit_code_of(lambda: cli.main(command, "mrunners", standalone_mode=False)) == 2
    assert capsys.readouterr().err == (
        "error: prefect.yaml: nightly: entrypoint flows.py:load: cannot be loaded: it calls "
        "sys.exit('no licence')\n"
    )


def test_the_version_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("mrunners ")


def test_nothing_that_a_cluster_says_controls_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_line("two lines\nand an \x1b[31mescape")
    assert capsys.readouterr().err == "two lines\nand an \\x1b[31mescape\n"
