"""The findings about the limit, word by word, and what the reports say of it in every form."""

from __future__ import annotations

import json
from dataclasses import replace

from mrunners.render.html.page import render_html
from mrunners.render.markdown import render_markdown
from mrunners.render.terminal.report_table import render_table
from mrunners.reports.analysis.finding import Finding, FindingKind, Severity
from mrunners.reports.analysis.pace import SpecTarget, ThroughputLimit
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport, to_json
from tests.factories import RUN, RUN_ID, Json, flat, merged_pod, multi

URL = "GET https://api/api/v1/namespaces/load/configmaps/x"


def spec(requests: int, latency: float, duration: str, *, total: int | None = None) -> Json:
    return flat({URL: [latency] * requests}, duration=duration, total=total, received=0)


def report_of(document: Json, target: TargetLoad, *, pods: int = 1, apart: int = 0) -> MergedReport:
    outcomes = [merged_pod(0, index, document, second=index * apart) for index in range(pods)]
    return merge(RUN, RUN_ID, outcomes, targets={"mrunners-0": target})


def causes(report: MergedReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind is not FindingKind.START_SKEW]


def test_what_the_first_specs_limiter_caused_is_a_finding_and_a_note() -> None:
    first, second = spec(100, 0.001, "9.9s"), spec(200, 0.19, "19.2s")
    whole = flat({URL: [0.001] * 100 + [0.19] * 200}, duration="29.1s", total=300, received=0)
    target = TargetLoad(
        specs=(
            SpecTarget(rate=10.0, clients=2),
            SpecTarget(rate=50.0, clients=2, ceiling=10.0),
        ),
        warnings=("specs[1]: kperf limits each connection",),
    )
    report = report_of(multi(first, second, aggregated=whole), target)
    assert report.notes == ("mrunners-0: specs[1]: kperf limits each connection",)
    assert report.throughput.jobs[0].limit is ThroughputLimit.PROFILE
    assert report.findings == (
        Finding(
            severity=Severity.WARNING,
            kind=FindingKind.PROFILE,
            text="kperf's own limiter set the pace, not the server: mrunners-0 specs[1] "
            "(10.4 of 50.0 requests/s)",
            advice="kperf limits each connection to the first spec's rate and counts that wait as "
            "latency, so the latencies of these specs are not the server's; the report's notes "
            "say what to change in the profile",
        ),
    )


def test_where_the_figures_do_not_tell_the_limiter_is_still_named_and_nothing_else() -> None:
    first, second = spec(100, 0.001, "9.9s"), spec(40, 0.19, "3.1s")
    whole = flat({URL: [0.001] * 100 + [0.19] * 40}, duration="13s", total=140, received=0)
    target = TargetLoad(
        specs=(
            SpecTarget(rate=10.0, clients=2),
            SpecTarget(rate=50.0, clients=2, ceiling=10.0),
        )
    )
    report = report_of(multi(first, second, aggregated=whole), target)
    assert [(each.severity, each.kind, each.text) for each in report.findings] == [
        (
            Severity.WARNING,
            FindingKind.PROFILE,
            "kperf's own limiter may have set the pace, not the server: mrunners-0 specs[1] "
            "(12.9 of 50.0 requests/s)",
        )
    ]
    assert report.throughput.jobs[0].limit is ThroughputLimit.UNKNOWN


def test_the_same_note_of_several_jobs_is_one() -> None:
    pods = [merged_pod(job, 0, spec(100, 0.001, "10s")) for job in range(4)]
    target = TargetLoad(10.0, 1, warnings=("specs[0]: duration is ignored",))
    report = merge(RUN, RUN_ID, pods, targets={f"mrunners-{job}": target for job in range(4)})
    assert report.notes == (
        "mrunners-0, mrunners-1, mrunners-2 and 1 more: specs[0]: duration is ignored",
    )


def test_too_few_clients_for_the_rate_are_the_profiles_doing_and_not_the_servers() -> None:
    target = TargetLoad(5000.0, 1, specs=(SpecTarget(rate=5000.0, clients=1),))
    report = report_of(spec(5000, 0.002, "10s"), target, pods=2)
    assert report.throughput.jobs[0].limit is ThroughputLimit.PROFILE
    assert causes(report) == [
        Finding(
            severity=Severity.WARNING,
            kind=FindingKind.PROFILE,
            text="the load profile has too few clients for its rate: mrunners-0 (1,000 of 10,000 "
            "requests/s, clients 100% busy): 1 client would need each answer within 0.200 ms, and "
            "it took 2.00 ms",
            advice="set client to at least 10, or use more pods with a lower rate each",
        )
    ]


