"""The images that process hosts know, and the local files in each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from localcluster.errors import UsageError

__all__ = ["Image", "ImageTable", "image_table", "is_valid_name", "parse_image_option"]

# The grammar of an image reference (distribution/reference), without its length limits.
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9-]+)*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


@dataclass(frozen=True)
class Image:
    """The content of an image, beside the shell and coreutils of this machine."""

    name: str
    # Path in the image -> file of this machine.
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # kperf's image sets no user, so it runs as root.
    user: str = ""


ImageTable = Mapping[str, Image]


def is_valid_name(name: str) -> bool:
    """Return whether a container runtime could parse an image reference.

    Args:
        name: The reference as in the pod's spec.
    """
    return _REFERENCE.fullmatch(name) is not None


def parse_image_option(option: str) -> tuple[str, str, str]:
    """Parse one --image option.

    Args:
        option: NAME=PATH:FILE, such as example.test/tool:1=/tool:./my-tool.

    Returns:
        The name of the image, the path in it, and the absolute path of the local file.

    Raises:
        UsageError: It has another format.
    """
    name, equals, rest = option.partition("=")
    path, colon, file = rest.partition(":")
    if not (equals and colon and file and path.startswith("/") and is_valid_name(name)):
        raise UsageError(f"--image {option!r}: must have the format NAME=/PATH/IN/IMAGE:LOCAL-FILE")
    return name, path, str(Path(file).absolute())


def image_table(bin_folder: Path, options: Iterable[str] = ()) -> ImageTable:
    """Return every image that the process hosts know, by name.

    Args:
        bin_folder: The built binaries.
        options: --image options; several for one name add files to the same image.
    """
    files: dict[str, dict[str, str]] = {
        "ghcr.io/azure/kperf:0.3.5": {"/kperf": str(bin_folder / "kperf")}
    }
    for option in options:
        name, path, file = parse_image_option(option)
        files.setdefault(name, {})[path] = file
    return {name: Image(name, MappingProxyType(content)) for name, content in files.items()}
