"""Plots tell their values at the pointer and to the keyboard, and tables can be copied."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from mrunners.render.html.page import render_html
from mrunners.reports.merge import merge
from mrunners.reports.outcomes import MissingReason
from tests.browser.browsers import open_page
from tests.factories import RUN, RUN_ID, flat, merged_pod, missing_pod

CURVES = "svg[aria-label^='Share of requests']:visible"


def marks(page: Page, plot: str) -> Locator:
    return page.locator(f"{plot} .mark")


def test_a_pointer_on_a_plot_shows_its_values_and_elsewhere_hides_them(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"]) as opened:
        page = opened.page
        tip = page.locator(".tip")
        expect(tip).to_be_hidden()
        marks(page, CURVES).last.hover()
        expect(tip).to_be_visible()
        expect(tip).to_be_in_viewport(ratio=1)
        expect(tip).to_contain_text("100% of all requests")
        page.locator("h1").hover()
        expect(tip).to_be_hidden()
        assert (opened.requests, opened.complaints) == ([], [])


def test_every_plot_has_values(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["large"]) as opened:
        page = opened.page
        plots = page.locator("svg.plot:visible, svg.bar:visible").all()
        assert len(plots) == 6
        for plot in plots:
            mark = plot.locator(".mark").first
            mark.hover(force=True)
            label = mark.get_attribute("aria-label") or ""
            expect(page.locator(".tip")).to_contain_text(label.split(":")[0])
            expect(plot).to_have_attribute("role", "group")
        assert opened.complaints == []


def test_a_plot_is_one_tab_stop_and_arrow_keys_go_through_its_values(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"]) as opened:
        page = opened.page
        curve, tip = marks(page, CURVES), page.locator(".tip")
        assert page.locator(f"{CURVES} [tabindex='0']").count() == 1
        curve.first.focus()
        expect(tip).to_contain_text("Within")
        page.keyboard.press("ArrowRight")
        expect(curve.nth(1)).to_be_focused()
        expect(curve.nth(1)).to_have_attribute("tabindex", "0")
        page.keyboard.press("End")
        expect(curve.last).to_be_focused()
        expect(tip).to_contain_text("100% of all requests")
        page.keyboard.press("ArrowRight")
        expect(curve.last).to_be_focused()
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        page.keyboard.press("ArrowLeft")
        expect(curve.last).not_to_be_focused()
        expect(tip).to_be_visible()
        page.keyboard.press("Tab")
        expect(marks(page, "svg[aria-label^='Latency percentiles']:visible").first).to_be_focused()


def test_keys_of_the_browser_stay_its_own_and_escape_hides_what_the_pointer_shows(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"]) as opened:
        page = opened.page
        curve, tip = marks(page, CURVES), page.locator(".tip")
        curve.first.focus()
        for modifier in ("Alt", "Control", "Meta", "Shift"):
            page.keyboard.press(f"{modifier}+ArrowRight")
            expect(curve.first).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(curve.nth(1)).to_be_focused()
        page.locator(".copy").first.focus()
        expect(tip).to_be_hidden()
        curve.last.hover()
        expect(tip).to_be_visible()
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()


def test_without_javascript_the_values_are_there_for_the_browser_to_show(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"], script=False) as opened:
        page = opened.page
        titles = page.locator(f"{CURVES} .mark > title")
        assert "100% of all requests" in (titles.last.text_content() or "")
        expect(page.locator(".copy:visible")).to_have_count(0)


def copied(page: Page, table: str) -> list[list[str]]:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.locator(f".table:has(#{table}) .copy")
    button.click()
    expect(button).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_screen_reader_is_told_what_was_copied(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["whole"]) as opened:
        copied(opened.page, "pods")
        expect(opened.page.get_by_role("status")).to_have_text("Every planned pod: Copied")


def test_where_files_may_not_use_the_clipboard_copying_keeps_the_focus(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"]) as opened:
        page = opened.page
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
        button = page.locator(".table:has(#pods) .copy")
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_text("Copied")
        expect(button).to_be_focused()
        expect(page.locator("textarea")).to_have_count(0)
        page.context.grant_permissions(["clipboard-read"])
        text = page.evaluate("navigator.clipboard.readText()")
        assert text.startswith("pod,node,report,")


def test_a_table_is_copied_with_all_rows_and_numbers_that_programs_read(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["large"]) as opened:
        rows = copied(opened.page, "pods")
        assert len(rows) == 1001
        assert rows[0] == [
            "pod", "node", "report", "start", "load", "successes", "errors",
            "p50", "p95", "p99", "max",
        ]  # fmt: skip
        merged = [row for row in rows[1:] if row[2] == "merged"]
        assert all(float(field) >= 0 for row in merged for field in row[3:])
        assert all(row[5] == "" for row in rows[1:] if row[2] == "not-started")
        runners = copied(opened.page, "runners")
        assert runners[-1][:5] == ["all runners", "", "1000", "965", "172920"]
        assert opened.complaints == []


FORMULA = '=HYPERLINK("http://evil.example")'


def test_what_was_run_is_copied_as_lines(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["large"]) as opened:
        opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = opened.page.locator(".facts .copy")
        button.click()
        expect(button).to_have_text("Copied")
        expect(opened.page.locator("p.status")).to_have_text("What was run: Copied")
        lines = str(opened.page.evaluate("navigator.clipboard.readText()")).splitlines()
    assert lines[0].startswith("Load: from 2026-03-14 09:26:53 UTC to ")
    assert "Image: ghcr.io/azure/kperf:0.3.5" in lines
    assert "Labels: team=platform, experiment=etcd-3.7" in lines
    assert lines[-1].startswith("mrunners: ")


def test_no_copied_text_is_a_formula(browser: Browser, tmp_path: Path) -> None:
    whole = merged_pod(0, 0, flat({"GET /x": [0.001]}))
    missing = missing_pod(0, 1, MissingReason.NO_FRAME, "@SUM(1)")
    outcomes = [
        replace(whole, pod=FORMULA, node="+1+1"),
        replace(missing, pod=FORMULA, node="-2+3"),
    ]
    path = tmp_path / "formulas.html"
    path.write_text(render_html(merge(RUN, RUN_ID, outcomes)), encoding="utf-8")
    with open_page(browser, path) as opened:
        pods = copied(opened.page, "pods")
        assert [row[:3] for row in pods[1:]] == [
            [f"'{FORMULA}", "'+1+1", "merged"],
            [f"'{FORMULA}", "'-2+3", "no-frame"],
        ]
        assert copied(opened.page, "missing")[1:] == [
            ["mrunners-0 index 1", f"'{FORMULA}", "no-frame", "'@SUM(1)", "'-2+3"]
        ]
