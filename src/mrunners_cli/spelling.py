"""How options, variables and examples are written: what `--help` and every error need."""

from __future__ import annotations

__all__ = ["COMPLETE_VARIABLE", "examples", "flag_of", "variable_of"]

# Set by a shell that asks for completions: click's name for the program `mrunners`.
COMPLETE_VARIABLE = "_MRUNNERS_COMPLETE"


def examples(text: str) -> str:
    """Return the epilog of a command's help that shows examples as they are."""
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    return f"\b\nExamples:\n{indented}"


def flag_of(field: str) -> str:
    """Return a field's flag, such as `--start-timeout` for `advanced.start_timeout`."""
    return "--" + field.rpartition(".")[2].replace("_", "-")


def variable_of(field: str) -> str:
    """Return the environment variable that sets a field's default, such as MRUNNERS_NAMESPACE."""
    return f"MRUNNERS_{field.rpartition('.')[2].upper()}"
