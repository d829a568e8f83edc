"""What Prometheus would read of a report, read by the parser of Prometheus' own client library."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mrunners.render.openmetrics import render_openmetrics
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.slo_results import with_slo_results
from mrunners.text import printable
from tests.factories import RUN, RUN_ID, flat, merged_pod
from tests.unit.render.test_run_details import facts
from tests.unit.render.test_run_details import report as report_with_facts

REQUEST = "GET https://10.0.0.1:6443/api/v1/namespaces/load/configmaps/x"


def samples(report: MergedReport) -> dict[tuple[str, str], float]:
    """Return the values by name and by the label that only this metric has."""
    found = {}
    for family in text_string_to_metric_families(render_openmetrics(report)):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("run") == RUN_ID
            assert (labels.pop("namespace"), labels.pop("tracker")) == (RUN.namespace, RUN.tracker)
            found[sample.name, " ".join(labels[label] for label in sorted(labels))] = sample.value
    return found


def test_the_figures_are_those_of_the_report() -> None:
    pods = [merged_pod(0, 0, flat({REQUEST: [0.25, 0.5]}, errors=3), lasting=40)]
    report = with_slo_results(merge(RUN, RUN_ID, pods), ["max < 1s", "errors = 0"])
    found = samples(report)
    assert found["mrunners_reports_expected", ""] == found["mrunners_reports_merged", ""] == 1
    assert found["mrunners_successes", ""] == 2
    assert found["mrunners_failures", ""] == 3
    assert found["mrunners_latency_seconds", "1"] == 0.5
    assert found["mrunners_request_latency_seconds", f"0 {REQUEST}"] == 0.25
    assert found["mrunners_objective_met", "max < 1s"] == 1
    assert found["mrunners_objective_met", "errors = 0"] == 0
    assert found["mrunners_findings", "error"] >= 0
    assert ("mrunners_target_requests_per_second", "") not in found
    assert ("mrunners_run_started_timestamp_seconds", "") not in found


def test_what_was_run_is_in_labels() -> None:
    text = render_openmetrics(report_with_facts(facts()))
    (info,) = [line for line in text.splitlines() if line.startswith("mrunners_run_info{")]
    assert 'image="ghcr.io/azure/kperf:0.3.5"' in info
    assert 'label_team="sre"' in info
    assert text.endswith("# EOF\n")
    found = {family.name for family in text_string_to_metric_families(text)}
    assert {"mrunners_run_started_timestamp_seconds", "mrunners_run"} <= found


@pytest.mark.parametrize("text", ['a"b', "a\nb", "a\\b", "\ud800", "ä {}"])
def test_hostile_text_stays_a_value(text: str) -> None:
    report = with_slo_results(
        report_with_facts(facts(labels={"a-b/c": text})), [f"GET {text}: max < 1s"]
    )
    lines = render_openmetrics(report).splitlines()
    assert len([line for line in lines if line.startswith("mrunners_run_info{")]) == 1
    families = text_string_to_metric_families("\n".join(lines))
    (info,) = [family.samples[0] for family in families if family.name == "mrunners_run"]
    assert info.labels["label_a_b_c"] == printable(text)
