"""docs/command-line.md is what the commands themselves say."""

import click
import pytest

from dev.cli_reference import FILE, whole_reference
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
