"""Build the binaries that are missing in the cache, one after the other.

Each binary is built under a temporary name and then renamed. An interruption at any point leaves
either a complete binary or none, and two builds at once only do the same work twice.
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
from localcluster.console import print_line
from localcluster.errors import BuildFailedError
from localcluster.paths import cache_root

__all__ = ["binary_folder", "build_binaries"]

HEARTBEAT_SECONDS = 30


def binary_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the binaries that belong to the current pins; it may not exist yet."""
    system = os.uname()
    platform = f"{system.sysname.lower()}/{system.machine}"
    return cache_root(environ) / fingerprint(module_files(), platform) / "bin"


def build_binaries(environ: Mapping[str, str], *, kubelets: bool = False) -> Path:
    """Build every binary of the catalog that the cache does not contain.

    Args:
        environ: This process's environment.
        kubelets: Also what kubelet hosts alone need.

    Returns:
        The folder that contains all of them.

    Raises:
        ToolchainError: There is no suitable Go.
        BuildFailedError: `go build` failed.
    """
    folder = binary_folder(environ)
    wanted = [binary for binary in BINARIES if kubelets or not binary.for_kubelets]
    missing = [binary for binary in wanted if not (folder / binary.name).exists()]
    if not missing:
        print_line(f"binaries: all {len(wanted)} are in the cache ({folder})")
        return folder
    toolchain = find_go(MODULES / "kubernetes", environ)
    folder.mkdir(parents=True, exist_ok=True)
    minutes = max(1, round(sum(binary.typical_seconds for binary in missing) / 60))
    print_line(
        f"binaries: building {len(missing)} of {len(wanted)} with {toolchain.go}, about "
        f"{minutes} min on two cores the first time; you can interrupt and restart it"
    )
    for number, binary in enumerate(wanted, start=1):
        label = f"[{number}/{len(wanted)}] {binary.name}"
        if (folder / binary.name).exists():
            print_line(f"{label}: in the cache")
        else:
            _build(binary, folder, toolchain, label, environ)
    return folder


def _build(
    binary: Binary, folder: Path, toolchain: Toolchain, label: str, environ: Mapping[str, str]
) -> None:
    print_line(f"{label}: building, about {_format_seconds(binary.typical_seconds)} the first time")
    started = time.monotonic()
    # In the target's folder, because a rename is atomic only within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{binary.name}-", dir=folder) as scratch:
        result = Path(scratch) / binary.name
        command = [str(toolchain.go), "build", *binary_flags(binary), "-o", str(result)]
        process = subprocess.Popen(
            [*command, binary.package],
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
                    elapsed = time.monotonic() - started
                    print_line(f"{label}: still building, {elapsed:.0f} s so far")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if code != 0:
            raise BuildFailedError(
                f"{binary.name}: `go build {binary.package}` exited with code {code}; see its "
                "output above. If it could not download modules, check the network and GOPROXY"
            )
        result.replace(folder / binary.name)
    print_line(f"{label}: built in {time.monotonic() - started:.0f} s")


def _format_seconds(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
