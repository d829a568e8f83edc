"""Replace paths of the container by paths of this machine; it must not look at the disk.

A container's mounts cannot be made without privileges, so the words that name them are changed:
`/config` in `--config=/config/a.yaml` and inside a shell script, but neither in `/configs` nor
in `/etc/config`.
"""

import re
from collections.abc import Iterable, Mapping

__all__ = ["replace_paths", "replace_words"]

# Before a path: nothing that could be the end of a longer path, a variable or a substitution.
_BEFORE = r"(?<![\w./~)}$\\])"
# After it: nothing that could continue its last element. A full stop that ends a sentence may.
_AFTER = r"(?![\w@%+~-]|\.[\w.])"


def replace_paths(text: str, places: Mapping[str, str]) -> str:
    """The text with every path of the container replaced, each once.

    Args:
        text: a word of a command, or a whole script.
        places: path in the container -> path here.
    """
    known = {path.rstrip("/"): here for path, here in places.items() if path.rstrip("/")}
    if not known:
        return text
    # The longest first: /config/extra before /config.
    either = "|".join(re.escape(path) for path in sorted(known, key=len, reverse=True))
    pattern = re.compile(f"{_BEFORE}({either}){_AFTER}")
    return pattern.sub(lambda found: known[found[1]], text)


def replace_words(words: Iterable[str], places: Mapping[str, str]) -> list[str]:
    """`replace_paths` for each word.

    Args:
        words: of a command.
        places: path in the container -> path here.
    """
    return [replace_paths(word, places) for word in words]
