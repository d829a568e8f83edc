"""Writes JSON values as YAML the way kubectl does: multi-line texts as blocks, and no aliases.

Written by hand, because PyYAML takes many times as long to write a thousand Jobs as it takes to
make them. Scalars are PyYAML's, each different one once. `reference_yaml` is PyYAML alone; the
tests compare both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import yaml

__all__ = ["reference_yaml", "to_yaml", "to_yaml_stream"]

# PyYAML folds texts at spaces; kubectl does not.
_NEVER = 2**31

# What ends a line for YAML and not for others.
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")

# Names, paths and URIs are plain text, unless they are one of the words; numbers are quoted.
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/:?=&-]*[A-Za-z0-9._/=-])?")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_INTEGER = re.compile("0|[1-9][0-9]*")

# Such as a script or a load profile.
_LINES = re.compile(r"[!-~][ -~]*(?:\n[ -~]*)+")

# SHA-256, in hexadecimal; no YAML number is as long and has such digits.
_DIGEST = re.compile("(?=[0-9]*[acdf])[0-9a-f]{64}")

# Longer keys would need another notation.
_LONGEST_KEY = 100


def to_yaml_stream(values: Iterable[object]) -> str:
    """Return JSON values as the documents of one stream, keys in their own order."""
    return "---\n".join(map(to_yaml, values))


def to_yaml(value: object) -> str:
    """Return a JSON value as one document, keys in their own order."""
    lines: list[str] = []
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _add(lines, f"{_key(key)}:", item, "")
    elif isinstance(value, list) and value:
        for item in value:
            _add(lines, "-", item, "")
    else:
        lines.append(_scalar(value, ""))
    return "\n".join(lines) + "\n"


def reference_yaml(value: object) -> str:
    """Return what `to_yaml` does as PyYAML writes it, for the tests."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER)
    return text


def _add(lines: list[str], lead: str, value: object, indent: str) -> None:
    """Add the lines of a value.

    Args:
        lines: What is written so far.
        lead: What its first line begins with: a key with its colon, or the dash of a list.
        value: A JSON value.
        indent: Before the key or the dash.
    """
    is_mapping = isinstance(value, dict)
    if not (value and (is_mapping or isinstance(value, list))):
        lines.append(f"{lead} {_scalar(value, indent)}")
        return
    in_list = lead[-1] == "-"
    # A list stands right below its key; all else is indented.
    below = indent + "  " if in_list or is_mapping else indent
    if in_list:
        before = f"{lead} "  # the first item stands beside the dash
    else:
        lines.append(lead)
        before = below
    if isinstance(value, dict):
        for key, item in value.items():
            _add(lines, f"{before}{_key(key)}:", item, below)
            before = below
    elif isinstance(value, list):
        for item in value:
            _add(lines, f"{before}-", item, below)
            before = below


def _scalar(value: object, indent: str) -> str:
    """Return a scalar or something empty; further lines are indented behind `indent`."""
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _dumped(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    raise TypeError(f"no JSON value: {type(value).__name__}")


@lru_cache(maxsize=16_384)
def _text(text: str, indent: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if _DIGEST.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        return f"'{text}'"
    # Spaces at the end of a line forbid a block.
    if _LINES.fullmatch(text) and " \n" not in text and not text.endswith((" ", "\n\n")):
        lines = text.removesuffix("\n").split("\n")
        first = "|" if text.endswith("\n") else "|-"
        others = [f"  {line}" if line else "" for line in lines]
    else:
        first, *others = _dumped(text).split("\n")
    return "\n".join([first, *(indent + line if line else "" for line in others)])


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    if _PLAIN.fullmatch(key) and key.lower() not in _WORDS:
        return key
    if not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        return _quoted(key)
    return reference_yaml({key: 0}).removesuffix(": 0\n")


def _quoted(text: str) -> str:
    """Return a text between double quotes, on one line."""
    # Not our dumper, which would write a text of several lines as a block.
    quoted: str = yaml.safe_dump(text, default_style='"', width=_NEVER)
    return quoted.removesuffix("\n")


def _dumped(value: object) -> str:
    """Return a scalar as the value of a key at the top."""
    # Behind a last one that ends with empty lines, PyYAML would write the end of the document.
    return reference_yaml({"k": value, "z": 0}).removeprefix("k: ").removesuffix("\nz: 0\n")


class _Dumper(yaml.SafeDumper):
    """Writes every value out, without aliases."""

    def ignore_aliases(self, data: object) -> bool:
        """Ignore all."""
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    block = "|" if "\n" in text else None
    style = '"' if _ODD_BREAKS.search(text) else block
    style = style or dumper.default_style
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
