"""Compute the name of the cache folder from the pinned modules, the flags and the platform."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from localcluster.binaries.catalog import BINARIES, MODULES, Binary, binary_flags

__all__ = ["fingerprint", "module_files"]


def module_files(modules: Path = MODULES) -> dict[str, bytes]:
    """Return the content of every go.mod and go.sum, by its path inside the modules folder.

    Args:
        modules: The folder with one folder per Go module.
    """
    return {
        str(path.relative_to(modules)): path.read_bytes()
        for path in sorted(modules.glob("*/go.*"))
        if path.name in {"go.mod", "go.sum"}
    }


def fingerprint(
    files: Mapping[str, bytes], platform: str, binaries: Iterable[Binary] = BINARIES
) -> str:
    """Return a digest of everything that determines the binaries.

    Args:
        files: The go.mod and go.sum of every module, by path.
        platform: The platform, such as linux/amd64.
        binaries: The catalog.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(platform.encode())
    for name in sorted(files):
        digest.update(f"\0{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    for binary in binaries:
        digest.update("\0".join((binary.name, binary.package, *binary_flags(binary))).encode())
    return digest.hexdigest()[:16]
