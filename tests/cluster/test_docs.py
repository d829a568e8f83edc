"""Every command in README and docs does what it says: the blocks run as they stand, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.commands import CHECKOUT, Kubectl, bare_environment

PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
# At the start of a line that is set as code, or of a word that is.
COMMAND = re.compile(r"(?:^ {4}|`)mrunners ([a-z][a-z-]+)\b", re.MULTILINE)
BLOCK = re.compile(r"^```(?P<language>sh|python)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The language and text of each block of a page that can be run."""
    return [(found["language"], found["text"]) for found in BLOCK.finditer(page.read_text())]


@pytest.fixture
def surroundings(kubectl: Kubectl, prefect_api: str, tmp_path: Path) -> dict[str, str]:
    """What a reader has: the commands on PATH, a kubeconfig, and a Prefect server."""
    programs = [str(Path(sys.executable).parent), str(kubectl.program.parent)]
    return {
        **bare_environment(),
        "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
        "KUBECONFIG": str(kubectl.kubeconfig),
        "PREFECT_API_URL": prefect_api,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "DO_NOT_TRACK": "1",
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the checkout, so that files which the reader makes stay in it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in CHECKOUT.iterdir():
        if entry.name not in {".git", ".venv", "build"}:
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name
)
def test_the_blocks_of_a_page_run_as_they_stand(
    page: Path, surroundings: dict[str, str], checkout: Path
) -> None:
    for language, text in blocks(page):
        command = ["sh", "-eu", "-c", text] if language == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(
            command,
            env=surroundings,
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


def test_every_make_target_that_the_pages_name_exists() -> None:
    named = {
        target
        for page in PAGES
        for target in re.findall(r"\bmake ([a-z-]+)", page.read_text())
        if re.search(rf"(^ {{4}}|`)make {target}\b", page.read_text(), re.MULTILINE)
    }
    makefile = (CHECKOUT / "Makefile").read_text()
    assert named
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_every_command_that_the_pages_name_in_passing_exists(surroundings: dict[str, str]) -> None:
    named = {command for page in PAGES for command in COMMAND.findall(page.read_text())}
    assert named
    for command in sorted(named):
        words = ["mrunners", command, "--help"]
        subprocess.run(words, env=surroundings, capture_output=True, check=True)
