"""README's pipeline and the examples have no type errors in an editor without pydantic's plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.repository import ROOT
from tests.unit.test_readme import PYTHON


def test_what_users_copy_is_typed_for_checkers_that_do_not_know_pydantic(tmp_path: Path) -> None:
    (pipeline,) = PYTHON
    copied = tmp_path / "from_readme.py"
    copied.write_text(pipeline)
    settings = tmp_path / "settings.ini"
    settings.write_text("[mypy]\n")
    # mypy keeps its cache in the checkout, where a second run takes a second.
    cache = ROOT / ".mypy_cache" / "users"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", f"--config-file={settings}"),
            *(f"--cache-dir={cache}", str(copied), *map(str, sorted(ROOT.glob("examples/*.py")))),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 5 source files\n")
