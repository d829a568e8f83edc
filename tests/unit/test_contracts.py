"""What the rooms promise each other: who imports whom, and by which names.

After a public name was added or removed on purpose, `python -m tests.unit.test_contracts` writes
the list anew; it is a change that users see, so CHANGELOG.md tells it too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).with_name("public_names.txt")
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


def public_names() -> str:
    lines = [
        f"{name}: {', '.join(names)}\n"
        for name, path in modules("src/mrunners").items()
        if (names := exported(path)) is not None
    ]
    return "".join(lines)


def test_the_rooms_import_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert ", 0 broken." in done.stdout


def test_the_public_names_of_the_core_are_those_that_were_agreed() -> None:
    assert public_names().splitlines() == PINNED.read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", ALL)
def test_a_module_says_what_it_is_and_what_it_offers(name: str) -> None:
    path = ALL[name]
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert exported(path) is not None or path.name == "__init__.py"


if __name__ == "__main__":
    PINNED.write_text(public_names(), "utf-8")
