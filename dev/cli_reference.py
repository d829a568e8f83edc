"""Writes the command-line reference, docs/command-line.md, from the commands themselves.

    python -m dev.cli_reference

A test demands that the file is current.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from mrunners.errors import ExitCode
from mrunners_cli.main import cli

__all__ = ["FILE", "reference", "whole_reference"]

FILE = Path(__file__).parents[1] / "docs" / "command-line.md"

_INTRODUCTION = """\
# Command-line reference

Generated from the commands' own help by `python -m dev.cli_reference`; do not edit. What each exit
code means is in [exit-codes.md](exit-codes.md).
"""


def whole_reference() -> str:
    """Return the reference of all commands."""
    with click.Context(cli) as context:
        names = cli.list_commands(context)
        commands = [(name, cli.get_command(context, name)) for name in names]
    codes = ", ".join(f"{code.value} {code.name}" for code in ExitCode)
    parts = [reference(command, f"mrunners {name}") for name, command in commands if command]
    return "\n".join([_INTRODUCTION, f"Exit codes: {codes}.\n", *parts])


def reference(command: click.Command, name: str) -> str:
    """Return the Markdown of one command: what it does, examples, and a table of its options."""
    # Click keeps the help option that it makes first, so this one must be the command line's.
    names = cli.context_settings["help_option_names"]
    context = click.Context(command, info_name=name, help_option_names=names)
    prose = inspect.cleandoc(command.help or "")
    examples = (command.epilog or "").removeprefix("\b\nExamples:\n")
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## `{name}`", "", f"    {usage}", "", *prose.strip().splitlines(), ""]
    if examples:
        lines += [
            *(f"    {line.removeprefix('  ')}" for line in examples.rstrip().splitlines()),
            "",
        ]
    options = [param for param in command.params if isinstance(param, click.Option)]
    if options:
        lines += ["| option | default | what it does |", "|---|---|---|"]
        lines += [_row(option, context) for option in options]
    return "\n".join([*lines, ""])


def _row(option: click.Option, context: click.Context) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    if isinstance(option.type, click.Choice):
        flags += " " + " \\| ".join(f"`{choice}`" for choice in option.type.choices)
    elif not option.is_flag:
        flags += f" `{option.make_metavar(context)}`"
    default = "required" if option.required else ""
    if option.show_default and option.default is not None:
        default = f"`{option.default}`"
    text = (option.help or "").replace("|", "\\|")
    return f"| {flags} | {default} | {text}{' Repeatable.' if option.multiple else ''} |"


if __name__ == "__main__":
    FILE.write_text(whole_reference(), "utf-8")
