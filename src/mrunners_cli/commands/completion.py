"""`mrunners completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from mrunners_cli.spelling import COMPLETE_VARIABLE, examples

__all__ = ["completion"]

_EXAMPLES = """\
source <(mrunners completion bash)
mrunners completion zsh > "${fpath[1]}/_mrunners"
mrunners completion fish > ~/.config/fish/completions/mrunners.fish
"""


@click.command(epilog=examples(_EXAMPLES))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and their values.

    Source it in the shell's startup file, or write it to where the shell looks for completions.
    """
    script = get_completion_class(shell)
    assert script is not None
    command = context.find_root().command
    # The script asks the command with this variable set, and click answers.
    click.echo(script(command, {}, "mrunners", COMPLETE_VARIABLE).source(), nl=False)
