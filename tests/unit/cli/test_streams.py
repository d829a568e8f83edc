"""However stdout and stderr are, a command ends with a line at most and a code of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.status.run_state import run_state
from mrunners_cli.console import Console
from mrunners_cli.output import write_output
from tests.unit.env import planned

MAIN = "import mrunners_cli.main; mrunners_cli.main.main()"
WRONG_USE = ["wait", "load", "--kubeconfig", "/none"]


def shell(redirection: str, *args: str, **environment: str) -> tuple[int, str]:
    """Run the command with a shell's redirections; return the exit code and what was printed."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-c", MAIN, *args],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("redirection", "reason"),
    [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")],
)
def test_a_stdout_that_takes_nothing_is_one_line(redirection: str, reason: str) -> None:
    assert shell(redirection, "--help") == (2, f"error: cannot write to stdout: {reason}\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_stderr_that_takes_nothing_changes_no_exit_code(redirection: str) -> None:
    assert shell(redirection, *WRONG_USE) == (2, "")


def test_what_is_printed_needs_no_locale() -> None:
    code, printed = shell(
        "", "wait", "é", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING=""
    )
    assert (code, "must consist of lowercase letters" in printed) == (2, True)


@pytest.mark.parametrize(
    "setting",
    [
        {"COLUMNS": "wide"},
        {"TERM": "nonsense"},
        {"TZ": "No/where"},
        {"LANG": "xx_YY.ZZ"},
        {"TMPDIR": "/nonexistent"},
        {"HOME": "/nonexistent", "XDG_STATE_HOME": "/proc/nope"},
        {"KUBERNETES_SERVICE_HOST": "x", "KUBERNETES_SERVICE_PORT": "port"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_an_odd_environment_is_no_bug(setting: dict[str, str]) -> None:
    assert shell("", *WRONG_USE, **setting) == (2, "error: kubeconfig /none: no such file\n")


def test_a_folder_that_was_deleted_can_be_worked_in(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    # -P: like the installed command, without the current folder on the path. Python 3.13.0 cannot
    # import an extension module from a path with a folder that is gone.
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD"; "$@"', "sh", sys.executable, "-P", "-c", MAIN, *WRONG_USE],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "error: kubeconfig /none: no such file\n")


class FullDisk:
    """A stream on a disk without space."""

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_report_that_stdout_does_not_take_counts_as_not_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    with pytest.raises(InvalidInputError, match=r"^cannot write to stdout: No space left on dev"):
        write_output("report", None)


def test_a_run_goes_on_when_its_tracker_cannot_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", FullDisk())
        console = Console(quiet=True, print_tracker=True)
        console.tracker_created("mrunners")
    assert console.has_tracker
    assert capsys.readouterr().err == (
        "warning: cannot write to stdout: No space left on device; the tracker is mrunners\n"
    )


def test_progress_that_stderr_does_not_take_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stderr(FullDisk):
        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stderr", Stderr())
    with Console(quiet=False) as console:
        console.warn("a warning")
        console.progress(run_state(planned().plan, []), 0, None)
