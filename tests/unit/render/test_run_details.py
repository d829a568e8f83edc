"""What was run, in the words of every output."""

from __future__ import annotations

from dataclasses import replace

from mrunners.render.html.page import render_html
from mrunners.render.markdown import render_markdown
from mrunners.render.run_details import run_details
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.provenance import ProfileCopy, RunFacts
from tests.factories import RUN, RUN_ID, flat, merged_pod

IMAGE = "ghcr.io/azure/kperf@sha256:2ew"


def report(facts: RunFacts | None) -> MergedReport:
    pods = [replace(merged_pod(0, index, flat()), image_id=IMAGE) for index in range(2)]
    return merge(RUN, RUN_ID, pods, facts=facts)


def facts(text: str = "version: 1\n", **changes: object) -> RunFacts:
    known = RunFacts(
        image="ghcr.io/azure/kperf:0.3.5",
        kperf_release="0.3.5",
        server_version="v1.37.2",
        node_count=4,
        profiles=(ProfileCopy(digest="ab" * 32, jobs=("mrunners-0",), text=text),),
        options={"spread": "prefer", "rate": "5"},
        labels={"team": "sre", "tier": "1"},
    )
    return known.model_copy(update=changes)


def test_the_facts_are_named_as_their_readers_name_them() -> None:
    assert dict(run_details(report(facts()).provenance)) | {"mrunners": ""} == {
        "Load": "from 2026-01-02 03:04:05 UTC to 2026-01-02 03:04:15 UTC (10s)",
        "Image": "ghcr.io/azure/kperf:0.3.5",
        "Image that ran": f"{IMAGE} in 2 pods",
        "kperf": "0.3.5",
        "Kubernetes": "v1.37.2",
        "Nodes": "2 of 4 had runners: node-0, node-1",
        "Load profiles": "abababababab (mrunners-0)",
        "Options": "spread prefer, rate 5",
        "Labels": "team=sre, tier=1",
        "mrunners": "",
    }


def test_what_is_not_known_is_left_out() -> None:
    unknown = facts(kperf_release=None, server_version=None, node_count=None, labels={})
    details = dict(run_details(report(unknown).provenance))
    assert details["kperf"] == "of an unknown release"
    assert details["Nodes"] == "2 had runners: node-0, node-1"
    assert not {"Kubernetes", "Labels"} & details.keys()
    assert run_details(report(None).provenance) == []


def test_every_output_has_them_and_an_earlier_report_none() -> None:
    known, earlier = report(facts()), report(None)
    for render in (render_html, render_markdown, render_table):
        assert "What was run" in render(known), render
        assert "sha256:2ew" in render(known), render
        assert "What was run" not in render(earlier), render


def test_a_profile_is_in_the_page_and_nothing_of_it_is_markup() -> None:
    page = render_html(report(facts("description: <b>&amp;\x1b[1m\nspec: 1\n")))
    assert "<summary>Load profile abababababab: mrunners-0</summary>" in page
    assert "description: &lt;b&gt;&amp;amp;" in page
    assert "\x1b" not in page
    assert "\nspec: 1</pre>" in page
