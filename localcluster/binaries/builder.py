"""Build what is missing in the cache, one binary after the other; it must not run the result.

Each binary is written under a name of its own and then renamed, so an interruption at any point
leaves either a whole binary or none, and two builds at once only do the same work twice.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from localcluster.binaries.catalog import BINARIES, MODULES, Binary, binary_flags
from localcluster.binaries.fingerprint import fingerprint, module_files
from localcluster.binaries.toolchain import Toolchain, find_go, go_environment
from localcluster.console import say
from localcluster.errors import BuildFailedError
from localcluster.paths import cache_root

__all__ = ["binary_folder", "build_binaries"]

HEARTBEAT_SECONDS = 30


def binary_folder(environ: Mapping[str, str]) -> Path:
    """Where the binaries of these pins are or will be.

    Args:
        environ: this process's environment.
    """
    system = os.uname()
    platform = f"{system.sysname.lower()}/{system.machine}"
    return cache_root(environ) / fingerprint(module_files(), platform) / "bin"


def build_binaries(environ: Mapping[str, str]) -> Path:
    """Bring every binary of the catalog into the cache.

    Args:
        environ: this process's environment.
    Returns: the folder that holds them all.
    Raises: ToolchainError: no Go. BuildFailedError: go build failed.
    """
    folder = binary_folder(environ)
    missing = [binary for binary in BINARIES if not (folder / binary.name).exists()]
    if not missing:
        say(f"binaries: all {len(BINARIES)} are in the cache ({folder})")
        return folder
    toolchain = find_go(MODULES / "kubernetes", environ)
    folder.mkdir(parents=True, exist_ok=True)
    minutes = max(1, round(sum(binary.typical_seconds for binary in missing) / 60))
    say(
        f"binaries: building {len(missing)} of {len(BINARIES)} with {toolchain.go}, about "
        f"{minutes} min on two cores the first time; it may be interrupted and started again"
    )
    for number, binary in enumerate(BINARIES, start=1):
        label = f"[{number}/{len(BINARIES)}] {binary.name}"
        if (folder / binary.name).exists():
            say(f"{label}: in the cache")
        else:
            _build(binary, folder, toolchain, label, environ)
    return folder


def _build(
    binary: Binary, folder: Path, toolchain: Toolchain, label: str, environ: Mapping[str, str]
) -> None:
    say(f"{label}: building, about {_spoken(binary.typical_seconds)} the first time")
    begun = time.monotonic()
    # A scratch folder beside the target: rename is atomic only within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{binary.name}-", dir=folder) as scratch:
        result = Path(scratch) / binary.name
        words = [str(toolchain.go), "build", *binary_flags(binary), "-o", str(result)]
        process = subprocess.Popen(
            [*words, binary.package],
            cwd=MODULES / binary.module,
            env=go_environment(environ),
            stdout=2,
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    say(f"{label}: still building, {time.monotonic() - begun:.0f} s so far")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if code != 0:
            raise BuildFailedError(
                f"{binary.name}: `go build {binary.package}` ended with {code}, see go's words "
                "above; if it could not fetch modules, check the network and GOPROXY"
            )
        result.replace(folder / binary.name)
    say(f"{label}: built in {time.monotonic() - begun:.0f} s")


def _spoken(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
