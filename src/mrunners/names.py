"""Checks of the names of Kubernetes objects and labels."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "DNS_LABEL_PATTERN",
    "DNS_SUBDOMAIN_PATTERN",
    "dns_label_problem",
    "dns_subdomain_problem",
    "label_key_problem",
    "label_value_problem",
]

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (RFC 1123).
# Without anchors, and without the limit of 63 characters, in which 31 dashes have room between
# letters. A form quotes it as Markdown, which takes `](` for a link and two `*` for emphasis.
DNS_LABEL_PATTERN: Final = "[a-z0-9]+(?:-+[a-z0-9]+){0,31}"
# With the dots and the least labels, 127 are the most that fit.
DNS_SUBDOMAIN_PATTERN: Final = f"{DNS_LABEL_PATTERN}(?:[.]{DNS_LABEL_PATTERN}){{0,126}}"
_LABEL: Final = re.compile(DNS_LABEL_PATTERN)
_MAX_LABEL: Final = 63
_MAX_SUBDOMAIN: Final = 253

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_LABEL_NAME: Final = re.compile("[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?")


def dns_label_problem(name: str, *, max_length: int = _MAX_LABEL) -> str | None:
    """Return why a text is not a DNS-1123 label, the form of a namespace's name.

    Args:
        name: The name as given.
        max_length: A limit below 63 for a name that gets a suffix later.

    Returns:
        The end of a sentence, such as `must not be empty`; None when the name is valid.
    """
    if not name:
        return "must not be empty"
    if len(name) > max_length:
        return f"must be at most {max_length} characters long, is {len(name)}"
    if _LABEL.fullmatch(name) is None:
        return (
            "must consist of lowercase letters, digits and '-', "
            f"and start and end with a letter or digit, got {name!r}"
        )
    return None


def dns_subdomain_problem(name: str) -> str | None:
    """Return why a text is not a DNS-1123 subdomain, the form of most objects' names.

    Returns:
        The end of a sentence, such as `must not be empty`; None when the name is valid.
    """
    if not name:
        return "must not be empty"
    if len(name) > _MAX_SUBDOMAIN:
        return f"must be at most {_MAX_SUBDOMAIN} characters long, is {len(name)}"
    if not all(_LABEL.fullmatch(part) for part in name.split(".")):
        return (
            "must consist of lowercase letters, digits, '-' and '.', "
            f"and each part between dots must start and end with a letter or digit, got {name!r}"
        )
    return None


def label_key_problem(key: str) -> str | None:
    """Return why a text is not the key of a label, such as `kubernetes.io/os` or `pool`.

    Returns:
        The end of a sentence; None when the key is valid.
    """
    prefix, slash, name = key.rpartition("/")
    if slash and (problem := dns_subdomain_problem(prefix)):
        return f"the part before the '/' of a label's key {problem}"
    return _label_problem(name, f"a label's key, got {key!r}")


def label_value_problem(value: str) -> str | None:
    """Return why a text is not the value of a label, which may be empty.

    Returns:
        The end of a sentence; None when the value is valid.
    """
    return _label_problem(value, f"a label's value, got {value!r}") if value else None


def _label_problem(text: str, what: str) -> str | None:
    if len(text) <= _MAX_LABEL and _LABEL_NAME.fullmatch(text):
        return None
    return (
        f"must have 1 to {_MAX_LABEL} letters, digits, '-', '_' and '.', and start and end with a "
        f"letter or digit, as {what}"
    )
