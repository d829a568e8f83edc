"""Objectives in a file, one a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners_cli.slo_file import read_slo_files


def test_each_line_is_an_objective_and_comments_are_left_out(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"\xef\xbb\xbf# of the team\r\np99 < 1s\r\n\r\n  LIST pods: p99 < 5s  \r\n")
    second.write_text("kubernetes")
    assert read_slo_files([first, second]) == ("p99 < 1s", "LIST pods: p99 < 5s", "kubernetes")


def test_all_problems_are_told_with_file_and_line(tmp_path: Path) -> None:
    wrong, empty, binary = tmp_path / "wrong", tmp_path / "empty", tmp_path / "binary"
    wrong.write_text("p99 < 1s\np98 < 1s\n\nfast\n")
    empty.write_text("# nothing\n")
    binary.write_bytes(b"\xff\xfe")
    large = tmp_path / "large"
    large.write_text("#" * 1_000_001)
    with pytest.raises(InvalidInputError) as raised:
        read_slo_files([wrong, tmp_path / "absent", tmp_path, empty, binary, large])
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(f"{wrong}, line 2: 'p98 < 1s': 'p98' is not a metric")
    assert lines[1].startswith(f"{wrong}, line 4: 'fast' is not an objective")
    assert lines[2:] == [
        f"--slo-file {tmp_path / 'absent'}: No such file or directory",
        f"--slo-file {tmp_path}: Is a directory",
        f"--slo-file {empty}: has no objectives",
        f"--slo-file {binary}: is not UTF-8",
        f"--slo-file {large}: is larger than 1,000,000 bytes",
    ]
