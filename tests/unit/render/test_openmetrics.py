"""What Prometheus would read of a report, read by the parser of Prometheus' own client library."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mrunners.render.openmetrics import render_openmetrics
from mrunners.reports.analysis.throughput import TargetLoad
from mrunners.reports.merge import merge
from mrunners.reports.merged import MergedReport
from mrunners.reports.slo_results import with_slo_results
from mrunners.text import printable
from tests.factories import RUN, RUN_ID, flat, merged_pod
from tests.unit.render.test_run_details import facts
from tests.unit.render.test_run_details import report as report_with_facts

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "mrunners.json"
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
    severities = [finding.severity.value for finding in report.findings]
    assert severities
    assert found["mrunners_findings", severities[0]] == severities.count(severities[0])
    assert ("mrunners_target_requests_per_second", "") not in found
    assert ("mrunners_run_started_timestamp_seconds", "") not in found


def test_what_was_run_is_in_labels() -> None:
    text = render_openmetrics(report_with_facts(facts()))
    (info,) = [line for line in text.splitlines() if line.startswith("mrunners_run_info{")]
    assert 'image="ghcr.io/azure/kperf:0.3.5"' in info
    assert 'label_team="sre"' in info
    assert text.endswith("# EOF\n")
    found = {family.name for family in text_string_to_metric_families(text)}
    assert {"mrunners_run_started_timestamp_seconds", "mrunners_run_info"} <= found
    # Those that a Pushgateway and a textfile collector know too.
    types = re.findall(r"^# TYPE \S+ (\w+)$", text, re.MULTILINE)
    assert set(types) == {"gauge"}


@pytest.mark.parametrize("text", ['a"b', "a\nb", "a\\b", "\ud800", "ä {}"])
def test_hostile_text_stays_a_value(text: str) -> None:
    report = with_slo_results(
        report_with_facts(facts(labels={"a-b/c": text})), [f"GET {text}: max < 1s"]
    )
    lines = render_openmetrics(report).splitlines()
    assert len([line for line in lines if line.startswith("mrunners_run_info{")]) == 1
    families = text_string_to_metric_families("\n".join(lines))
    (info,) = [family.samples[0] for family in families if family.name == "mrunners_run_info"]
    assert info.labels["label_a_b_c"] == printable(text)


def test_the_dashboard_asks_for_metrics_and_labels_that_there_are() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    pods = [merged_pod(0, 0, flat({REQUEST: [0.25, 0.5]}, errors=3), lasting=40)]
    targets = {"mrunners-0": TargetLoad(40.0, 10)}
    merged = merge(RUN, RUN_ID, pods, facts=facts(), targets=targets)
    report = with_slo_results(merged, ["max < 1s"])
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(render_openmetrics(report)):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [variable["query"] for variable in dashboard["templating"]["list"][1:]]
    asked = [
        found for text in expressions for found in re.findall(r"(mrunners_\w+)({[^}]*})?", text)
    ]
    assert len(asked) >= len(expressions)
    for name, matchers in asked:
        assert set(re.findall(r"(\w+)=", matchers)) <= labels[name], name
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"{{(\w+)}}", target["legendFormat"])
            metric = re.findall(r"mrunners_\w+", target["expr"])[0]
            assert set(names) <= labels[metric], panel["title"]
