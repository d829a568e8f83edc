"""The page: its order, what its policy allows, and that hostile text never becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import matplotlib as mpl
import pytest

from mrunners.render.html.failures import failures as failures_section
from mrunners.render.html.page import render_html
from mrunners.render.request_rows import request_rows
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from mrunners.reports.outcomes import MissingReason
from tests.factories import (
    HOSTILE,
    RUN,
    RUN_ID,
    failures,
    flat,
    hostile_report,
    large_report,
    merged_pod,
    missing_pod,
    traffic,
)
from tests.unit.render.html.page_parts import Page, parse_page


def complete() -> MergedReport:
    pods = [
        merged_pod(0, index, flat({"LIST a": [0.001, 0.02], "GET b": [1.5]})) for index in (0, 1)
    ]
    return merge(RUN, RUN_ID, pods, traffic_by_us=traffic(7))


def empty() -> MergedReport:
    return merge(RUN, RUN_ID, [missing_pod(0, 0, MissingReason.NOT_CREATED)])


def all_failed() -> MergedReport:
    return merge(RUN, RUN_ID, [merged_pod(0, 0, flat({}, errors=3))])


def in_doubt() -> MergedReport:
    successes = {"LIST a": [0.001] * 34}
    pods = [merged_pod(0, index, flat(successes, errors=266)) for index in (0, 1)]
    return merge(RUN, RUN_ID, pods)


def without_raw() -> MergedReport:
    return merge(RUN, RUN_ID, [merged_pod(0, 0, flat(raw=False)), merged_pod(0, 1, flat())])


REPORTS: tuple[Callable[[], MergedReport], ...] = (
    complete, in_doubt, empty, all_failed, without_raw, large_report, hostile_report,
)  # fmt: skip


@cache
def html_of(make: Callable[[], MergedReport]) -> str:
    return render_html(make())


@cache
def page_of(make: Callable[[], MergedReport]) -> Page:
    return parse_page(html_of(make))


@pytest.mark.parametrize("make", REPORTS)
def test_the_page_refers_to_nothing_outside_the_file(make: Callable[[], MergedReport]) -> None:
    page = page_of(make)
    for tag in page.tags:
        assert not {"src", "srcset", "action", "data", "poster"} & set(tag.attributes)
        assert not [name for name in tag.attributes if name.startswith("on")]
        assert "style" not in tag.attributes
        target = tag.attributes.get("href")
        assert target is None or target.startswith("#") or target == "data:,"
    assert not {"iframe", "img", "object", "embed", "base", "form"} & {t.name for t in page.tags}
    assert "url(" not in page.code["style"]
    assert "@import" not in page.code["style"]


@pytest.mark.parametrize("make", REPORTS)
def test_the_policy_allows_the_files_own_style_and_script_and_nothing_else(
    make: Callable[[], MergedReport],
) -> None:
    page = page_of(make)
    assert (len(page.all("style")), len(page.all("script"))) == (1, 1)
    hashes = {
        name: "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in page.code.items()
    }
    (policy,) = [
        tag.attributes["content"]
        for tag in page.all("meta")
        if tag.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        f"default-src 'none'; style-src '{hashes['style']}'; script-src '{hashes['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("make", REPORTS)
def test_headings_descend_by_one_and_every_id_is_unique(
    make: Callable[[], MergedReport],
) -> None:
    page = page_of(make)
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = Counter(tag.attributes["id"] for tag in page.tags if "id" in tag.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    for tag in page.tags:
        for key in ("aria-labelledby", "aria-describedby", "aria-controls", "for", "href"):
            target = tag.attributes.get(key, "#").removeprefix("#")
            assert not target or target in ids or target == "data:,", (key, target)


@pytest.mark.parametrize("make", REPORTS)
def test_tables_have_scopes_and_plots_have_descriptions(make: Callable[[], MergedReport]) -> None:
    page = page_of(make)
    assert {tag.attributes.get("scope") for tag in page.all("th")} <= {"col", "row"}
    for tag in page.all("svg"):
        label = tag.attributes.get("aria-label", "")
        assert tag.attributes.get("aria-hidden") == "true" or (
            tag.attributes["role"] == "img" and len(label) > 10
        )


def test_the_verdict_comes_first_and_the_sections_follow_by_importance() -> None:
    assert [text for level, text in page_of(large_report).headings if level < 3] == [
        "load / mrunners,2026-03-14 09:26 UTC",
        "Incomplete",
        "Findings",
        "Coverage",
        "Latency",
        "Nodes",
        "Pods",
        "Errors",
        "Plan",
    ]
    assert page_of(complete).headings[1] == (2, "Complete")
    assert page_of(complete).text.count("2 of 2 reports merged") == 1


@pytest.mark.parametrize(
    ("make", "tone", "conclusion"),
    [
        (complete, "good", "Complete"),
        (in_doubt, "bad", "Figures in doubt"),
        (all_failed, "bad", "Incomplete"),
        (large_report, "bad", "Incomplete"),
    ],
)
def test_the_box_with_the_verdict_is_green_only_when_the_figures_can_be_relied_on(
    make: Callable[[], MergedReport], tone: str, conclusion: str
) -> None:
    page = page_of(make)
    (box,) = [t for t in page.all("section") if t.attributes["aria-labelledby"] == "verdict"]
    assert (box.attributes["class"], page.headings[1]) == (f"verdict {tone}", (2, conclusion))


def rows_of(make: Callable[[], MergedReport], table: str) -> list[list[str]]:
    """Return the texts of a table's cells, headings and total among them."""
    (found,) = re.findall(rf'<table id="{table}".*?</table>', html_of(make), re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found.replace("<wbr>", ""), re.DOTALL)
    cells = [re.split(r"</t[hd]>", row)[:-1] for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def test_two_nights_have_two_titles_and_a_run_that_never_started_has_its_id() -> None:
    assert "<title>load / mrunners, 2026-03-14 09:26 UTC: kperf load test</title>" in html_of(
        large_report
    )
    assert f"<title>load / mrunners, run {RUN_ID[:8]}: kperf" in html_of(never_started)
    assert f"; run {RUN_ID}" in page_of(complete).text


def test_the_heading_counts_the_pods_that_started() -> None:
    assert (
        "Started 2026-03-14 09:26:53 UTC, 994 of 1,000 pods on 240 nodes"
        in page_of(large_report).text
    )


def never_started() -> MergedReport:
    pod = missing_pod(0, 0, MissingReason.NOT_STARTED, "ErrImagePull")
    return merge(RUN, RUN_ID, [replace(pod, started_at=None, finished_at=None)])


def test_the_page_explains_the_reasons_that_it_has_and_no_others() -> None:
    text = " ".join(page_of(never_started).text.split())
    assert (
        "What the reasons mean not-started The pod did not start within the start timeout; the "
        "detail says why. Remove what the detail names, then run again; the status of the run says "
        "more."
    ) in text
    assert "What the reasons mean" not in page_of(complete).text
    assert "truncated" not in text
    assert "docs/report.md" not in text


def two_runners() -> MergedReport:
    pods = [
        merged_pod(0, 0, flat({"LIST a": [0.001, 0.02]})),
        merged_pod(1, 0, flat({"GET b": [0.5] * 20}, errors=4)),
    ]
    targets = {f"mrunners-{job}": TargetLoad(10.0, 2) for job in (0, 1)}
    return merge(RUN, RUN_ID, pods, targets=targets)


def test_runners_and_their_loads_end_with_a_row_of_all() -> None:
    assert rows_of(two_runners, "runners") == [
        ["runner", "pods", "merged", "successes", "errors", "p50", "p95", "p99", "max"],
        ["file:///load/0.yaml?numbers=2 mrunners-0", "1", "1", "2", "0", "1.00", *["20.0"] * 3],
        ["file:///load/1.yaml?numbers=2 mrunners-1", "1", "1", "20", "4", *["500"] * 4],
        ["all runners", "2", "2", "22", "4", *["500"] * 4],
    ]
    loads = [row[:3] for row in rows_of(two_runners, "throughput")]
    assert [name for name, *_ in loads] == [
        "Job",
        "mrunners-0 0.yaml",
        "mrunners-1 1.yaml",
        "all Jobs mean over 10s from first start to last answer",
    ]
    assert [row[1:] for row in loads] == [
        ["target/s", "achieved/s"],
        ["10.0", "0.2"],
        ["10.0", "2.4"],
        ["20.0", "2.6"],
    ]
    assert "all runners" not in page_of(complete).text


def test_nodes_and_pods_have_p95_and_max() -> None:
    ends = {table: rows_of(complete, table)[0][-4:] for table in ("pods", "nodes-table")}
    assert ends == {
        "pods": ["p50", "p95", "p99", "max"],
        "nodes-table": ["p90", "p95", "p99", "max"],
    }


def test_of_several_requests_the_page_begins_with_the_latencies_of_each() -> None:
    text = " ".join(page_of(two_runners).text.split())
    assert (
        "p99 of GET b 500 ms p50 500 ms, max 500 ms p99 of LIST a 20.0 ms p50 1.00 ms, max 20.0 ms "
        "Throughput"
    ) in text
    assert "Median latency" not in text
    assert "3 more are in the table" in " ".join(page_of(large_report).text.split())


def test_of_one_request_the_page_begins_with_its_latencies() -> None:
    text = " ".join(page_of(in_doubt).text.split())
    assert (
        "Median latency 1.00 ms LIST a p99 latency 1.00 ms LIST a Maximum latency 1.00 ms LIST a"
    ) in text


def test_findings_and_advice_begin_with_a_capital_letter_and_names_stay_as_they_are() -> None:
    text = page_of(in_doubt).text
    assert "Error: 532 of 600 requests failed" in text
    assert "Grant the runners' ServiceAccount" in text
    finding = Finding(
        severity=Severity.INFO,
        kind=FindingKind.PROFILE,
        text="kperf has a limiter",
        advice="pods wait",
    )
    page = render_html(complete().model_copy(update={"findings": (finding,)}))
    assert "kperf has a limiter" in page
    assert "Pods wait" in page


def test_what_all_requests_share_is_said_once() -> None:
    text = page_of(large_report).text
    assert "Requests are shown without timeout=1m0s." in text
    assert text.count("timeout=1m0s") == 1


def test_an_empty_report_says_that_it_is_empty() -> None:
    text = page_of(empty).text
    assert "No report could be merged" in text
    assert "No latency can be shown" in text
    assert "No request failed." in text
    assert "no pod started" not in page_of(complete).text


def test_a_request_of_which_every_one_failed_has_a_row_and_its_class_names_it() -> None:
    text = page_of(all_failed).text
    assert "No latency can be shown" in text
    rows = re.findall(r"<tr>(.*?)</tr>", html_of(all_failed).replace("<wbr>", ""))
    cells = [re.sub(r"<svg.*?</svg>|<[^>]+>", "|", row).split("|") for row in rows]
    shown = [[text for text in row if text] for row in cells]
    assert ["all requests", "0", "3", *["-"] * 6] in shown
    assert ["LIST /pods", "0", "3", *["-"] * 6] in shown
    assert ["http/403", "LIST /pods", "3 of 3", "3", "100%", "1", "1"] in shown


def test_a_request_has_the_same_name_among_the_errors_as_everywhere_else() -> None:
    names = [f"LIST https://api/{kind}?limit=500&watch=0" for kind in ("pods", "secrets")]
    document = flat({names[0]: [0.1]}, errors=2)
    document["errors"] = failures(names[1], "http/403", 2)
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, document)])
    assert [row.name for row in request_rows(report).rows] == ["LIST /pods", "LIST /secrets"]
    (row,) = failures_section(report).table.rows
    assert row[1].text == "LIST /secrets"


