import fcntl
import io
import os
import pty
import stat
import struct
import subprocess
import sys
import termios
from pathlib import Path
from threading import Thread

import pytest

from mrunners.errors import ExitCode, InvalidInputError
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.merge import merge
from mrunners.reports.merged import to_json
from mrunners_cli.output import columns, render, require_writable, write_output
from tests.factories import RUN, RUN_ID, flat, merged_pod

REPORT = merge(RUN, RUN_ID, [merged_pod(0, 0, flat())])


def test_a_report_is_printed_to_stdout_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_output("é\n", None)
    assert capsys.readouterr() == ("é\n", "")


def test_a_report_is_written_to_a_file_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    write_output("old", path)
    write_output("é\n", path)
    assert path.read_text("utf-8") == "é\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.touch(mode=0o600)
    write_output("x", path)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("x", 0o600)


def test_a_new_file_has_the_permissions_that_the_umask_allows(tmp_path: Path) -> None:
    path, before = tmp_path / "report", os.umask(0o027)
    try:
        write_output("x", path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_cannot_be_replaced_is_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report"
    write_output("old", path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InvalidInputError) as caught:
        write_output("new", path)
    assert caught.value.problems == (f"--output-file {path}: No space left on device",)
    assert caught.value.exit_code is ExitCode.INVALID
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "report"
    with pytest.raises(
        InvalidInputError, match=r"^--output-file .*/file/report: (File exists|Not a)"
    ):
        write_output("x", path)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("file/report", "/file is not a folder"),
        ("file/new/report", "/file is not a folder"),
        ("loop/report", "Too many levels of symbolic links"),
        ("x" * 300, "File name too long"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, path: str, problem: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InvalidInputError, match=rf"^--output-file .*({problem})$"):
        require_writable(tmp_path / path)


def test_an_output_in_a_folder_of_somebody_else_is_refused_too(tmp_path: Path) -> None:
    folder, user = tmp_path / "theirs", os.geteuid()
    folder.mkdir(mode=0o500)
    if user == 0:  # who may write everywhere
        os.seteuid(65534)
    try:
        with pytest.raises(InvalidInputError, match=r"theirs cannot be written$|Permission denied"):
            require_writable(folder / "report")
    finally:
        os.seteuid(user)


def test_an_output_that_can_be_written_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    for path in (tmp_path / "old", tmp_path / "new", tmp_path / "new" / "folder" / "report"):
        require_writable(path)
    require_writable(Path("/dev/null"))
    require_writable(None)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "old")]


@pytest.mark.timeout(20)
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", list[str]()
    os.mkfifo(path)
    reader = Thread(target=lambda: read.append(path.read_text()), daemon=True)
    reader.start()
    write_output("x", path)
    reader.join(10)
    assert read == ["x"]
    assert path.is_fifo()


def test_a_symlink_is_followed_and_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_output("x", link)
    assert (target.read_text(), link.is_symlink()) == ("x", True)


def test_json_is_the_whole_report() -> None:
    assert render(REPORT, "json", to_file=False) == to_json(REPORT)


def test_a_table_for_a_file_has_no_broken_line_and_no_colors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert render(REPORT, "table", to_file=True) == render_table(REPORT, width=None)


def test_a_table_for_a_pipe_is_as_wide_as_needed_or_as_columns_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # not a terminal
    assert render(REPORT, "table", to_file=False) == render_table(REPORT, width=None)
    monkeypatch.setenv("COLUMNS", "60")
    assert render(REPORT, "table", to_file=False) == render_table(REPORT, width=60)


@pytest.mark.parametrize("wide", [80, 200])
def test_a_table_on_a_terminal_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, wide: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb"), os.fdopen(terminal, "w") as stdout:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, wide, 0, 0))
        monkeypatch.setattr(sys, "stdout", stdout)
        assert columns() == wide


def test_html_is_one_page_and_matplotlib_is_imported_only_for_it() -> None:
    assert render(REPORT, "html", to_file=False).startswith("<!doctype html>\n<html lang=")
    program = "import sys, mrunners_cli.output; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
