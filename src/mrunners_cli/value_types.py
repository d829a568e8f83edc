"""The types of values that click does not know: durations, and formats that are no files."""

from __future__ import annotations

import re
from typing import Any, Final

import click

from mrunners.durations import parse_duration
from mrunners.quantities import parse_rate

__all__ = ["DURATION", "LINE", "RATE", "Format"]


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


DURATION: Final = _Duration()


class _Rate(click.ParamType[str]):
    """A number per second, such as `20` or `0.5`, as text; it may be empty."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        try:
            if value:
                parse_rate(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


RATE: Final = _Rate()


class _Line(click.types.StringParamType):
    """A text that may have blanks; a variable of the environment has one a line."""

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the lines of a variable that are not empty."""
        return [line for line in map(str.strip, rv.splitlines()) if line]


LINE: Final = _Line()


# Formats of kubectl that print what a template chooses.
_OF_A_TEMPLATE: Final = re.compile(r"(jsonpath|go-template|custom-columns)(-as-json|-file)?(?:=|$)")
_LIKE_A_FILE: Final = re.compile(r"[./]")


class Format(click.Choice[str]):
    """A format; who gives a file or a template is told what takes one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return one of the choices."""
        if isinstance(value, str) and value not in self.choices:
            choices = ", ".join(map(str, self.choices))
            problem = ""
            if template := _OF_A_TEMPLATE.match(value):
                problem = (
                    f"-o {template[1]}: templates are not supported ({choices} are); use -o json "
                    "with jq"
                )
            elif _LIKE_A_FILE.search(value):
                options = [] if ctx is None else ctx.command.params
                file = any("--output-file" in option.opts for option in options)
                problem = (
                    f"-o is the format ({choices}); write to a file with "
                    f"{'--output-file' if file else '>'} {value}"
                )
            if problem:
                raise click.UsageError(problem, ctx)
        return super().convert(value, param, ctx)
