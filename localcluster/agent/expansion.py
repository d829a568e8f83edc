"""The $(VAR) expansion of Kubernetes; $VAR and ${VAR} of a shell stay as they are."""

import re
from collections.abc import Mapping

__all__ = ["expand"]

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with $(VAR) replaced where VAR is defined, and $$ turned into $.

    Args:
        text: A command, an argument or a variable's value.
        variables: The variables defined so far.
    """

    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        # An undefined one stays (k8s.io/kubernetes/third_party/forked/golang/expansion).
        return variables.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)
