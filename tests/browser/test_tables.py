"""Long tables can be folded, searched and sorted, and are complete without JavaScript."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from mrunners.render.html.page import render_html
from mrunners.reports.merge import merge
from tests.browser.browsers import open_page
from tests.factories import RUN, RUN_ID, flat, large_report, merged_pod


def rows(page: Page, table: str = "pods") -> Locator:
    return page.locator(f"#{table} tbody tr").locator("visible=true")


def test_a_long_table_folds_and_unfolds_by_mouse_and_keyboard(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["large"]) as opened:
        page = opened.page
        fold = page.locator("button.fold[aria-controls=pods]")
        expect(rows(page)).to_have_count(10)
        expect(fold).to_have_text("Show all 1,000 pods")
        expect(fold).to_have_attribute("aria-expanded", "false")
        fold.click()
        expect(rows(page)).to_have_count(1000)
        expect(fold).to_have_attribute("aria-expanded", "true")
        fold.focus()
        page.keyboard.press("Enter")
        expect(rows(page)).to_have_count(10)


def test_the_search_box_filters_rows(browser: Browser, files: dict[str, Path]) -> None:
    with open_page(browser, files["large"]) as opened:
        page = opened.page
        search = page.get_by_label("Search pods").last
        search.fill("VMSS00005D mrunners-2")
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text("vmss00005d")
        expect(page.locator("output[for=search-pods]")).to_have_text("1 of 1,000 pods")
        search.fill("truncated")
        texts = rows(page).all_inner_texts()
        assert texts
        assert all("truncated" in text for text in texts)
        search.fill("no such pod")
        expect(rows(page)).to_have_count(0)
        expect(page.locator("output[for=search-pods]")).to_have_text("0 of 1,000 pods")
        search.fill("")
        expect(rows(page)).to_have_count(10)


def test_paper_says_of_how_many_rows_it_has_some_and_for_which_search(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["large"]) as opened:
        page = opened.page
        printed = page.locator(".table:has(#pods) .printed")
        expect(printed).to_be_hidden()
        page.emulate_media(media="print")
        expect(printed).to_have_text("10 of 1,000 pods; the file has all.")
        expect(printed).to_be_visible()
        page.emulate_media(media="screen")
        page.get_by_label("Search pods").last.fill("VMSS00005D mrunners-2")
        page.emulate_media(media="print")
        expect(printed).to_have_text(
            "1 of 1,000 pods, searched for “vmss00005d mrunners-2”; the file has all."
        )
        expect(printed).to_be_visible()
        page.emulate_media(media="screen")
        page.get_by_label("Search pods").last.fill("")
        page.locator("button.fold[aria-controls=pods]").click()
        page.emulate_media(media="print")
        expect(printed).to_be_hidden()


def test_a_share_that_is_less_than_what_is_shown_sorts_as_a_number(
    browser: Browser, tmp_path: Path
) -> None:
    document = flat({"GET https://api/x": [0.001]}, errors=20_001)
    document["errorStats"] = {"http/429": 20_000, "http/500": 1}
    path = tmp_path / "rare.html"
    path.write_text(render_html(merge(RUN, RUN_ID, [merged_pod(0, 0, document)])), encoding="utf-8")
    with open_page(browser, path) as opened:
        column = opened.page.locator("#errors thead th", has_text="share").get_by_role("button")
        shares = opened.page.locator("#errors tbody td:nth-child(4)")
        column.click()
        expect(shares).to_have_text(["99.99%", "<0.01%"])
        column.click()
        expect(shares).to_have_text(["<0.01%", "99.99%"])


def test_a_column_of_numbers_sorts_by_number_with_the_largest_first(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["large"]) as opened:
        page = opened.page
        heading = page.locator("#pods thead th", has_text="max")
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", "descending")
        shown = [float(text.replace(",", "")) for text in page.locator(
            "#pods tbody tr:visible td:last-child").all_inner_texts()]  # fmt: skip
        assert shown == sorted(shown, reverse=True)
        assert shown[0] > 1000
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", "ascending")
        assert (
            float(page.locator("#pods tbody tr:visible td:last-child").first.inner_text())
            < shown[-1]
        )


def test_a_short_table_can_be_sorted_and_has_no_tools(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["whole"]) as opened:
        page = opened.page
        expect(page.locator(".tools:visible, .fold:visible")).to_have_count(0)
        page.locator("#pods thead button", has_text="pod").first.click()
        page.locator("#pods thead button", has_text="pod").first.click()
        assert page.locator("#pods tbody th bdi").first.inner_text() == "mrunners-0-2-abcde"
        assert opened.complaints == []


def test_without_javascript_every_row_is_shown_and_no_control_that_would_not_work(
    browser: Browser, files: dict[str, Path]
) -> None:
    with open_page(browser, files["large"], script=False) as opened:
        page = opened.page
        expect(rows(page)).to_have_count(1000)
        expect(rows(page, "nodes-table")).to_have_count(240)
        expect(page.locator(".tools:visible, .fold:visible")).to_have_count(0)
        expect(page.locator("svg.plot:visible")).to_have_count(5)


def test_ten_thousand_rows_unfold_a_thousand_at_a_time(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "many.html"
    path.write_text(render_html(large_report(pods=2_500, samples=4)), encoding="utf-8")
    with open_page(browser, path) as opened:
        page = opened.page
        fold = page.locator("button.fold[aria-controls=pods]")
        for text, shown in (
            ("Show 1,000 more of 2,500 pods", 10),
            ("Show 1,000 more of 2,500 pods", 1_010),
            ("Show all 2,500 pods", 2_010),
            ("Show only 10 pods", 2_500),
        ):
            expect(fold).to_have_text(text)
            expect(rows(page)).to_have_count(shown)
            fold.click()
        expect(rows(page)).to_have_count(10)


def test_a_narrow_page_names_each_value_with_and_without_javascript(
    browser: Browser, files: dict[str, Path]
) -> None:
    for script in (True, False):
        with open_page(browser, files["whole"], width=390, script=script) as opened:
            cells = opened.page.locator("#pods tbody tr").first.locator("td")
            labels = [
                cell.evaluate("cell => getComputedStyle(cell, '::before').content")
                for cell in cells.all()
            ]
            headings = opened.page.locator("#pods thead th").all_text_contents()[1:]
            assert labels == [f'"{heading}"' for heading in headings]
