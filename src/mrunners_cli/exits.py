"""How a command ends: exceptions and signals become lines on stderr and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from mrunners.errors import ExitCode, InvalidInputError, InvalidOptionsError, MrunnersError
from mrunners.hints import next_step_lines
from mrunners_cli import console
from mrunners_cli.console import print_line
from mrunners_cli.flags import flag_of, given_cluster

__all__ = ["Terminated", "catching_signals", "exit_code_of"]


class Terminated(BaseException):
    """SIGTERM, raised wherever the program is, so that everything is left in order."""


@contextmanager
def catching_signals() -> Iterator[None]:
    """Raise Terminated on SIGTERM; SIGINT is a KeyboardInterrupt already."""

    def terminate(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise Terminated

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command, print what it raised on stderr, and return the exit code."""
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
        click.echo("interrupted; everything deployed so far stays and can be resumed", err=True)
        return ExitCode.INTERRUPTED
    except Terminated:
        click.echo("terminated; everything deployed so far stays and can be resumed", err=True)
        return ExitCode.TERMINATED
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the process ends here
        traceback.print_exc(file=sys.stderr)
        click.echo(
            "this is a bug in mrunners; please report it with the lines above and the output of "
            "`mrunners --version`",
            err=True,
        )
        return ExitCode.INTERNAL_ERROR
    return code if isinstance(code, int) else ExitCode.DONE


def print_error(error: MrunnersError) -> None:
    """Print what happened, one line per problem, and what to do next."""
    for line in _lines(error):
        console.print_error(line)
    for line in next_step_lines(error, given_cluster()):
        print_line(f"  {line}")


def _lines(error: MrunnersError) -> list[str]:
    if isinstance(error, InvalidOptionsError):
        return error.spelled(flag_of)
    if isinstance(error, InvalidInputError):
        return list(error.problems)
    return [str(error)]
