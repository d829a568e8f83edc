"""The files of the repository, also in an unpacked sdist, where git does not know them."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["ROOT", "repository_files"]

ROOT = Path(__file__).parents[2]


def repository_files() -> list[Path]:
    """Those that git tracks, or in an unpacked sdist all but caches."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return [path for path in map(ROOT.joinpath, listed.stdout.splitlines()) if path.is_file()]
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not path.relative_to(ROOT).as_posix().startswith(".")
        if "__pycache__" not in path.parts
    )