def test_a_duration_that_kperf_cut_short_by_more_than_half_is_an_error() -> None:
    target = TargetLoad(10.0, 50, specs=(SpecTarget(rate=10.0, clients=50, duration_seconds=5.0),))
    report = report_of(spec(1, 0.0036, "4.079921ms", total=0), target)
    assert report.findings == (
        Finding(
            severity=Severity.ERROR,
            kind=FindingKind.PROFILE,
            text="kperf ended the load before its duration: mrunners-0 (4ms of 5s, 50 clients at "
            "10.0 requests/s)",
            advice="kperf stops as soon as an idle client would wait for the rate past the end; "
            "use fewer clients, or total instead of duration",
        ),
    )


def test_a_missed_rate_whose_cause_is_unclear_is_reported_without_a_cause() -> None:
    # All four clients waited for a third of the time: a server that stalled, or slow runners.
    target = TargetLoad(10.0, 4, specs=(SpecTarget(rate=10.0, clients=4),))
    report = report_of(spec(70, 0.2, "10s"), target)
    assert [(each.severity, each.kind, each.text) for each in report.findings] == [
        (
            Severity.WARNING,
            FindingKind.TARGET_MISSED,
            "the target rate was not reached, and the reports do not tell whether the runners or "
            "the answers were the limit: mrunners-0 (7.0 of 10.0 requests/s, clients 35% busy)",
        )
    ]


def test_of_several_specs_the_one_that_was_limited_is_named() -> None:
    first, second = spec(100, 0.001, "9.9s"), spec(100, 0.2, "20s")
    whole = flat({URL: [0.001] * 100 + [0.2] * 100}, duration="29.9s", total=200, received=0)
    target = TargetLoad(specs=(SpecTarget(rate=10.0, clients=1), SpecTarget(rate=10.0, clients=1)))
    report = report_of(multi(first, second, aggregated=whole), target)
    assert [each.text for each in report.findings] == [
        "the target rate was not reached because all clients were waiting for answers: mrunners-0 "
        "specs[1] (5.0 of 10.0 requests/s, clients 100% busy)"
    ]


def test_every_form_of_the_report_has_the_same_throughput() -> None:
    # Six pods at 20 per second, one after the other: the server got 1,440 requests in 77 seconds.
    target = TargetLoad(20.0, 1, specs=(SpecTarget(rate=20.0, clients=1),))
    report = report_of(spec(240, 0.001, "12s"), target, pods=6, apart=13)
    assert report.throughput.wall_seconds == 77.0
    successes = f"{1440 / 77:.1f}"
    assert (
        f"1,440 samples and 0 errors in 12s; {successes} successes/s, mean over 1m17s"
        in render_table(report, width=160)
    )
    page = render_html(report)
    assert f"{successes}" in page
    assert "successes, mean over 1m17s from first start to last answer" in page
    assert "pods that did not run together" in page
    assert f"{successes} successes/s from the first start" in render_markdown(report)
    document = json.loads(to_json(report))["throughput"]
    assert document["successesPerSecond"] == document["achievedPerSecond"] == 1440 / 77
    assert (document["jobs"][0]["targetPerSecond"], document["jobs"][0]["limit"]) == (
        120.0,
        "start-skew",
    )
    assert document["jobs"][0]["achievedPerSecond"] == 1440 / 77
    assert report.nodes[0].requests_per_second == 20.0


def test_jobs_of_different_lengths_have_one_throughput_and_each_its_own() -> None:
    pods = [
        merged_pod(0, 0, spec(2000, 0.001, "20s")),
        merged_pod(1, 0, spec(500, 0.001, "5s")),
    ]
    throughput = merge(RUN, RUN_ID, pods).throughput
    assert (throughput.wall_seconds, throughput.successes_per_second) == (20.0, 125.0)
    assert [job.achieved_per_second for job in throughput.jobs] == [100.0, 100.0]


def test_the_throughput_is_unknown_when_a_start_is() -> None:
    pods = [merged_pod(0, index, spec(100, 0.001, "10s")) for index in range(2)]
    unknown = replace(pods[1], started_at=None)
    throughput = merge(RUN, RUN_ID, [pods[0], unknown]).throughput
    assert (throughput.wall_seconds, throughput.successes_per_second) == (None, None)
