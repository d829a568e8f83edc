import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from mrunners.errors import ExitCode, RefusedError, UnreachableError
from mrunners_cli.prefect_setup import prefect_errors, prepare_prefect

UNREACHABLE = [
    httpx.ConnectError("All connection attempts failed"),
    RuntimeError("Failed to reach API at http://127.0.0.1:9/api"),
    RuntimeError("Cannot create flow run. Failed to reach API at http://127.0.0.1:9/api/."),
]
NOT_STARTED = [
    RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."),
    RuntimeError("ephemeral Prefect API server: exit code 1"),
]
OTHERS = [RuntimeError("a bug"), RefusedError("theirs", namespace="load"), KeyError("a bug")]
ADVICE = (
    "; this machine may be too busy: run again, raise "
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, or start a server with `prefect server "
    "start` and set PREFECT_API_URL"
)

# Imports Prefect as `run` does; what is wrong becomes one line.
IMPORT = """
from mrunners_cli.exits import exit_code_of
from mrunners_cli.prefect_setup import import_prefect, prepare_prefect
def command():
    prepare_prefect(lambda text: print("warning:", text))
    import_prefect(lambda text: print("warning:", text))
raise SystemExit(exit_code_of(command))
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder, and an environment that is as before after the test."""
    before = dict(os.environ)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    for name in set(os.environ) - set(before):
        del os.environ[name]


def importing(folder: Path, **environment: str) -> tuple[int, list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("error", UNREACHABLE, ids=str)
def test_a_prefect_server_that_does_not_answer_is_unreachable(error: Exception) -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(UnreachableError) as caught,
        prefect_errors(),
    ):
        raise error
    assert caught.value.exit_code == ExitCode.CLUSTER
    assert str(caught.value) == (
        f"the Prefect server does not answer: {error}; check PREFECT_API_URL, or unset it to use "
        "a temporary server"
    )


@pytest.mark.parametrize("error", [*NOT_STARTED, *UNREACHABLE], ids=str)
def test_no_setting_is_blamed_for_a_temporary_server_that_does_not_start(error: Exception) -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(UnreachableError) as caught,
        prefect_errors(),
    ):
        raise error
    assert str(caught.value) == (
        f"the temporary Prefect server did not start, or stopped: {error}{ADVICE}"
    )


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_any_other_error_is_raised_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, prefect_errors():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("PREFECT_LOGGING_LEVEL", "Input should be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or"),
        ("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "Input should be a valid integer,"),
    ],
)
def test_a_setting_that_prefect_refuses_is_named_without_its_value(
    home: Path, name: str, problem: str
) -> None:
    code, printed, (error,) = importing(home, **{name: "hunter2"})
    assert (code, printed, error[: len(f"error: {name}: {problem}")]) == (
        ExitCode.INVALID,
        [],
        f"error: {name}: {problem}",
    )
    assert "hunter2" not in error.lower()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("profiles.toml", b"garbage = = "),
        ("profiles.toml", b"active = 'x'\nprofiles = 3\n"),
        ("pyproject.toml", b"garbage = = "),
    ],
)
def test_a_broken_file_of_settings_is_one_line(home: Path, file: str, content: bytes) -> None:
    (home / file).write_bytes(content)
    code, printed, (error,) = importing(home)
    assert (code, printed) == (ExitCode.INVALID, [])
    assert error.startswith("error: Prefect cannot read its settings: ")


def test_a_setting_that_prefect_does_not_know_is_a_warning(home: Path) -> None:
    (home / "profiles.toml").write_text('active = "x"\n[profiles.x]\nPREFECT_NOPE = "1"\n')
    assert importing(home) == (
        ExitCode.DONE,
        ["warning: Setting 'PREFECT_NOPE' is not recognized"],
        [],
    )


def test_a_home_that_can_be_written_is_used(home: Path) -> None:
    warnings = list[str]()
    prepare_prefect(warnings.append)
    assert (warnings, os.environ["PREFECT_HOME"], [*home.iterdir()]) == ([], str(home), [])


@pytest.mark.parametrize("place", ["/proc/nope", "/dev/null", "file/home"])
def test_a_home_that_cannot_be_written_is_replaced_for_the_run(
    home: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(home / place))
    warnings = list[str]()
    prepare_prefect(warnings.append)
    used = Path(os.environ["PREFECT_HOME"])
    (used / "file").touch()
    assert len(warnings) == 1
    assert warnings[0].startswith(f"Prefect's home {home / place} cannot be written (")


def test_a_user_without_a_home_gets_one_for_the_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setenv("PREFECT_HOME", "")
    monkeypatch.setattr("pwd.getpwuid", no_entry)
    warnings = list[str]()
    prepare_prefect(warnings.append)
    assert warnings == [
        "Prefect's home ~/.prefect cannot be written (this user has no home); using a temporary "
        "one for this run"
    ]
