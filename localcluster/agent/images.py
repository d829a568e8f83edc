"""The images that process hosts know, and the local files in each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from localcluster.errors import UsageError

__all__ = [
    "Image",
    "ImageTable",
    "full_reference",
    "image_table",
    "is_valid_name",
    "parse_image_option",
]

# The grammar of an image reference (distribution/reference), without its length limits.
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9-]+)*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


# The images of kubelet hosts, and whether each has a shell.
_KPERF_IMAGES: Mapping[str, bool] = MappingProxyType(
    {
        "ghcr.io/azure/kperf:0.3.5": True,
        "ghcr.io/azure/kperf-busybox:0.3.5": True,
        "ghcr.io/azure/kperf-scratch:0.3.5": False,
    }
)


@dataclass(frozen=True)
class Image:
    """The content of an image."""

    name: str
    # Path in the image -> file of this machine.
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # kperf's image sets no user, so it runs as root.
    user: str = ""
    # Whether the image also has the shell and coreutils of this machine.
    shell: bool = True


ImageTable = Mapping[str, Image]


def is_valid_name(name: str) -> bool:
    """Return whether a container runtime could parse an image reference.

    Args:
        name: The reference as in the pod's spec.
    """
    return _REFERENCE.fullmatch(name) is not None


def full_reference(name: str) -> str:
    """Return an image reference with its registry and tag, as containerd writes it in messages.

    Args:
        name: A valid reference, such as busybox.
    """
    host, slash, rest = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not ("." in host or ":" in host or host == "localhost"):
        name = f"docker.io/{host}/{rest}"
    has_tag = ":" in name.rpartition("/")[2] or "@" in name
    return name if has_tag else f"{name}:latest"


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
    kperf = {"/kperf": str(bin_folder / "kperf")}
    files = {name: dict(kperf) for name in _KPERF_IMAGES}
    for option in options:
        name, path, file = parse_image_option(option)
        files.setdefault(name, {})[path] = file
    return {
        name: Image(name, MappingProxyType(content), shell=_KPERF_IMAGES.get(name, True))
        for name, content in files.items()
    }
