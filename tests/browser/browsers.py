"""The machine's own Chromium, and pages whose every request and complaint is kept.

It must not download a browser: dev/check-browser says how to install one.
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

# It shall not call home while a test counts requests.
_ARGUMENTS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@dataclass
class Seen:
    """A page, and all that it did besides being shown.

    Attributes:
        requests: what it asked for besides its own file, whether or not its policy let it.
        sent: those that its policy let through.
        complaints: on the console, and exceptions.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def browser_command() -> str:
    """The browser's path; without one the tests fail, for what was not looked at is not fine."""
    for command in COMMANDS:
        if (path := shutil.which(command)) is not None:
            return path
    pytest.fail(
        f"no browser: none of {', '.join(COMMANDS)} is on the PATH; apt-get install chromium",
        pytrace=False,
    )


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium without a window, ended with the context."""
    path = browser_command()
    # Chromium's sandbox refuses to run as root.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *root])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    path: Path,
    *,
    width: int = 1280,
    scheme: Scheme = "light",
    script: bool = True,
) -> Iterator[Seen]:
    """The file in a fresh profile; whatever else it asks for is refused and kept."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    seen = Seen(page)
    own = path.as_uri()

    def asked(request: Request) -> None:
        if request.url.partition("#")[0] not in {own, "data:,"}:
            seen.requests.append(request.url)

    def complained(message: ConsoleMessage) -> None:
        seen.complaints.append(f"{message.type}: {message.text}")

    def answer(route: Route) -> None:
        if route.request.url.partition("#")[0] in {own, "data:,"}:
            route.continue_()
        else:
            seen.sent.append(route.request.url)
            route.abort()

    page.on("request", asked)
    page.on("console", complained)
    page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
    context.route("**/*", answer)
    page.goto(own)
    yield seen
    context.close()
