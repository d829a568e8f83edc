"""Opening the file: no request, no complaint, nothing run that is not the page's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.browsers import Scheme, opened

NAMES = ("large", "hostile", "whole", "nothing")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_opens_without_a_request_or_a_complaint(
    browser: Browser, files: dict[str, Path], name: str, scheme: Scheme
) -> None:
    with opened(browser, files[name], scheme=scheme) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.locator("h2").first.is_visible()
        assert (seen.requests, seen.complaints) == ([], [])


def test_hostile_text_is_shown_and_never_run(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["hostile"]) as seen:
        page = seen.page
        assert page.title().endswith(": kperf load test")
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, form").count() == 0
        assert (
            "<script>document.title='pwned'</script>"
            in page.locator("#plan ~ .table").first.inner_text()
        )
        assert (seen.requests, seen.complaints) == ([], [])


@pytest.mark.parametrize(
    "act",
    [
        "document.body.append(Object.assign(new Image(), {src: 'https://evil.example/x'}))",
        "document.body.append(Object.assign("
        "document.createElement('script'), {text: 'window.ran = 1'}))",
        "document.body.setAttribute('style', 'background: red')",
        "fetch('https://evil.example/x').catch(() => 0)",
    ],
)
def test_the_policy_is_in_force(browser: Browser, files: dict[str, Path], act: str) -> None:
    with opened(browser, files["whole"]) as seen:
        violated = seen.page.evaluate(
            """() => new Promise(done => {
                document.addEventListener("securitypolicyviolation", e => done(e.disposition));
                setTimeout(() => done("nothing happened"), 10000);
                ACT
            })""".replace("ACT", act),
        )
        assert violated == "enforce"
        assert seen.sent == []
        assert seen.page.evaluate("window.ran") is None
