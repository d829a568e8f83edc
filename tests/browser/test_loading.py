"""Opening the file causes no request and no complaint, and runs only the page's own script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.browsers import Scheme, open_page

NAMES = ("large", "hostile", "whole", "nothing")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_opens_without_a_request_or_a_complaint(
    browser: Browser, files: dict[str, Path], name: str, scheme: Scheme
) -> None:
    with open_page(browser, files[name], scheme=scheme) as opened:
        opened.page.wait_for_load_state("networkidle")
        assert opened.page.locator("h2").first.is_visible()
        assert (opened.requests, opened.complaints) == ([], [])


def test_hostile_text_is_shown_and_never_run(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["hostile"]) as opened:
        page = opened.page
        assert page.title().endswith(": kperf load test")
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, form").count() == 0
        assert (
            "<script>document.title='pwned'</script>"
            in page.locator("#plan ~ .table").first.inner_text()
        )
        assert (opened.requests, opened.complaints) == ([], [])


@pytest.mark.parametrize(
    "action",
    [
        "document.body.append(Object.assign(new Image(), {src: 'https://evil.example/x'}))",
        "document.body.append(Object.assign("
        "document.createElement('script'), {text: 'window.ran = 1'}))",
        "document.body.setAttribute('style', 'background: red')",
        "fetch('https://evil.example/x').catch(() => 0)",
    ],
)
def test_the_policy_is_enforced(browser: Browser, files: dict[str, Path], action: str) -> None:
    with open_page(browser, files["whole"]) as opened:
        disposition = opened.page.evaluate(
            """() => new Promise(done => {
                document.addEventListener("securitypolicyviolation", e => done(e.disposition));
                setTimeout(() => done("nothing happened"), 10000);
                ACTION
            })""".replace("ACTION", action),
        )
        assert disposition == "enforce"
        assert opened.sent == []
        assert opened.page.evaluate("window.ran") is None
