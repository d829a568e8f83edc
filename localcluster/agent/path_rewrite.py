"""Replace a container's paths in its command and environment by paths of this machine.

Without privileges nothing can be mounted, so the text that names a mount is changed instead:
`/config` is replaced in `--config=/config/a.yaml` and inside a shell script, but neither in
`/configs` nor in `/etc/config`. Only the text decides; the disk is not consulted.
"""

import re
from collections.abc import Iterable, Mapping

__all__ = ["rewrite_arguments", "rewrite_paths"]

# Before a path: nothing that could be the end of a longer path, a variable or a substitution.
_BEFORE = r"(?<![\w./~)}$\\])"
# After a path: nothing that could continue its last element. A period that ends a sentence may.
_AFTER = r"(?![\w@%+~-]|\.[\w.])"


def rewrite_paths(text: str, paths: Mapping[str, str]) -> str:
    """Return the text with every path of the container replaced once.

    Args:
        text: An argument of a command, or a whole script.
        paths: Path in the container -> path on this machine.
    """
    local = {path.rstrip("/"): target for path, target in paths.items() if path.rstrip("/")}
    if not local:
        return text
    # The longest first: /config/extra before /config.
    alternatives = "|".join(re.escape(path) for path in sorted(local, key=len, reverse=True))
    pattern = re.compile(f"{_BEFORE}({alternatives}){_AFTER}")
    return pattern.sub(lambda match: local[match[1]], text)


def rewrite_arguments(arguments: Iterable[str], paths: Mapping[str, str]) -> list[str]:
    """Apply `rewrite_paths` to each argument of a command.

    Args:
        arguments: The arguments of a command.
        paths: Path in the container -> path on this machine.
    """
    return [rewrite_paths(argument, paths) for argument in arguments]
