"""Chromium as installed on this machine, and pages that record what they request and report.

No browser is ever downloaded: dev/check-browser says how to install one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

Scheme = Literal["light", "dark"]

# The same names, in the same order, as in dev/check-browser.
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The browser must make no requests of its own while a test counts a page's.
_ARGUMENTS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass
class OpenPage:
    """An open page, and a record of what it did.

    Attributes:
        page: The page.
        requests: The URLs that it requested besides its own file, allowed by its policy or not.
        sent: Those of them that its policy allowed.
        complaints: Messages on the console, and exceptions.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def browser_command() -> str:
    """Return the browser's path, or fail: a skipped test would prove nothing."""
    for command in COMMANDS:
        if (path := shutil.which(command)) is not None:
            return path
    pytest.fail(
        f"no browser: none of {', '.join(COMMANDS)} is on the PATH; apt-get install chromium",
        pytrace=False,
    )


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium without a window, and close it when the context ends."""
    path = browser_command()
    # Chromium's sandbox refuses to run as root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *sandbox])
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser,
    path: Path,
    *,
    width: int = 1280,
    scheme: Scheme = "light",
    script: bool = True,
) -> Iterator[OpenPage]:
    """Open the file in a fresh profile; every other request is refused and recorded."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    opened = OpenPage(page)
    own_url = path.as_uri()

    def record_request(request: Request) -> None:
        if request.url.partition("#")[0] not in {own_url, "data:,"}:
            opened.requests.append(request.url)

    def record_message(message: ConsoleMessage) -> None:
        opened.complaints.append(f"{message.type}: {message.text}")

    def answer(route: Route) -> None:
        if route.request.url.partition("#")[0] in {own_url, "data:,"}:
            route.continue_()
        else:
            opened.sent.append(route.request.url)
            route.abort()

    page.on("request", record_request)
    page.on("console", record_message)
    page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
    context.route("**/*", answer)
    page.goto(own_url)
    yield opened
    context.close()
