"""How a command ends: exceptions and signals become lines on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Callable

import click

from mrunners.errors import ExitCode, InvalidInputError, InvalidOptionsError, MrunnersError
from mrunners.hints import next_step_lines
from mrunners_cli import console
from mrunners_cli.console import print_line
from mrunners_cli.interruption import Terminated, catching_signals, describe_interruption
from mrunners_cli.spelling import COMPLETE_VARIABLE, flag_of
from mrunners_cli.streams import StdoutError, reader_is_gone

__all__ = ["Terminated", "catching_signals", "exit_code_of"]

# What this machine lacks, and not mrunners: a disk with space that may be written, and resources.
_LOCAL_CONDITIONS = frozenset(
    {
        errno.EACCES,
        errno.EBADF,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command, print what it raised on stderr, and return the exit code."""
    try:
        code = command()
    except click.ClickException as error:
        _print_usage_error(error)
        return error.exit_code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except MrunnersError as error:
        print_error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print_line(describe_interruption("interrupted"))
        return ExitCode.INTERRUPTED
    except Terminated:
        print_line(describe_interruption("terminated"))
        return ExitCode.TERMINATED
    except StdoutError as error:
        if error.errno == errno.EPIPE:
            return ExitCode.BROKEN_PIPE
        print_line(f"error: cannot write to stdout: {error.strerror}")
        return ExitCode.INVALID
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the process ends here
        # Not standalone, click exits by itself for two causes only: a broken pipe, with a plain 1,
        # and once it has answered a shell that completes a word.
        if isinstance(error, SystemExit) and reader_is_gone():
            return ExitCode.BROKEN_PIPE
        if isinstance(error, SystemExit) and os.environ.get(COMPLETE_VARIABLE):
            return error.code if isinstance(error.code, int) else ExitCode.DONE
        if isinstance(error, OSError) and (problem := _local_problem(error)) is not None:
            print_line(f"error: {problem}")
            return ExitCode.INVALID
        print_line(traceback.format_exc().rstrip())
        print_line(
            "this is a bug in mrunners; please report it with the lines above and the output of "
            "`mrunners --version`"
        )
        return ExitCode.INTERNAL_ERROR
    return code if isinstance(code, int) else ExitCode.DONE


def _local_problem(error: OSError) -> str | None:
    """Return what this machine lacks; None for an error that only a bug can cause."""
    if error.errno in _LOCAL_CONDITIONS:
        # Files that commands write and stdout have messages of their own.
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if error.errno == errno.ENOENT and error.filename is None:
        # No folder for temporary files (tempfile says which were tried), or none to work in.
        return str(error.strerror)
    return None


def _print_usage_error(error: click.ClickException) -> None:
    """Print a wrong use as every other error, and whose help explains the right one."""
    message = error.format_message()
    if message[1:2].islower():  # click begins a sentence, where every other error goes on with one
        message = message[0].lower() + message[1:]
    print_line(f"error: {message}")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        print_line(f"  see: {context.command_path} --help")


def print_error(error: MrunnersError) -> None:
    """Print what happened, one line per problem, and what to do next."""
    from mrunners_cli.cluster_flags import (
        given_cluster,  # with all options, which `--help` does not need
    )

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