def test_the_page_shows_when_requests_failed_only_where_some_did() -> None:
    assert (3, "When requests failed") in page_of(all_failed).headings
    assert (
        "Failed requests in each 1s; errors from 0s to 1s after the first pod's start, most (3) "
        "from 0s to 1s."
    ) in page_of(all_failed).text
    assert (3, "When requests failed") not in page_of(complete).headings


def test_a_pod_without_a_success_is_not_counted_as_missing() -> None:
    text = page_of(all_failed).text
    assert "1 merged, nothing succeeded" in text
    assert "1 missing" not in text


def test_the_page_has_every_request_pod_node_and_latency_of_the_report() -> None:
    text = page_of(complete).text
    for word in ("LIST a", "GET b", "1.00", "1,500", "mrunners-0-1-abcde", "node-1", RUN_ID):
        assert word in text, word


@pytest.mark.parametrize("make", REPORTS)
def test_every_character_is_printable(make: Callable[[], MergedReport]) -> None:
    assert {c for c in html_of(make) if not c.isprintable()} <= {"\n", "\u00a0"}


def test_hostile_text_adds_no_element_and_stays_bounded() -> None:
    known = Counter(
        tag.name for make in (complete, large_report, all_failed) for tag in page_of(make).tags
    )
    assert {tag.name for tag in page_of(hostile_report).tags} <= set(known)
    assert "<script>document.title" in page_of(hostile_report).text
    assert len(html_of(hostile_report)) < 400_000
    assert all(len(text) > 100_000 or text not in html_of(hostile_report) for text in HOSTILE[:4])


def test_a_thousand_pods_make_a_small_file() -> None:
    assert len(html_of(large_report).encode()) < 2_000_000


def test_the_same_report_read_back_from_json_gives_the_same_page() -> None:
    again = MergedReport.model_validate_json(to_json(complete()))
    assert render_html(again) == html_of(complete)


def test_a_users_matplotlib_settings_neither_matter_nor_change() -> None:
    with mpl.rc_context({"font.size": 40, "svg.fonttype": "path", "axes.grid": True}):
        assert render_html(complete()) == html_of(complete)
        assert mpl.rcParams["font.size"] == 40
