"""A browser for each module, and the reports to open in it.

The browser is not kept for the whole session: while it is open, no other test can start an event
loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mrunners.render.html.page import render_html
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from tests.browser.browsers import running_browser
from tests.factories import RUN, RUN_ID, flat, hostile_report, large_report, merged_pod, missing_pod


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return by name: a large report with gaps, a hostile, a complete and an empty one."""
    folder = tmp_path_factory.mktemp("reports")
    latencies = {"LIST https://10.0.0.1/api": [0.001, 0.02, 0.3], "GET https://10.0.0.1/x": [1.5]}
    reports = {
        "large": large_report(),
        "hostile": hostile_report(),
        "whole": merge(RUN, RUN_ID, [merged_pod(0, index, flat(latencies)) for index in range(3)]),
        "nothing": merge(
            RUN, RUN_ID, [missing_pod(0, 0, MissingReason.NOT_STARTED, "ErrImagePull")]
        ),
    }
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(render_html(report), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in reports}
