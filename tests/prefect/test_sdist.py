"""The sdist contains all modules that its tests import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.commands import CHECKOUT, bare_environment

SOURCES = ("src", "tasks", "flows")
# The environment may contain an editable install, which must not provide what the sdist lacks.
COLLECT = f"""\
import sys
import pytest

editable = {[str(CHECKOUT / name) for name in SOURCES]!r}
sys.path[:] = [path for path in sys.path if path not in editable]
sys.exit(pytest.main(["--collect-only", "--quiet", "-p", "no:cacheprovider", "tests"]))
"""


def test_the_tests_of_an_unpacked_sdist_can_be_collected(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist"]
    subprocess.run([*build, "--directory", str(tmp_path / "dist")], cwd=CHECKOUT, check=True)
    (archive,) = (tmp_path / "dist").iterdir()
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    done = subprocess.run(
        [sys.executable, "-c", COLLECT],
        env={
            **bare_environment(),
            "PYTHONPATH": os.pathsep.join(str(unpacked / name) for name in SOURCES),
        },
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert "tests/prefect/test_sdist.py::" in done.stdout
