"""Tests of the tests: each change that would break the promise is noticed by some unit test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutations.mutations import MUTATIONS, Mutation, apply_mutation
from tests.unit.repository import ROOT

PACKAGES = ("src", "tasks", "flows")
TESTS_FAILED = 1


@dataclass(frozen=True)
class Copy:
    """A copy of the sources and their tests.

    Attributes:
        root: Its folder.
    """

    root: Path

    def run(self, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
        """Run tests against the copy alone; what is installed must not be imported."""
        path = os.pathsep.join(str(self.root / package) for package in PACKAGES)
        # Without plugins and fixtures of the whole project a run takes a second and not three.
        environ = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        plugins = ("-p", "pytest_timeout", "-p", "tests.no_deadlines", "-p", "no:cacheprovider")
        options = ("--noconftest", *plugins, "-x", "-q")
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.root,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A fresh copy for each test; with its compiled files, so that it starts as fast."""
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return Copy(tmp_path)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_change_that_would_break_the_promise_fails_a_test(mutation: Mutation, copy: Copy) -> None:
    apply_mutation(mutation, copy.root)
    done = copy.run(mutation.tests)
    # Not any failure: a test that no longer exists, or code that cannot be imported, is none.
    assert done.returncode == TESTS_FAILED, done.stdout + done.stderr
    assert "errors during collection" not in done.stdout


def test_the_same_tests_pass_without_a_change(copy: Copy) -> None:
    done = copy.run(dict.fromkeys(test for mutation in MUTATIONS for test in mutation.tests))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_copy_is_what_is_tested(copy: Copy) -> None:
    probe = "import mrunners\n\ndef test_it() -> None:\n    assert False, mrunners.__file__\n"
    (copy.root / "test_probe.py").write_text(probe)
    assert f"AssertionError: {copy.root / 'src' / 'mrunners'}" in copy.run(["test_probe.py"]).stdout


def test_a_mutation_whose_code_has_moved_is_an_error(copy: Copy) -> None:
    moved = Mutation("moved", "src/mrunners/refs.py", "no such text", "", ())
    with pytest.raises(ValueError, match=r"moved: src/mrunners/refs\.py has the text 0 times"):
        apply_mutation(moved, copy.root)
