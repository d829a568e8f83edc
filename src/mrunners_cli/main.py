"""The `mrunners` command: finds its subcommands, and turns whatever ends them into an exit code."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import NoReturn

import click

from mrunners.errors import ExitCode
from mrunners.text import did_you_mean
from mrunners_cli.exits import catching_signals, exit_code_of
from mrunners_cli.spelling import examples
from mrunners_cli.streams import abandon_unwritten_output, open_standard_streams

__all__ = ["cli", "main"]

_EXAMPLES = """\
mrunners run -n load --runner-image ghcr.io/azure/kperf:0.3.5 \\
    --runners 'file:///etc/load.yaml?numbers=10'
mrunners wait load
mrunners result load
"""

# Each command, and what it does: here, so that the list of them imports none.
_COMMANDS = {
    "run": "Deploy load runners, and run the flow.",
    "wait": "Wait until every Job of a run has finished.",
    "result": "Print the merged report of a run.",
    "status": "Show a run's progress and what is holding it up.",
    "delete": "Delete a run: its tracker, Jobs and pods.",
    "list": "List runs, and reports kept here.",
    "rbac": "Print the smallest roles for runners and mrunners.",
    "check-deployments": "Check a prefect.yaml more strictly than Prefect.",
    "completion": "Print a shell's completion script.",
}

# `list` is a name of Python's.
_FUNCTIONS = {"list": "list_"}


class _Commands(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a run."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name; None where a shell asks what completes another."""
        if cmd_name in _HABITS:
            return _HABITS[cmd_name]
        if cmd_name not in _COMMANDS and ctx.resilient_parsing:
            return None
        if cmd_name not in _COMMANDS:
            ctx.fail(f"unknown command '{cmd_name}'{did_you_mean(cmd_name, _COMMANDS)}")
        name = cmd_name.replace("-", "_")
        function = _FUNCTIONS.get(cmd_name, name)
        command = getattr(import_module(f"mrunners_cli.commands.{name}"), function)
        assert isinstance(command, click.Command)
        command.short_help = _COMMANDS[cmd_name]  # shells show it
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(
    cls=_Commands,
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=examples(_EXAMPLES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    None, "--version", "-V", package_name="mrunners", message="%(package)s %(version)s"
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run kperf load runners as Kubernetes Jobs and merge their reports into one.

    Exit codes: 0 done, 2 invalid input, 3 the tracker belongs to another run or does not exist, 4
    still running, 5 runners failed or reports are missing, 6 timeout, 7 cluster unreachable or
    forbidden, 9 the figures are in doubt.

    Without a namespace, commands use that of the kubeconfig's context. Variables such as
    MRUNNERS_NAMESPACE, MRUNNERS_CONTEXT and MRUNNERS_RUNNER_IMAGE set the defaults of options.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@click.command(name="help", hidden=True)
@click.argument("command", required=False)
@click.pass_context
def _help(context: click.Context, command: str | None) -> None:
    """Show the help of a command, as `COMMAND --help` does."""
    group = context.parent
    assert group is not None
    if command is None:
        click.echo(group.get_help())
    else:
        cli.main([command, "--help"], prog_name="mrunners", standalone_mode=False)


@click.command(name="version", hidden=True)
def _version() -> None:
    """Show the version, as `--version` does."""
    cli.main(["--version"], prog_name="mrunners", standalone_mode=False)


# What other tools have as commands.
_HABITS: dict[str, click.Command] = {"help": _help, "version": _version}


def main() -> NoReturn:
    """Run the command line and exit."""
    open_standard_streams()
    try:
        with catching_signals():
            code = exit_code_of(lambda: cli.main(prog_name="mrunners", standalone_mode=False))
        sys.stdout.flush()
    except OSError as error:
        # Any other error of stdout had its own message and exit code when it was written.
        if error.errno == errno.EPIPE:
            code = ExitCode.BROKEN_PIPE
    abandon_unwritten_output()
    sys.exit(code)
