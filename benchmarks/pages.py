"""The HTML report of 1,000 and of 10,000 pods: to write it, its size, and how it opens.

Chromium opens the file as a reader does, shows all rows of the largest table, and scrolls through
the page. What keeps it from reacting is measured by its own Long Tasks API: tasks above 50 ms.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.measuring import Usage, progress, run_process
from benchmarks.programs import python
from benchmarks.results import Row, Target, row
from tests.browser.browsers import open_page, running_browser

__all__ = ["measure"]

_WRITE = """
import sys
from pathlib import Path
from mrunners.render.html.page import render_html
from tests.factories import large_report
import time
report = large_report(int(sys.argv[1]))
started = time.perf_counter()
Path(sys.argv[2]).write_text(render_html(report), encoding="utf-8")
print(time.perf_counter() - started)
"""
_OBSERVE = """
window.longTasks = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
}).observe({type: "longtask", buffered: true});
"""
_SETTLE = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))"
_SCROLL = """
async () => {
  for (let top = 0; top < document.documentElement.scrollHeight; top += 600) {
    window.scrollTo(0, top);
    await new Promise(done => requestAnimationFrame(done));
    if (top > 600 * 100) break;
  }
}
"""
_TIMEOUT = 300_000.0


@dataclass(frozen=True)
class Opened:
    """How a page opened: milliseconds."""

    load: float
    longest: dict[str, float]


def measure(times: int) -> list[Row]:
    """Return the rows of both sizes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        for pods, limit in ((1_000, 3.0), (10_000, 10.0)):
            path = Path(folder) / f"{pods}.html"
            progress(f"  {pods} pods")
            written = [_write(pods, path) for _ in range(times)]
            opened = [_open(browser, path) for _ in range(times)]
            of = f"HTML of {pods:,} pods"
            rows += [
                row(f"{of}: written", "s", [float(run.output) for run in written],
                    target=Target(limit, "ours", "<=")),
                row(f"{of}: size", "MB", [path.stat().st_size / 1e6],
                    target=Target(5.0, "ours", "<=")),
                row(f"{of}: opened in Chromium", "ms", [page.load for page in opened]),
            ]  # fmt: skip
            for step in opened[0].longest:
                longest = [page.longest[step] for page in opened]
                rows.append(row(f"{of}: longest task while {step}", "ms", longest))
    return rows


def _write(pods: int, path: Path) -> Usage:
    return run_process([*python("-c", _WRITE), str(pods), path])


def _open(browser: Browser, path: Path) -> Opened:
    with open_page(browser, path) as opened:
        page = opened.page
        page.set_default_timeout(_TIMEOUT)
        page.add_init_script(_OBSERVE)
        page.reload()
        load = float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        longest = {"it opens": _longest(page)}
        fold = page.locator("button.fold[aria-controls=pods]")
        fold.click()
        longest["rows unfold"] = _longest(page)
        page.evaluate(_SCROLL)
        longest["it scrolls"] = _longest(page)
        page.get_by_label("Search pods").last.fill("truncated")
        longest["rows are searched"] = _longest(page)
        page.get_by_label("Search pods").last.fill("")
        page.locator("#pods thead button", has_text="p99").click()
        longest["rows are sorted"] = _longest(page)
        return Opened(load, longest)


def _longest(page: Page) -> float:
    """Return the longest task since the last call; 0 when none was above 50 ms."""
    page.evaluate(_SETTLE)
    tasks: list[Any] = page.evaluate("() => window.longTasks.splice(0)")
    return max(map(float, tasks), default=0.0)
