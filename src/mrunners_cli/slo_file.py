"""`--slo-file`: objectives that are kept in a file, one a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from mrunners.errors import InvalidInputError
from mrunners_cli.spelling import variable_of

__all__ = ["read_slo_files", "slo_file_option"]

F = TypeVar("F", bound=Callable[..., Any])

_MAX_BYTES = 1_000_000


def slo_file_option(command: F) -> F:
    """Give a command --slo-file."""
    return click.option(
        "--slo-file",
        "slo_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        multiple=True,
        envvar=variable_of("slo_file"),
        help="A file with objectives as for --slo, one a line; lines that begin with # are "
        "comments.",
    )(command)


def read_slo_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the objectives in files, in their order.

    Raises:
        InvalidInputError: Files cannot be read, or have lines that are no objectives; one line for
            each problem.
    """
    from mrunners.reports.slo import objective_problem

    objectives: list[str] = []
    problems: list[str] = []
    for path in paths:
        try:
            lines = list(_lines(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(f"--slo-file {path}: {reason}")
            continue
        for number, text in lines:
            if problem := objective_problem(text):
                problems.append(f"{path}, line {number}: {problem}")
            objectives.append(text)
        if not lines:
            problems.append(f"--slo-file {path}: has no objectives")
    if problems:
        raise InvalidInputError(problems)
    return tuple(objectives)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines with objectives, each with its number from 1 on."""
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"is larger than {_MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if (objective := line.strip()) and not objective.startswith("#"):
            yield number, objective
