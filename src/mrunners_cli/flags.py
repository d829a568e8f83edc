"""The options that commands share, made from the table of options.

Nothing heavier than click is imported here: `--help` needs all of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import click

from mrunners.names import dns_label_problem
from mrunners.plan.option_row import Option
from mrunners.plan.option_table import OPTIONS
from mrunners.refs import ClusterLocation
from mrunners_cli.spelling import flag_of, variable_of
from mrunners_cli.value_types import DURATION, LINE, Format

__all__ = [
    "DURATION",
    "OptionalValues",
    "namespace_options",
    "namespace_or_default",
    "option_from_table",
    "output_option",
    "quiet_option",
    "refuse_typed",
    "run_options",
    "tracker_option",
    "typed_parameters",
]

F = TypeVar("F", bound=Callable[..., Any])


class OptionalValues(click.Command):
    """A command with options such as `--wait`, whose value is true or false and may be left out.

    Such an option takes the next word only if that is a truth value: in `--wait load`, as in
    kubectl, `load` is an argument of its own.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write out the values that are left out."""
        options = [param for param in self.params if isinstance(param, click.Option)]
        bare = {
            name: option.flag_value
            for option in options
            if option.type is click.BOOL and not option.is_flag
            for name in option.opts
        }
        end = args.index("--") if "--" in args else len(args)
        known = click.BOOL.bool_states
        written = [
            f"{word}={bare[word]}" if word in bare and following.lower() not in known else word
            for word, following in zip(args[:end], [*args[1:end], ""], strict=False)
        ]
        return super().parse_args(ctx, written + args[end:])


def output_option(*formats: str, **settings: Any) -> Callable[[F], F]:
    """Return the decorator that gives a command --output, which is a format as in kubectl.

    Args:
        *formats: What the command can print.
        **settings: Further keyword arguments of `click.option`.
    """
    return click.option("--output", "-o", "output_format", type=Format(formats), **settings)


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
    settings: dict[str, Any] = {
        "help": option.help,
        "metavar": option.metavar,
        "envvar": variable_of(option.name),
    }
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
        if option.blanks:
            settings |= {"type": LINE}
    if option.choices:
        choices = click.Choice([str(choice) for choice in option.choices])
        settings |= {"type": choices, "metavar": None}
    return click.option(*flags, **(settings | changes))


def run_options(command: F) -> F:
    """Give a command all options of a run, in the order of the table."""
    for option in reversed(list(OPTIONS.values())):
        if option.name == "namespace":
            # `validate_options` reports a wrong name together with all other problems.
            command = namespace_options(command, check=_refuse_empty)
        elif option.flag:
            command = option_from_table(option)(command)
    return command


def typed_parameters(context: click.Context | None = None) -> set[str]:
    """Return the parameters on the command line; all others have their defaults.

    So they have if a variable of the environment sets these. A namespace is `namespace`, however it
    was typed.
    """
    context = context or click.get_current_context()
    typed = {
        name
        for name in context.params
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    return typed | ({"namespace"} if "in_namespace" in typed else set())


def refuse_typed(option: str, *others: str) -> None:
    """Refuse options that were typed beside one which they contradict or say nothing about.

    Raises:
        UsageError: One of the parameters `others` is on the command line.
    """
    typed = typed_parameters()
    if wrong := [flag_of(name) for name in others if name in typed]:
        raise click.UsageError(f"{option} does not go with {', '.join(wrong)}")


def _check_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a name that must not be part of a URL of the API server."""
    problem = None if value is None else dns_label_problem(value)
    if problem is not None:
        raise click.BadParameter(problem, ctx, param)
    return value


def _refuse_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what a variable that is not set leaves: it must not mean the default."""
    if value == "":
        raise click.BadParameter("must not be empty", ctx, param)
    return value


def namespace_options(command: F, *, check: Callable[..., str | None] = _check_name) -> F:
    """Give a command the argument NAMESPACE and --namespace, which it gets as one `namespace`.

    It is empty when neither is given: see `namespace_or_default`.

    Args:
        command: The command's function.
        check: Called by click with each of both values.
    """

    @functools.wraps(command)
    def with_namespace(
        *args: Any, namespace: str | None, in_namespace: str | None, **kwargs: Any
    ) -> Any:
        source = click.get_current_context().get_parameter_source("namespace")
        typed = source is click.core.ParameterSource.COMMANDLINE
        if in_namespace and typed and in_namespace != namespace:
            raise click.UsageError(
                f"namespace {in_namespace} and --namespace {namespace} contradict each other; "
                "give one of them"
            )
        return command(*args, namespace=in_namespace or namespace or "", **kwargs)

    decorated = option_from_table(
        OPTIONS["namespace"],
        required=False,
        default=None,
        show_default=False,
        callback=check,
        help="The Kubernetes namespace of the Jobs and their tracker; NAMESPACE is the same. "
        "Default: the context's namespace.",
    )(with_namespace)
    return click.argument("in_namespace", metavar="[NAMESPACE]", required=False, callback=check)(
        decorated
    )  # type: ignore[return-value]


def namespace_or_default(namespace: str, location: ClusterLocation) -> str:
    """Return the namespace that a command is about.

    Not `default`, where kubectl would look: a load run or a deletion wants a namespace that
    somebody has named.

    Args:
        namespace: As given; empty means the context's.
        location: The cluster that the command is connected to.

    Raises:
        UsageError: Nothing names a namespace.
    """
    if namespace or location.namespace:
        return namespace or location.namespace
    raise click.UsageError(
        f"no namespace: give one with -n NAME, set {variable_of('namespace')}, or set that of the "
        "context with: kubectl config set-context --current --namespace=NAME"
    )


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
        "--quiet",
        "-q",
        is_flag=True,
        envvar=variable_of("quiet"),
        help="No progress on stderr, only warnings and errors.",
    )(command)
