"""The options that commands share, made from the table of options, and the types of their values.

Nothing heavier than click is imported here: `--help` needs all of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, TypeVar

import click

from mrunners.durations import parse_duration
from mrunners.names import dns_label_problem
from mrunners.plan.option_row import Option
from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterRef

__all__ = [
    "DURATION",
    "cluster_options",
    "examples",
    "flag_of",
    "given_cluster",
    "namespace_argument",
    "option_from_table",
    "quiet_option",
    "remember_cluster",
    "run_options",
    "tracker_option",
]

F = TypeVar("F", bound=Callable[..., Any])

_given_cluster: ContextVar[ClusterRef] = ContextVar("given_cluster", default=ClusterRef())


class _Duration(click.ParamType[float]):
    """Seconds, from a text such as `90s`, `10m` or `2h`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds of a duration."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()


def examples(text: str) -> str:
    """Return the epilog of a command's help that shows examples as they are."""
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    return f"\b\nExamples:\n{indented}"


def flag_of(field: str) -> str:
    """Return a field's flag, such as `--start-timeout` for `advanced.start_timeout`."""
    return "--" + field.rpartition(".")[2].replace("_", "-")


def option_from_table(option: Option, **changes: Any) -> Callable[[F], F]:
    """Return the decorator that gives a command an option of the table.

    Args:
        option: A row of the table.
        **changes: Keyword arguments of `click.option` that replace the row's.
    """
    flags = [flag_of(option.name), *([option.short] if option.short else [])]
    default = option.default if option.cli_default is None else option.cli_default
    if isinstance(default, StrEnum):
        default = str(default)  # click spells a member by its name, in capitals
    settings: dict[str, Any] = {"help": option.help, "metavar": option.metavar}
    if isinstance(default, bool):
        # A value is optional: `--wait`, `--wait=false`.
        settings |= {
            "is_flag": False,
            "flag_value": "true",
            "default": str(default).lower(),
            "type": click.BOOL,
        }
    elif default is None:
        settings |= {"required": True}
    else:
        settings |= {
            "default": default,
            "multiple": option.multiple,
            "show_default": bool(default) and not option.multiple,
        }
    if option.choices:
        choices = click.Choice([str(choice) for choice in option.choices])
        settings |= {"type": choices, "metavar": None}
    return click.option(*flags, **(settings | changes))


def run_options(command: F) -> F:
    """Give a command all options of a run, in the order of the table."""
    for option in reversed(list(OPTIONS.values())):
        if option.flag:
            command = option_from_table(option)(command)
    return command


def cluster_options(command: F) -> F:
    """Give a command --kubeconfig and --context, which it gets as one `cluster`."""

    @functools.wraps(command)
    def with_cluster(*args: Any, kubeconfig: str, context: str, **kwargs: Any) -> Any:
        cluster = remember_cluster(ClusterRef(kubeconfig, context))
        return command(*args, cluster=cluster, **kwargs)

    for name in ("context", "kubeconfig"):
        help_text = OPTIONS[name].help
        if name == "kubeconfig":
            help_text = (
                "Path to a kubeconfig. Empty means $KUBECONFIG or the default file, and in a pod "
                "without either the pod's token."
            )
        with_cluster = option_from_table(OPTIONS[name], help=help_text)(with_cluster)
    return with_cluster  # type: ignore[return-value]


def remember_cluster(cluster: ClusterRef) -> ClusterRef:
    """Keep what --kubeconfig and --context say, for the hints that follow an error."""
    _given_cluster.set(cluster)
    return cluster


def given_cluster() -> ClusterRef:
    """Return what --kubeconfig and --context of this command say."""
    return _given_cluster.get()


def _check_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a name that must not be part of a URL of the API server."""
    problem = None if value is None else dns_label_problem(value)
    if problem is not None:
        raise click.BadParameter(problem, ctx, param)
    return value


def namespace_argument(command: F) -> F:
    """Give a command the argument NAMESPACE."""
    return click.argument("namespace", metavar="NAMESPACE", callback=_check_name)(command)


def tracker_option(command: F) -> F:
    """Give a command --tracker, where it may be left out."""
    return option_from_table(
        OPTIONS["tracker"],
        default=None,
        show_default=False,
        callback=_check_name,
        help="The run's tracker. Default: the only one in the namespace.",
    )(command)


def quiet_option(command: F) -> F:
    """Give a command --quiet."""
    return click.option(
        "--quiet", "-q", is_flag=True, help="No progress on stderr, only warnings and errors."
    )(command)
