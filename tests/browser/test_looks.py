"""What can be measured of the page's looks: widths, contrasts, and which plots are visible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.browsers import Scheme, open_page

NAMES = ("large", "hostile", "whole", "nothing")

# Every visible element with text of its own: its color, and the first background behind it.
TEXTS = """() => {
  const texts = new Map();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || !box.height || element.matches("script, style")) continue;
    let behind = element;
    const background = e => getComputedStyle(e).backgroundColor;
    while (behind && background(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    const style = getComputedStyle(element);
    const color = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const pair = `${color} on ${behind ? background(behind) : "none"}`;
    texts.set(pair, element.textContent.slice(0, 40));
  }
  return [...texts];
}"""

# The colors of lines and marks in plots, and the page's background.
MARKS = """() => {
  const style = getComputedStyle(document.documentElement);
  const value = name => style.getPropertyValue("--" + name);
  return ["ink", "accent", "muted", "good", "bad", "warn", "c1", "c2", "c3", "c4", "c5"]
    .map(name => [name, value(name), value("background")]);
}"""

# Every element that reaches beyond the right edge, unless it is hidden on purpose.
BEYOND = """() => [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(e => !e.closest("thead, .skip, svg"))
  .map(e => e.outerHTML.slice(0, 120))"""


def luminance(color: str) -> float:
    """Return the relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    if color.startswith("#"):
        parts = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    else:
        numbers = re.findall(r"[\d.]+", color)
        assert len(numbers) == 3, color
        parts = [int(number) for number in numbers]
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color: str, background: str) -> float:
    """Return the contrast ratio (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    light, dark = sorted((luminance(color), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["large", "whole"])
def test_every_text_has_the_contrast_that_wcag_aa_requires(
    browser: Browser, files: dict[str, Path], name: str, scheme: Scheme
) -> None:
    with open_page(browser, files[name], scheme=scheme) as opened:
        pairs = opened.page.evaluate(TEXTS)
        marks = opened.page.evaluate(MARKS)
    assert len(pairs) >= 5
    weak = {
        f"{pair}: {text}": round(ratio, 2)
        for pair, text in pairs
        if (ratio := contrast(*pair.split(" on "))) < 4.5
    }
    assert weak == {}
    assert {name: contrast(color, background) for name, color, background in marks
            if contrast(color, background) < 3} == {}  # fmt: skip


def test_the_light_and_the_dark_scheme_differ(browser: Browser, files: dict[str, Path]) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        with open_page(browser, files["whole"], scheme=scheme) as opened:
            backgrounds.append(
                opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
            )
    assert luminance(backgrounds[0]) > 0.9
    assert luminance(backgrounds[1]) < 0.05


@pytest.mark.parametrize("width", [320, 390, 768, 961, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_reaches_beyond_the_screen(
    browser: Browser, files: dict[str, Path], name: str, width: int
) -> None:
    with open_page(browser, files[name], width=width) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(BEYOND) == []


@pytest.mark.parametrize(
    ("width", "shown", "hidden"), [(390, "narrow", "wide"), (1280, "wide", "narrow")]
)
def test_each_screen_shows_the_plots_that_were_drawn_for_it(
    browser: Browser, files: dict[str, Path], width: int, shown: str, hidden: str
) -> None:
    with open_page(browser, files["large"], width=width) as opened:
        expect(opened.page.locator(f"svg.{shown}:visible")).to_have_count(5)
        expect(opened.page.locator(f"svg.{hidden}:visible")).to_have_count(0)


def test_the_keyboard_reaches_the_report_first(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["whole"]) as opened:
        opened.page.keyboard.press("Tab")
        skip = opened.page.locator(".skip")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()


def test_paper_gets_the_wide_layout_on_few_pages(browser: Browser, files: dict[str, Path]) -> None:
    pages = {}
    for name in ("whole", "large"):
        # A screen as narrow as a phone, in the dark: neither is what goes to paper.
        with open_page(browser, files[name], width=390, scheme="dark") as opened:
            page = opened.page
            pages[name] = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
            page.emulate_media(media="print")
            assert page.locator("svg.narrow:visible").count() == 0
            assert page.locator("svg.wide:visible").count() > 0
            assert page.locator("thead:visible").count() > 0
            assert luminance(page.evaluate("getComputedStyle(document.body).color")) < 0.05
            expect(page.locator(".copy:visible, nav:visible, .tools:visible")).to_have_count(0)
    assert pages["whole"] <= 4
    assert pages["large"] <= 8
