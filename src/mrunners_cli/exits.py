"""How a command ends: exceptions and signals become a line on stderr and an exit code.

It must not know any command.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from mrunners.errors import ExitCode, InvalidInputError, MrunnersError
from mrunners_cli.console import print_line

__all__ = ["Terminated", "catching_signals", "exit_code_of"]


class Terminated(BaseException):
    """SIGTERM, raised where the program is, so that everything is left in order."""


@contextmanager
def catching_signals() -> Iterator[None]:
    """Raise Terminated on SIGTERM; SIGINT is a KeyboardInterrupt already."""

    def terminate(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command and say on stderr what it raised.

    Returns: the exit code of the design's table.
    """
    try:
        code = command()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except MrunnersError as error:
        print_error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; what is deployed stays and can be resumed", err=True)
        return ExitCode.INTERRUPTED
    except Terminated:
        click.echo("terminated; what is deployed stays and can be resumed", err=True)
        return ExitCode.TERMINATED
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the process ends here
        traceback.print_exc(file=sys.stderr)
        click.echo(
            "this is a defect of mrunners; please report it with the lines above and the output "
            "of `mrunners --version`",
            err=True,
        )
        return ExitCode.INTERNAL_ERROR
    return code if isinstance(code, int) else ExitCode.DONE


def print_error(error: MrunnersError) -> None:
    """Say on stderr what happened: one line per mistake, else the message as it is."""
    lines = error.problems if isinstance(error, InvalidInputError) else (str(error),)
    for line in lines:
        print_line(f"error: {line}")
