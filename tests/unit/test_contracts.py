"""What the packages promise each other: which one imports which, and that each says what it is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("src/mrunners", "src/mrunners_cli", "tasks/mrunners_tasks", "flows/mrunners_flows")


def modules(package: str) -> dict[str, Path]:
    """The modules of a package by their dotted names."""
    source_root = (ROOT / package).parent
    return {
        ".".join(path.relative_to(source_root).with_suffix("").parts): path
        for path in sorted((ROOT / package).rglob("*.py"))
    }


ALL = {name: path for package in PACKAGES for name, path in modules(package).items()}


def exported(path: Path) -> list[str] | None:
    """The names in `__all__`; None when there is no such list."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(ast.literal_eval(node.value))
    return None


def test_the_packages_import_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert ", 0 broken." in done.stdout


@pytest.mark.parametrize("name", ALL)
def test_a_module_says_what_it_is_and_what_it_offers(name: str) -> None:
    path = ALL[name]
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert exported(path) is not None or path.name == "__init__.py"
