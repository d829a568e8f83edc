"""`make audit` says that nothing was audited where the database cannot be reached."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from tests.unit.repository import ROOT


def test_an_audit_without_its_database_is_no_success() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        url = f"http://127.0.0.1:{closed_soon.getsockname()[1]}/v1/query"
    done = subprocess.run(
        [ROOT / "dev" / "audit"],
        env={**os.environ, "AUDIT_URL": url, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"cannot reach the vulnerability database at {url}: nothing was audited",
        "run this where it can be reached, or set AUDIT_URL to a mirror of it",
    ]
