"""The table of a report on a terminal, with harmless and with hostile content."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mrunners.formatting import without_server
from mrunners.render.terminal.report_table import render_table
from mrunners.render.terminal.rich_tables import drawn, name_cell, titled_table
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.coverage import Coverage
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.outcomes import MissingReason, PodOutcome
from tests.factories import (
    RUN,
    RUN_ID,
    Json,
    error,
    failures,
    flat,
    merged_pod,
    missing_pod,
    traffic,
)

GOLDEN = Path(__file__).parent / "golden"

LIST = "LIST https://10.0.0.1:6443/api/v1/namespaces/default/pods?limit=500&resourceVersion=0"
GET = "GET https://10.0.0.1:6443/api/v1/namespaces/default/configmaps/x"

SERVER = "https://10.0.0.1:6443"
SECRETS = f"LIST {SERVER}/api/v1/namespaces/kube-system/secrets"


def whole() -> MergedReport:
    pods = [
        merged_pod(
            job,
            index,
            flat({LIST: [0.0421, 0.0987, 1.2345], GET: [0.00042, 0.0031 * (index + 1)]}),
            node=f"node-{(2 * job + index) % 4}",
            second=0.2 * index,
        )
        for job in range(3)
        for index in range(2)
    ]
    targets = {f"mrunners-{job}": TargetLoad(2.0, 1) for job in range(3)}
    return merge(RUN, RUN_ID, pods, targets=targets, traffic_by_us=traffic(42))


def denied(latencies: dict[str, list[float]], errors: int, received: int = 1000) -> Json:
    document = flat(latencies, errors=errors, received=received)
    return document | {"errors": failures(SECRETS, "http/403", errors, every=0.007)}


def with_gaps() -> MergedReport:
    return merge(
        RUN,
        RUN_ID,
        [
            merged_pod(0, 0, denied({LIST: [0.1, 0.2]}, errors=3, received=5_000_000)),
            merged_pod(0, 1, denied({}, errors=1200)),
            missing_pod(1, 0, MissingReason.TRUNCATED, "the log's head is missing"),
            missing_pod(1, 1, MissingReason.NOT_STARTED),
        ],
    )


def without_raw() -> MergedReport:
    return merge(
        RUN, RUN_ID, [merged_pod(0, 0, flat(raw=False, total=0)), merged_pod(0, 1, flat())]
    )


@pytest.mark.parametrize("make", [whole, with_gaps, without_raw])
def test_the_table_equals_the_golden_file(make: Callable[[], MergedReport]) -> None:
    golden = GOLDEN / f"{make.__name__}.txt"
    assert render_table(make()) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [52, 60, 80, 120, 200])
@pytest.mark.parametrize("make", [whole, with_gaps, without_raw])
def test_no_line_is_wider_than_the_terminal(make: Callable[[], MergedReport], width: int) -> None:
    lines = render_table(make(), width=width).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_in_a_pipe_no_line_is_broken_and_each_row_can_be_found_by_its_words() -> None:
    lines = render_table(with_gaps(), width=None).splitlines()
    (row,) = [line for line in lines if "kube-system/secrets  " in line]
    assert row.split() == [*without_server(SECRETS, SERVER).split(), "0", "1,203", *["-"] * 6]
    (line,) = [line for line in lines if line.startswith("error: ")]
    assert line.endswith("all of these were LIST /api/v1/namespaces/kube-system/secrets")


@pytest.mark.parametrize("width", [52, 60, 80])
def test_on_a_narrow_terminal_no_word_is_cut(width: int) -> None:
    lines = render_table(with_gaps(), width=width).splitlines()
    start = lines.index(next(line for line in lines if line.startswith("LIST ")))
    rows = " ".join(lines[start : start + 8])
    for word in ("/namespaces", "/default", "/kube-system", "/secrets", "?limit=500"):
        assert re.search(rf"{re.escape(word)}(?=[\s/?&])", rows), (word, rows)


@given(st.text(alphabet="ab/?&=-. 広", max_size=60), st.integers(1, 30))
def test_a_broken_name_has_all_of_its_characters_and_fits(text: str, width: int) -> None:
    table = titled_table()
    table.add_column("name")
    table.add_row(name_cell(text))
    lines = drawn([table], width=None).splitlines()[3:]
    assert "".join(lines).split() == text.rstrip().split()
    table = titled_table()
    table.add_column("name", width=max(width, 2))
    table.add_row(name_cell(text))
    lines = drawn([table], width=80).splitlines()[3:]
    assert max(map(cell_len, lines), default=0) <= max(width, 2)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_runners_add_up_to_the_run() -> None:
    lines = render_table(with_gaps()).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Runners"))
    rows = [line.split() for line in lines[start + 3 : start + 6]]
    assert rows == [
        ["mrunners-0", "0.yaml", "2/2", "2", "1,203", "120", "100", "200"],
        ["mrunners-1", "1.yaml", "0/2", "0", "0", "0.0", "-", "-"],
        ["all", "over", "10s", "2/4", "2", "1,203", "120", "100", "200"],
    ]


def test_the_verdict_is_the_first_line() -> None:
    assert render_table(whole()).splitlines()[0] == "6 of 6 reports merged"


def test_the_table_has_colors_only_when_requested() -> None:
    assert "\x1b" not in render_table(with_gaps())
    assert "\x1b[" in render_table(with_gaps(), color=True)


HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "[red]markup[/red] [link=file:///etc]x[/link] [/]",
    ":boom:",
    "line\nbreak\r\ttab",
    "\u202eright to left\u200b",
    "\x9b31m C1",
    "x" * 1_000_000,
    "広" * 100_000,
]


@pytest.mark.parametrize("evil", HOSTILE, ids=lambda evil: ascii(evil)[:20])
def test_hostile_strings_are_shown_and_never_interpreted(evil: str) -> None:
    document = flat({evil: [0.1]}, errors=1)
    document["errorStats"] = {evil: 1}
    document["errors"] = [error(message=evil, url=evil)]
    document[evil] = 1
    detail = missing_pod(1, 0, MissingReason.POD_GONE, evil).missing
    missing = PodOutcome(
        job=evil, job_index=1, uri=evil, index=0, pod=evil, node=evil, missing=detail
    )
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, document, uri=evil, node=evil), missing])
    text = render_table(report)
    assert all(line.isprintable() for line in text.splitlines())
    assert max(map(cell_len, text.splitlines())) <= 80
    assert len(text) < 20_000
    assert "\N{COLLISION SYMBOL}" not in text


def test_markup_is_shown_as_it_was_written() -> None:
    report = merge(RUN, RUN_ID, [merged_pod(0, 0, flat({"GET [red]x[/red]": [0.1]}))])
    assert "GET [red]x[/red]" in render_table(report)


def test_a_long_table_is_cut_and_says_how_many_rows_are_left_out() -> None:
    document = flat({f"GET {n:04}": [0.1] for n in range(3000)}, errors=3000)
    # Of letters, because messages that differ in numbers only are one class.
    words = ("".join(letters) for letters in product("abcdefghijklmno", repeat=3))
    document["errorStats"] = {f"unknown/{word}": 1 for word in islice(words, 3000)}
    document["errors"] = failures("GET 0000", "http/403", 3000)
    missing = [missing_pod(1, n, MissingReason.DISRUPTED) for n in range(500)]
    text = render_table(merge(RUN, RUN_ID, [merged_pod(0, 0, document), *missing]))
    assert len(text.splitlines()) < 150
    for rest in ("2,980 more requests", "2980 more classes", "480 more pods"):
        assert rest.replace(",", "") in text.replace(",", "")


def test_an_empty_run_has_a_table() -> None:
    report = merge(RUN, RUN_ID, [])
    assert report.coverage == Coverage(expected=0, merged=0, missing=(), nothing_succeeded=())
    assert render_table(report).startswith("0 of 0 reports merged\n")


def test_of_many_requests_none_without_a_success_is_left_out() -> None:
    document = flat({f"GET {number:04}": [0.1] for number in range(50)}, errors=7)
    document["errors"] = failures("LIST secrets", "http/403", 7)
    lines = render_table(merge(RUN, RUN_ID, [merged_pod(0, 0, document)])).splitlines()
    (row,) = [line.split() for line in lines if line.startswith("LIST secrets")]
    assert row == ["LIST", "secrets", "0", "7", *["-"] * 6]
    assert "31 more requests: see the JSON report" in lines


def test_errors_of_unknown_requests_are_not_shown_as_none() -> None:
    document = flat({"GET a": [0.1]}, errors=2)
    document["errors"] = [error(url="", method="") for _ in range(2)]
    lines = render_table(merge(RUN, RUN_ID, [merged_pod(0, 0, document)])).splitlines()
    rows = [line.split()[:4] for line in lines if line.startswith(("all requests", "GET a"))]
    assert rows == [["all", "requests", "1", "2"], ["GET", "a", "1", "-"]]
