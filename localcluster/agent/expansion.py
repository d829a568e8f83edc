"""Kubernetes' own $(VAR) expansion; it must not touch a shell's $VAR or ${VAR}."""

import re
from collections.abc import Mapping

__all__ = ["expand"]

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with $(VAR) replaced where VAR is known, and $$ turned into $.

    Args:
        text: of a command, an argument or a variable's value.
        variables: what is defined so far.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] == "$":
            return "$"
        # k8s.io/kubernetes/third_party/forked/golang/expansion: unknown ones stay as written.
        return variables.get(found[2], found[0])

    return _REFERENCE.sub(value, text)
