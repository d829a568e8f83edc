"""The options that several commands share, and the types of their values.

It must not import anything heavier than click.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mrunners.durations import parse_duration
from mrunners.names import dns_label_problem

__all__ = ["DURATION", "kubeconfig_option", "namespace_argument", "quiet_option", "tracker_option"]

F = TypeVar("F", bound=Callable[..., Any])


class _Duration(click.ParamType[float]):
    """Seconds, from a text such as `90s`, `10m` or `2h`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds of a duration."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()


def _name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A name that may stand in a URL of the API server."""
    problem = None if value is None else dns_label_problem(value)
    if problem is not None:
        raise click.BadParameter(problem, ctx, param)
    return value


def namespace_argument(command: F) -> F:
    """NAMESPACE."""
    return click.argument("namespace", metavar="NAMESPACE", callback=_name)(command)


def kubeconfig_option(command: F) -> F:
    """--kubeconfig PATH."""
    return click.option(
        "--kubeconfig",
        metavar="PATH",
        default="",
        help="Path to a kubeconfig. Empty: the pod's token where there is one, else $KUBECONFIG "
        "or the default file.",
    )(command)


def tracker_option(command: F) -> F:
    """--tracker NAME, where it may be left out."""
    return click.option(
        "--tracker",
        metavar="NAME",
        callback=_name,
        help="The run's tracker. Default: the only one in the namespace.",
    )(command)


def quiet_option(command: F) -> F:
    """--quiet."""
    return click.option(
        "--quiet", "-q", is_flag=True, help="No progress on stderr; only warnings and errors."
    )(command)
