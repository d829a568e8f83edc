"""Which local files stand for which image; it must not run or fetch anything."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from localcluster.errors import UsageError

__all__ = ["Image", "ImageTable", "image_table", "is_valid_name", "parse_image_option"]

# The grammar of a reference (distribution/reference), as far as it decides what is malformed.
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9-]+)*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


@dataclass(frozen=True)
class Image:
    """What a container of this image finds; beside it, the shell and coreutils of this machine."""

    name: str
    # Path inside the image -> file of this machine.
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # kperf's image names none, so it is root.
    user: str = ""


ImageTable = Mapping[str, Image]


def is_valid_name(name: str) -> bool:
    """Whether a container runtime could read this reference at all.

    Args:
        name: as it stands in the pod.
    """
    return _REFERENCE.fullmatch(name) is not None


def parse_image_option(option: str) -> tuple[str, str, str]:
    """One --image option.

    Args:
        option: NAME=PATH:FILE, such as example.test/tool:1=/tool:./my-tool.
    Returns: the image's name, the path inside it, the absolute local file.
    Raises: UsageError: it has another form.
    """
    name, equals, rest = option.partition("=")
    inside, colon, file = rest.partition(":")
    if not (equals and colon and file and inside.startswith("/") and is_valid_name(name)):
        raise UsageError(f"--image {option!r}: write NAME=/PATH/IN/IMAGE:LOCAL-FILE")
    return name, inside, str(Path(file).absolute())


def image_table(programs: Path, options: Iterable[str] = ()) -> ImageTable:
    """Every image that the process hosts know.

    Args:
        programs: the folder of the built binaries.
        options: --image options; several of one name add up.
    """
    files: dict[str, dict[str, str]] = {
        "ghcr.io/azure/kperf:0.3.5": {"/kperf": str(programs / "kperf")}
    }
    for option in options:
        name, inside, file = parse_image_option(option)
        files.setdefault(name, {})[inside] = file
    return {name: Image(name, MappingProxyType(inside)) for name, inside in files.items()}
