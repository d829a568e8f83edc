"""One row of the table of options: what every interface needs to know about an option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Option", "optional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a run.

    Attributes:
        name: The field's name; the command line spells it with dashes.
        title: The label in the form.
        help: The help text of the command line and the description in the form.
        default: None where the option is required.
        cli_default: The default of the command line, where it differs.
        schema: What the form checks while the user types, as JSON Schema. `validate_options` has
            the last word, and gives reasons.
        metavar: The value's name in `--help`.
        short: The one-letter flag.
        choices: The only values, where there are few.
        multiple: Whether the option can be repeated.
        blanks: Whether a value can have blanks, so that a variable of the environment holds one a
            line; otherwise they are separated by blanks.
        advanced: Whether the form shows it in the group of options that most runs leave alone.
        planned: Whether the plan stores it, so that a run resumed by its tracker alone has it
            already.
        flag: Whether the command line has an option of this name.
    """

    name: str
    title: str
    help: str
    default: object = None
    cli_default: object = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    metavar: str | None = None
    short: str | None = None
    choices: tuple[str, ...] = ()
    multiple: bool = False
    blanks: bool = False
    advanced: bool = False
    planned: bool = False
    flag: bool = True


def optional(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that an empty text passes too."""
    loose = {key: value for key, value in schema.items() if key != "minLength"}
    if "pattern" in loose:
        loose["pattern"] = f"^({loose['pattern'].removeprefix('^').removesuffix('$')})?$"
    return loose
