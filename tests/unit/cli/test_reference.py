"""docs/command-line.md is what the commands themselves say."""

import re

import click
import pytest

from dev.cli_reference import FILE, whole_reference
from mrunners.errors import ExitCode
from mrunners_cli.main import cli

CONTEXT = click.Context(cli)


def test_the_reference_is_current_or_dev_cli_reference_was_not_run() -> None:
    assert FILE.read_text("utf-8") == whole_reference()


@pytest.mark.parametrize("name", cli.list_commands(CONTEXT))
def test_every_option_of_every_command_has_a_row(name: str) -> None:
    section = FILE.read_text("utf-8").partition(f"## `mrunners {name}`")[2].partition("\n## ")[0]
    command = cli.get_command(CONTEXT, name)
    assert command is not None
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if f"`{option.opts[0]}`" not in section] == []


def test_every_exit_code_is_explained_and_no_other() -> None:
    table = FILE.with_name("exit-codes.md").read_text("utf-8")
    rows = re.findall(r"^\| ([0-9, ]+) \|", table, re.MULTILINE)
    explained = [int(code) for row in rows for code in row.split(", ")]
    assert sorted(explained) == sorted(ExitCode)
